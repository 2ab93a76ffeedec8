// run_tool as a whole: what goes where, and the status. Descriptors are really redirected.
#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/app.h"
#include "cli/verb.h"
#include "sys/forked.h"

namespace banger::cli {
namespace {

using Words = std::vector<std::string>;

// Does to each name what the name says.
struct Act : Verb {
  Words names;
  void declare(Spec& spec) override {
    spec.operands = {{"NAME", "things", true, Complete::nothing, &names}};
  }
  int run(App& app) override {
    app.notice("mind the gap");
    return app.for_each("act", read_names(names), [](const std::string& name) -> std::string {
      if (name == "absent") throw not_found("no VM '{}'", name).hint("first\nsecond").log("/l");
      if (name == "busy") throw conflict("VM '{}' is running", name);
      if (name == "broken") throw std::runtime_error("surprise");
      return name == "gone" ? "" : "stopped";
    });
  }
};

// Words of a guest with control characters: C1 ones are escapes for some terminals.
const std::string said = "\x1b[2J \u009b2J \x7f \u0085 ü";

struct Throw : Verb {
  std::string what;
  Words tail;
  void declare(Spec& spec) override {
    spec.operands = {{"WHAT", "what to do", true, Complete::nothing, &what}};
    spec.tail = &tail;
    spec.tail_name = "CMD";
    spec.tail_help = "a command";
  }
  int run(App& app) override {
    app.out.line("before");
    if (what == "error") throw preflight("cannot start\x1b[31m 'x'");
    if (what == "other") throw std::runtime_error("surprise");
    if (what == "said") {
      app.out.object("said", {{"text", said}, {"bad", "\xff\x9b"}});
      throw failed("{}", said);
    }
    return 42;
  }
};

const std::vector<VerbEntry>& verbs() {
  static const std::vector<VerbEntry> all{
      {"act", "act on things", "", {}, {}, [] { return std::make_unique<Act>(); }},
      {"throw", "fail", "", {}, {}, [] { return std::make_unique<Throw>(); }},
      {"relay", "relay", "", {}, {}, [] { return std::make_unique<Throw>(); }, true}};
  return all;
}

struct Ran {
  int status = 0;
  std::string out, err;
};

class RunTool : public testing::Test {
protected:
  // In a child, so that signals, descriptors and the environment are its own.
  static Ran run(const Words& words, const std::string& input = {}, int out_fd = -1) {
    int out[2], err[2], in[2];
    EXPECT_EQ(::pipe(out) + ::pipe(err) + ::pipe(in), 0);
    pid_t pid = forked();
    if (pid == 0) {
      ::dup2(in[0], 0);
      ::dup2(out_fd >= 0 ? out_fd : out[1], 1);
      ::dup2(err[1], 2);
      for (int fd : {in[0], in[1], out[0], out[1], err[0], err[1]}) ::close(fd);
      if (out_fd == closed) ::close(1);
      ::setenv("BANGER_STATE_DIR", "/nonexistent/state", 1);
      ::setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
      ::unsetenv("BANGER_CONFIG");
      ::signal(SIGPIPE, SIG_DFL);
      std::vector<char*> argv{const_cast<char*>("banger-test")};
      for (const std::string& w : words) argv.push_back(const_cast<char*>(w.c_str()));
      Tool tool{"banger-test", "a tool for tests", "", verbs()};
      int argc = static_cast<int>(argv.size());
      argv.push_back(nullptr);
      ::_exit(run_tool(tool, argc, argv.data()));
    }
    for (int fd : {in[0], out[1], err[1]}) ::close(fd);
    EXPECT_EQ(::write(in[1], input.data(), input.size()), static_cast<ssize_t>(input.size()));
    ::close(in[1]);
    Ran ran;
    ran.out = read_all(out[0]);
    ran.err = read_all(err[0]);
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ran;
  }

