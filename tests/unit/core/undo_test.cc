#include "core/undo.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace banger {
namespace {

using Words = std::vector<std::string>;

TEST(Undo, RunsInReverseWhenLeft) {
  Words done;
  {
    Undo undo;
    undo.push("first", [&] { done.push_back("first"); });
    undo.push("second", [&] { done.push_back("second"); });
  }
  EXPECT_EQ(done, (Words{"second", "first"}));
}

TEST(Undo, DismissedDoesNothing) {
  Words done;
  {
    Undo undo;
    undo.push("first", [&] { done.push_back("first"); });
    undo.dismiss();
  }
  EXPECT_TRUE(done.empty());
}

TEST(Undo, OneThatFailsStopsNoOther) {
  Words done, faults;
  {
    Undo undo([&](const std::string& step, const std::exception& e) {
      faults.push_back(step + ": " + e.what());
    });
    undo.push("first", [&] { done.push_back("first"); });
    undo.push("second", [] { throw std::runtime_error("busy"); });
    undo.push("third", [&] { done.push_back("third"); });
  }
  EXPECT_EQ(done, (Words{"third", "first"}));
  EXPECT_EQ(faults, (Words{"second: busy"}));
}

TEST(Undo, RunsWhenAnExceptionPassesAndOnlyOnce) {
  int runs = 0;
  try {
    Undo undo;
    undo.push("step", [&] { runs++; });
    undo.run();
    undo.run();
    throw std::runtime_error("later");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(runs, 1);
}

TEST(Undo, AStepMayPushAnother) {
  Words done;
  Undo undo;
  undo.push("outer", [&] {
    done.push_back("outer");
    undo.push("inner", [&] { done.push_back("inner"); });
  });
  undo.run();
  EXPECT_EQ(done, (Words{"outer", "inner"}));
}

} // namespace
} // namespace banger
