// When a guest is asked whether it is ready. What asks it is a program here that says yes at once.
#include "ops/monitor/readiness.h"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "sys/file.h"

namespace banger::ops {
namespace {

constexpr Millis short_silence{400}, long_silence{60'000};

class ReadinessTest : public ::testing::Test {
protected:
  ReadinessTest() {
    std::string program = dir + "/banger-guest";
    sys::write_atomic(program, "#!/bin/sh\nwhile read -r line; do echo '" +
                                   guest::to_line({guest::Stage::ready, 0, ""}) + "'; done\n");
    ::chmod(program.c_str(), 0755);
  }
  ~ReadinessTest() override { std::filesystem::remove_all(dir); }
  // Begins, and returns how long it took until the guest was asked, from `began` on.
  Millis asked_after(Readiness& readiness, bool has_userland = false,
                     SteadyTime began = steady_now()) {
    readiness.begin({}, has_userland);
    loop.run();
    readiness.end();
    return std::chrono::duration_cast<Millis>(steady_now() - began);
  }
  std::string dir = [] {
    std::string pattern = "/tmp/banger-readiness-XXXXXX";
    return std::string(::mkdtemp(pattern.data()));
  }();
  sys::Loop loop;
  Log log{"", Level::off, "op"};
  Readiness make(Millis silence) {
    return {loop, log, dir, 2, [this](const auto&) { loop.stop(); }, silence};
  }
};

TEST_F(ReadinessTest, AGuestIsAskedOnceItsInitIsDone) {
  Readiness readiness = make(long_silence);
  SteadyTime began = steady_now();
  loop.after(Millis(50), [&] { readiness.see(false); });
  loop.after(Millis(100), [&] { readiness.see(true); });
  Millis after = asked_after(readiness, false, began);
  EXPECT_GE(after, Millis(100));
  EXPECT_LT(after, long_silence);
}

TEST_F(ReadinessTest, AtOnceWhereItsInitWasDoneBefore) {
  Readiness readiness = make(long_silence);
  EXPECT_LT(asked_after(readiness, true), long_silence);
}

TEST_F(ReadinessTest, AConsoleThatSaysNothingMoreIsNotWaitedForForEver) {
  Readiness readiness = make(short_silence);
  SteadyTime began = steady_now();
  loop.after(Millis(100), [&] { readiness.see(false); });
  EXPECT_GE(asked_after(readiness, false, began), Millis(100) + short_silence);
}

TEST_F(ReadinessTest, EachBootIsWaitedFor) {
  Readiness readiness = make(short_silence);
  asked_after(readiness, true);
  EXPECT_GE(asked_after(readiness), short_silence);
}

} // namespace
} // namespace banger::ops