  static constexpr int closed = 99;

private:
  static std::string read_all(int fd) {
    std::string all;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;)
      all.append(buffer, static_cast<size_t>(n));
    ::close(fd);
    return all;
  }
};

TEST_F(RunTool, OneThatFailsStopsNoOther) {
  Ran r = run({"act", "a", "absent", "gone"});
  EXPECT_EQ(r.status, 3);
  EXPECT_EQ(r.out, "a: stopped\ngone\n");
  EXPECT_EQ(r.err, "banger-test: mind the gap\n"
                   "banger-test: no VM 'absent'\n"
                   "hint: first\n"
                   "      second\n"
                   "log: /l\n");
}

TEST_F(RunTool, FailuresOfSeveralKindsAreMixed) {
  EXPECT_EQ(run({"act", "a", "b"}).status, 0);
  EXPECT_EQ(run({"act", "absent", "absent2"}).status, 3);
  EXPECT_EQ(run({"act", "busy", "busy"}).status, 4);
  EXPECT_EQ(run({"act", "busy", "absent"}).status, 7);
  EXPECT_EQ(run({"act", "broken", "broken"}).status, 1);
  EXPECT_EQ(run({"act", "broken"}).err, "banger-test: mind the gap\n"
                                        "banger-test: internal error: surprise\n");
}

TEST_F(RunTool, QuietPrintsBareNames) {
  Ran r = run({"act", "-q", "a", "busy"});
  EXPECT_EQ(r.out, "a\n");
  EXPECT_EQ(r.err, "banger-test: VM 'busy' is running\n");
}

TEST_F(RunTool, JsonHasAResultForEachAndErrorsApart) {
  Ran r = run({"--json", "act", "a", "absent"});
  EXPECT_EQ(r.status, 3);
  std::vector<Json> lines;
  for (size_t at = 0, end = 0; (end = r.out.find('\n', at)) != std::string::npos; at = end + 1)
    lines.push_back(Json::parse(r.out.substr(at, end - at)));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(r.out.starts_with(R"({"kind":"result","v":1,"verb":"act","name":"a","ok":true,)"));
  EXPECT_TRUE(lines[0]["error"].is_null());
  EXPECT_EQ(lines[1]["ok"], false);
  EXPECT_EQ(lines[1]["error"]["code"], "not_found");
  Json error = Json::parse(r.err); // and nothing else: no notice
  EXPECT_EQ(error["kind"], "error");
  EXPECT_EQ(error["subject"], "absent");
  EXPECT_EQ(error["log"], "/l");
}

TEST_F(RunTool, NamesFromStandardInput) {
  Ran r = run({"act", "-q", "z", "-", "a"}, "a\n\n  b \n{\"name\":\"c\",\"kind\":\"vm\"}\na\nlast");
  EXPECT_EQ(r.out, "z\na\nb\nc\nlast\n");
  EXPECT_EQ(r.status, 0);
  for (const char* bad : {"{\"id\":1}", "{\"name\":3}", "{", "{\"name\":"}) {
    Ran refused = run({"act", "-"}, std::string("good\n") + bad + "\n");
    EXPECT_EQ(refused.status, 2) << bad;
    EXPECT_EQ(refused.out, ""); // nothing was done
    EXPECT_NE(refused.err.find("invalid line 2 of standard input"), std::string::npos);
  }
  EXPECT_EQ(run({"act", "-"}, "").status, 0);
}

TEST_F(RunTool, ErrorsAreShownSafelyAfterWhatWasPrintedBefore) {
  Ran r = run({"throw", "error"});
  EXPECT_EQ(r.status, 5);
  EXPECT_EQ(r.out, "before\n");
  EXPECT_EQ(r.err, "banger-test: cannot start\\x1b[31m 'x'\n");
  EXPECT_EQ(run({"throw", "other"}).status, 1);
  EXPECT_EQ(run({"throw", "other"}).err, "banger-test: internal error: surprise\n");
}

TEST_F(RunTool, NoControlCharacterIsInWhatIsPrintedAsJson) {
  Ran r = run({"throw", "--json", "said"});
  EXPECT_EQ(r.status, 1);
  for (char c : r.out + r.err) EXPECT_TRUE(c == '\n' || (c >= ' ' && c < 0x7f)) << int{c};
  Json object = Json::parse(r.out.substr(r.out.find('{')));
  EXPECT_EQ(object["text"], said);
  EXPECT_EQ(object["bad"], "\uFFFD\uFFFD");
  EXPECT_EQ(Json::parse(r.err)["message"], said);
}

TEST_F(RunTool, AVerbThatRelaysGives255ForItsOwnFailures) {
  EXPECT_EQ(run({"relay", "status", "--", "true"}).status, 42);
  EXPECT_EQ(run({"relay", "error", "--", "true"}).status, 255);
  EXPECT_EQ(run({"relay", "other", "--", "true"}).status, 255);
  EXPECT_EQ(run({"relay", "--bogus", "--", "true"}).status, 255);
  EXPECT_EQ(run({"relay", "--help", "--", "true"}).status, 0);
  EXPECT_EQ(run({"throw", "status", "--", "true"}).status, 42);
  // Without a command there is no guest's status to be told from its own.
  EXPECT_EQ(run({"relay", "error"}).status, 5);
}

TEST_F(RunTool, WithoutAVerbItIsAUsageError) {
  EXPECT_EQ(run({}).status, 2);
  EXPECT_EQ(run({"--json"}).status, 2);
  EXPECT_EQ(run({"--help"}).status, 0);
  EXPECT_EQ(run({"--version"}).out, "banger-test 0.1.0\n");
  EXPECT_EQ(run({"help"}).out, run({"--help"}).out);
}

TEST_F(RunTool, AFullDiskIsAFailure) {
  int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  Ran r = run({"act", "a", "b"}, {}, full);
  EXPECT_EQ(r.status, 1);
  EXPECT_NE(r.err.find("cannot write to standard output: no space left on device"),
            std::string::npos);
  EXPECT_EQ(run({"--help"}, {}, full).status, 1);
  EXPECT_EQ(run({"relay", "status", "--", "true"}, {}, full).status, 255);
  ::close(full);
}

TEST_F(RunTool, AReaderThatLeftEndsItBySigpipeAfterTheWorkIsDone) {
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  ::close(fds[0]);
  Ran r = run({"act", "a", "absent", "b"}, {}, fds[1]);
  EXPECT_EQ(r.status, 128 + SIGPIPE);
  EXPECT_NE(r.err.find("no VM 'absent'"), std::string::npos); // the second was still reached
  EXPECT_EQ(r.err.find("standard output"), std::string::npos);
  ::close(fds[1]);
}

TEST_F(RunTool, AClosedStandardOutputIsAFailure) {
  Ran r = run({"throw", "status"}, {}, closed);
  EXPECT_EQ(r.status, 1);
  EXPECT_NE(r.err.find("bad file descriptor"), std::string::npos);
}

} // namespace
} // namespace banger::cli
