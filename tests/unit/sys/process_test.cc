// The world of a program that is started, or become; and the error for one that cannot run.
#include <csignal>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "sys/file.h"
#include "sys/lines.h"
#include "sys/process.h"
#include "sys/signals.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::sys {
namespace {

// Open without close-on-exec under exactly that number, as a shell's `exec 9>file` leaves it.
Fd given(int number) {
  Fd null = open_file("/dev/null", O_WRONLY);
  EXPECT_EQ(::dup2(null.get(), number), number);
  return Fd(number);
}

// Which of these descriptors a child has: the numbers, a space behind each.
Command tells(const std::string& numbers) {
  return {
      {"sh", "-c", "for n in " + numbers + "; do [ ! -e /proc/$$/fd/$n ] || printf '%s ' $n; done"},
      {},
      {},
      false};
}

std::string output_of(const Command& command, std::vector<std::pair<int, int>> more) {
  auto [ours, theirs] = socket_pair();
  Child child = spawn(command, {-1, theirs.get(), 2, std::move(more)});
  theirs.reset();
  std::string all;
  char buffer[256];
  for (ssize_t n; (n = ::read(ours.get(), buffer, sizeof buffer)) > 0;)
    all.append(buffer, static_cast<size_t>(n));
  EXPECT_TRUE(child.wait().ok());
  return all;
}

TEST(Spawn, AChildHasWhatItsStdioNamesAndNoMore) {
  Fd low = given(63), high = given(200);
  EXPECT_EQ(output_of(tells("0 1 2 3 4 5 6 63 64 200"), {}), "0 1 2 ");
  EXPECT_EQ(output_of(tells("0 1 2 3 4 5 6 63 64 200"), {{low.get(), 3}, {high.get(), 5}}),
            "0 1 2 3 5 ");
  EXPECT_EQ(output_of(tells("0 1 2 3 4 5 6 63 64 199 200 201"), {{low.get(), 64}}), "0 1 2 64 ");
  // A number that is ours and the child's at once.
  EXPECT_EQ(output_of(tells("3 62 63 64 200"), {{high.get(), 63}, {low.get(), 200}}), "63 200 ");
}

TEST(Spawn, WhatCannotBeExecutedIsNamedWithItsErrno) {
  std::string path = testing::TempDir() + "no-program-" + std::to_string(::getpid());
  write_atomic(path, "neither a binary nor a script", 0755);
  for (auto [program, err] :
       {std::pair{path, ENOEXEC}, {std::string("/no/such/program"), ENOENT}}) {
    try {
      Child child = spawn({{program}, {}, {}, false}, {});
      ADD_FAILURE() << program << " was started";
    } catch (const Error& e) {
      EXPECT_EQ(e.error_number(), err);
      EXPECT_NE(e.message().find(program), std::string::npos) << e.message();
    }
  }
  try {
    Child child = spawn({{"true"}, {}, "/no/such/directory", false}, {});
    ADD_FAILURE() << "was started in no directory";
  } catch (const Error& e) {
    EXPECT_EQ(e.error_number(), ENOENT);
    EXPECT_NE(e.message().find("/no/such/directory"), std::string::npos) << e.message();
    EXPECT_EQ(e.hint().find("install"), std::string::npos) << e.hint();
  }
  remove_file(path);
}

TEST(Spawn, TheEnvironmentIsOursWithWhatIsAdded) {
  ::setenv("BANGER_TEST_KEPT", "kept", 1);
  ::setenv("BANGER_TEST_CHANGED", "before", 1);
  Command command{{"sh", "-c", "echo $BANGER_TEST_KEPT $BANGER_TEST_CHANGED $BANGER_TEST_NEW"},
                  {{"BANGER_TEST_CHANGED", "after"}, {"BANGER_TEST_NEW", "new"}},
                  {},
                  false};
  EXPECT_EQ(output_of(command, {}), "kept after new\n");
  ::unsetenv("BANGER_TEST_KEPT");
  ::unsetenv("BANGER_TEST_CHANGED");
}

TEST(Run, AChildThatDoesNotReadItsInputEndsNobodyAndLeavesSigpipeAsItWas) {
  std::string input(1 << 20, 'x');
  for (auto disposition : {SIG_DFL, SIG_IGN}) {
    auto before = ::signal(SIGPIPE, disposition);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; i++)
      threads.emplace_back([&] {
        for (int k = 0; k < 5; k++) EXPECT_TRUE(run({{"true"}, {}, {}, false}, input).status.ok());
      });
    threads.clear();
    EXPECT_THROW(run({{"/no/such/program"}, {}, {}, false}, input), Error);
    EXPECT_EQ(::signal(SIGPIPE, before), disposition);
    sigset_t blocked;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    EXPECT_EQ(::sigismember(&blocked, SIGPIPE), 0);
  }
}

TEST(Run, AGrandchildThatKeepsThePipesOpenIsNotWaitedFor) {
  auto start = std::chrono::steady_clock::now();
  RunResult r = run({{"sh", "-c", "sleep 30 & echo $!"}, {}, {}, false});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  int pid = std::atoi(r.out.c_str());
  ASSERT_GT(pid, 0) << r.out;
  ::kill(pid, SIGKILL);
}

