// Acting on several things side by side.
#include <atomic>
#include <condition_variable>
#include <cstdio>

#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/each.h"
#include "cli/kinds.h"
#include "cli/terminal_text.h"

namespace banger::cli {
namespace {

using Words = std::vector<std::string>;

// Standard output and error of a body that runs in this process.
struct Caught {
  std::string out, err;
  int status = 0;
};

Caught caught(const std::function<int(App&)>& body) {
  std::FILE* files[2] = {std::tmpfile(), std::tmpfile()};
  int kept[2] = {::dup(1), ::dup(2)};
  for (int i : {0, 1}) ::dup2(::fileno(files[i]), i + 1);
  Caught c;
  {
    Dirs dirs;
    dirs.state = "/nonexistent";
    App app("banger-test", {}, dirs, Level::off);
    app.progress = false;
    c.status = body(app);
    app.out.flush();
  }
  for (int i : {0, 1}) ::dup2(kept[i], i + 1), ::close(kept[i]);
  for (int i : {0, 1}) {
    std::rewind(files[i]);
    char block[4096];
    size_t n;
    while ((n = std::fread(block, 1, sizeof block, files[i])) > 0)
      (i ? c.err : c.out).append(block, n);
    std::fclose(files[i]);
  }
  return c;
}

TEST(EachBeside, ThingsOverlapButNeverMoreThanJobs) {
  std::mutex printing, mutex;
  std::condition_variable changed;
  int now = 0, most = 0, makers = 0;
  Words names{"a", "b", "c", "d", "e", "f"};
  auto make = [&]() -> Act {
    std::lock_guard lock(mutex);
    makers++;
    return [&](const std::string&) -> Done {
      std::unique_lock held(mutex);
      most = std::max(most, ++now);
      changed.notify_all();
      // Three must be here at once, or this never ends.
      changed.wait(held, [&] { return most == 3; });
      now--;
      return {"done"};
    };
  };
  Caught c = caught([&](App& app) { return for_each_beside(app, "x", names, 3, make, printing); });
  EXPECT_EQ(c.status, 0);
  EXPECT_EQ(most, 3);
  EXPECT_LE(makers, 3);
  EXPECT_EQ(std::count(c.out.begin(), c.out.end(), '\n'), 6);
}

TEST(EachBeside, AResultEachWhateverIsThrown) {
  std::mutex printing;
  auto make = [] {
    return [](const std::string& name) -> Done {
      if (name == "absent") throw not_found("no '{}'", name);
      if (name == "broken") throw std::runtime_error("surprise");
      Done done("fine");
      if (name == "prefix") done.name = "whole";
      return done;
    };
  };
  Caught c = caught([&](App& app) {
    return for_each_beside(app, "x", {"a", "absent", "prefix", "broken"}, 8, make, printing);
  });
  EXPECT_EQ(c.status, status_mixed);
  EXPECT_NE(c.out.find("a: fine\n"), std::string::npos);
  EXPECT_NE(c.out.find("whole: fine\n"), std::string::npos);
  EXPECT_NE(c.err.find("no 'absent'"), std::string::npos);
  EXPECT_NE(c.err.find("internal error: surprise"), std::string::npos);
}

TEST(EachBeside, AWorkerThatCannotBeMadeFailsItsThings) {
  std::mutex printing;
  auto make = []() -> Act { throw preflight("no state"); };
  Caught c = caught([&](App& app) {
    return for_each_beside(app, "x", {"a", "b", "c"}, 2, make, printing);
  });
  EXPECT_EQ(c.status, exit_status(Code::preflight));
  EXPECT_EQ(c.out, "");
}

TEST(EachBeside, NothingIsDone) {
  std::mutex printing;
  auto make = []() -> Act { throw failed("never called"); };
  EXPECT_EQ(
      caught([&](App& app) { return for_each_beside(app, "x", {}, 4, make, printing); }).status, 0);
}

TEST(EachBeside, OneJobIsInOrder) {
  std::mutex printing;
  auto make = [] { return [](const std::string&) -> Done { return {}; }; };
  Caught c = caught([&](App& app) {
    return for_each_beside(app, "x", {"c", "a", "b"}, 1, make, printing);
  });
  EXPECT_EQ(c.out, "c\na\nb\n");
}

TEST(Jobs, AreANumberInBounds) {
  std::optional<size_t> jobs;
  Target target(kinds::jobs, &jobs);
  target.take("--jobs", "7");
  EXPECT_EQ(jobs, 7u);
  EXPECT_GE(usual_jobs(), 4u);
  EXPECT_LE(usual_jobs(), 16u);
  for (const char* bad : {"0", "-1", "257", "x", ""})
    EXPECT_THROW(target.take("--jobs", bad), Error) << bad;
}

TEST(TerminalText, WhatAPieceCutsInTwoIsHeldBack) {
  TerminalText t;
  EXPECT_EQ(t.feed("gr\xc3"), "gr");
  EXPECT_EQ(t.feed("\xbc\xc3\x9f"), "\xc3\xbc\xc3\x9f");
  EXPECT_EQ(t.feed("\xe2\x82"), "");
  EXPECT_EQ(t.feed("\xac!"), "\xe2\x82\xac!");
  EXPECT_EQ(t.feed("end\r"), "end");
  EXPECT_EQ(t.feed("\nnext\x1b[2J"), "\nnext\\x1b[2J");
  EXPECT_EQ(t.feed("\xf0\x9f"), "");
  EXPECT_EQ(t.rest(), "\\xf0\\x9f");
  EXPECT_EQ(t.rest(), "");
  EXPECT_EQ(t.feed("\xff\x80z"), "\\xff\\x80z"); // never valid: nothing to wait for
}

} // namespace
} // namespace banger::cli