TEST(Run, AFailureIsToldWithTheLastLine) {
  try {
    run_ok({{"sh", "-c", "echo first >&2; echo last >&2; exit 7"}, {}, {}, false});
    ADD_FAILURE() << "was taken for success";
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "sh failed (exit status 7): last");
  }
}

// exec is called in a process of the test's own, which ends with what it prints.
[[noreturn]] void become(const Command& command, Keep keep) {
  ::dup2(2, 1); // what a death test reads
  try {
    exec(command, keep);
  } catch (const Error& e) {
    fmt::print(stderr, "errno {}, 63 is {}\n", e.error_number(),
               ::fcntl(63, F_GETFD) >= 0 ? "open" : "closed");
    std::_Exit(9);
  }
}

class ExecDeathTest : public testing::Test {
protected:
  Fd low = given(63);
};

TEST_F(ExecDeathTest, NothingIsKeptOrWhatWasInherited) {
  EXPECT_EXIT(become(tells("0 1 2 63"), Keep::nothing), testing::ExitedWithCode(0), "^0 1 2 $");
  EXPECT_EXIT(become(tells("0 1 2 63"), Keep::inherited), testing::ExitedWithCode(0),
              "^0 1 2 63 $");
}

TEST_F(ExecDeathTest, OneThatFailsSaysWhyAndClosesNothing) {
  std::string path = testing::TempDir() + "no-program-" + std::to_string(::getpid());
  write_atomic(path, "neither a binary nor a script", 0755);
  EXPECT_EXIT(become({{path}, {}, {}, false}, Keep::nothing), testing::ExitedWithCode(9),
              fmt::format("errno {}, 63 is open", ENOEXEC));
  EXPECT_EXIT(become({{"/no/such/program"}, {}, {}, false}, Keep::nothing),
              testing::ExitedWithCode(9), fmt::format("errno {}, 63 is open", ENOENT));
  remove_file(path);
}

TEST(Programs, AreFoundInPathOrWhereTheySayTheyAre) {
  EXPECT_EQ(find_program("/bin/sh"), "/bin/sh");
  EXPECT_TRUE(find_program("sh"));
  EXPECT_FALSE(find_program("/no/such/program"));
  std::string dir = testing::TempDir() + "path-" + std::to_string(::getpid());
  make_dirs(dir + "/tool"); // a directory is no program
  std::string before = std::getenv("PATH");
  ::setenv("PATH", dir.c_str(), 1);
  EXPECT_FALSE(find_program("tool"));
  write_atomic(dir + "/other", "", 0644);
  EXPECT_FALSE(find_program("other"));
  for (const auto& [file, why] :
       {std::pair{"/other", "permission denied"}, {"/none", "no such file or directory"}}) {
    try {
      Child child = spawn({{dir + file}, {}, {}, false}, {});
      ADD_FAILURE() << "was started";
    } catch (const Error& e) {
      EXPECT_EQ(e.message(), fmt::format("cannot run '{}{}': {}", dir, file, why));
    }
  }
  ::setenv("PATH", before.c_str(), 1);
  remove_tree(dir);
}

TEST(Programs, AnEmptyPlaceInPathIsTheWorkingDirectory) {
  std::string dir = testing::TempDir() + "here-" + std::to_string(::getpid());
  make_dirs(dir);
  write_atomic(dir + "/only-here", "", 0755);
  auto look = [&] {
    bool there = ::chdir(dir.c_str()) == 0 && ::setenv("PATH", "/none:", 1) == 0;
    ::_exit(there && find_program("only-here") == "./only-here" ? 0 : 1);
  };
  EXPECT_EXIT(look(), testing::ExitedWithCode(0), "");
  remove_tree(dir);
}

const Command sleeps{{"sleep", "60"}, {}, {}, false};

TEST(Spawn, ASessionOfItsOwnWhereThatIsAskedFor) {
  for (bool own : {false, true}) {
    Command command = sleeps;
    command.new_session = own;
    Child child = spawn(command, {});
    EXPECT_EQ(::getsid(child.pid()), own ? child.pid() : ::getsid(0));
  }
}

TEST(Spawn, WhatThisThreadBlocksIsNotBlockedInTheChild) {
  sigset_t blocked, before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  std::string mask = output_of(
      {{"sed", "-n", "s/^SigBlk:[[:space:]0]*//p", "/proc/self/status"}, {}, {}, false}, {});
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(mask, "\n");
}

TEST(Run, WhatAChildSaysIsBounded) {
  RunResult r = run({{"head", "-c", "20000000", "/dev/zero"}, {}, {}, false});
  EXPECT_TRUE(r.status.ok()); // it is read to its end
  EXPECT_GE(r.out.size(), size_t{16} << 20);
  EXPECT_LT(r.out.size(), size_t{17} << 20);
}

// Whether a process of that id is there, or waits to be reaped.
bool is_there(int pid) { return ::kill(pid, 0) == 0; }

TEST(Owner, AChildEndsWithIt) {
  int first = 0, second = 0;
  {
    Child child = spawn(sleeps, {});
    first = child.pid();
    Child other = std::move(child); // and is ended once
    EXPECT_TRUE(is_there(first));
    Child next = spawn(sleeps, {});
    second = next.pid();
    other = std::move(next);
    EXPECT_TRUE(is_there(second));
  }
  EXPECT_FALSE(is_there(first));
  EXPECT_FALSE(is_there(second));
}

TEST(Owner, OneThatIsLeftOutlivesItAndCanBeWaitedForMeanwhile) {
  int pid = 0;
  {
    Child child = spawn(sleeps, {});
    child.leave();
    pid = child.pid();
    EXPECT_FALSE(child.wait_for(Millis(0)));
  }
  ASSERT_TRUE(is_there(pid));
  ::kill(pid, SIGKILL);
  EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
  Child brief = spawn({{"true"}, {}, {}, false}, {});
  brief.leave();
  EXPECT_TRUE(brief.wait().ok());
}

TEST(Owner, OneThatWasWaitedForIsNotSoughtAgain) {
  int status = -1;
  {
    Child child = spawn({{"sh", "-c", "exit 3"}, {}, {}, false}, {});
    auto waited = child.wait_for(Millis(20'000));
    ASSERT_TRUE(waited) << "it does not wait as long as it is told";
    status = waited->code;
  }
  EXPECT_EQ(status, 3);
}

// A script that is kept; it tells a number in a line, of a daemon that it leaves behind.
struct KeptScript {
  std::pair<Fd, Fd> ends = socket_pair();
  Child child;
  int daemon = 0;

  explicit KeptScript(const std::string& rest)
      : child(spawn({.argv = {"sh", "-c", "setsid sleep 1000 >/dev/null & echo $!; " + rest},
                     .env = {},
                     .cwd = {},
                     .kept = true},
                    {-1, ends.second.get(), 2, {}})) {
    ends.second.reset();
    daemon = std::stoi(LineReader(ends.first.get()).next(Millis(10'000)).value());
  }
  bool is_gone() const { return ::kill(daemon, 0) != 0 && errno == ESRCH; }
};

TEST(Kept, ItEndsWithAllThatItStarted) {
  std::optional<KeptScript> script(std::in_place, "exec sleep 1000");
  int daemon = script->daemon;
  EXPECT_FALSE(script->is_gone());
  script.reset();
  EXPECT_EQ(::kill(daemon, 0), -1);
}

TEST(Kept, AProgramThatEndedLeavesNothingBehind) {
  KeptScript script("exit 7");
  ExitStatus status = script.child.wait();
  EXPECT_TRUE(status.exited);
  EXPECT_EQ(status.code, 7);
  EXPECT_TRUE(script.is_gone());
  KeptScript killed("kill -KILL $$");
  status = killed.child.wait();
  EXPECT_FALSE(status.exited);
  EXPECT_EQ(status.signal, SIGKILL);
  EXPECT_TRUE(killed.is_gone());
}

TEST(Kept, OneThatIsStoppedOrThatTheKeeperIsAskedToKillEnds) {
  KeptScript script("kill -STOP $$");
  script.child.kill(SIGKILL);
  EXPECT_EQ(script.child.wait().signal, SIGTERM);
  EXPECT_TRUE(script.is_gone());
}

TEST(Kept, ItHoldsNothingOfWhoStartedIt) {
  Fd high = given(200);
  Command command = tells("3 4 5 6 7 8 200");
  command.kept = true;
  EXPECT_EQ(output_of(command, {}), "");
  // Nor does its keeper: the pipe ends with the program.
  auto [ours, theirs] = socket_pair();
  KeptScript script("exec sleep 1000");
  theirs.reset();
  char byte;
  EXPECT_EQ(::read(ours.get(), &byte, 1), 0);
}

TEST(Kept, WhatCannotBeExecutedIsNamedWithItsErrno) {
  std::string path = testing::TempDir() + "no-program-" + std::to_string(::getpid());
  write_atomic(path, "neither a binary nor a script", 0755);
  try {
    Child child = spawn({.argv = {path}, .env = {}, .cwd = {}, .kept = true}, inherit_stdio());
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.error_number(), ENOEXEC);
    EXPECT_NE(std::string(e.message()).find("cannot run '" + path), std::string::npos);
  }
  remove_file(path);
}

TEST(Kept, ASignalThatIsHeldBackEndsWhatRuns) {
  Signals signals({SIGTERM});
  std::jthread later([] {
    sleep_for(Millis(100));
    ::kill(::getpid(), SIGTERM);
  });
  auto begin = steady_now();
  EXPECT_THROW(run({.argv = {"sleep", "1000"}, .env = {}, .cwd = {}, .kept = true}), Error);
  EXPECT_LT(Seconds(steady_now() - begin).count(), 20);
  EXPECT_EQ(read_signal(signals.fd()), SIGTERM); // else it would end the tests
}

} // namespace
} // namespace banger::sys
