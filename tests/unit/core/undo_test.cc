#include "core/undo.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace banger {
namespace {

using Words = std::vector<std::string>;

Log none({}, Level::off, {});

TEST(Undo, RunsInReverseWhenLeft) {
  Words done;
  {
    Undo undo(none);
    undo.push("first", [&] { done.push_back("first"); });
    undo.push("second", [&] { done.push_back("second"); });
  }
  EXPECT_EQ(done, (Words{"second", "first"}));
}

TEST(Undo, DismissedDoesNothing) {
  Words done;
  {
    Undo undo(none);
    undo.push("first", [&] { done.push_back("first"); });
    undo.dismiss();
  }
  EXPECT_TRUE(done.empty());
}

TEST(Undo, OneThatFailsStopsNoOtherAndIsLogged) {
  Words done, faults;
  std::string path = testing::TempDir() + "/undo-log-" + std::to_string(::getpid());
  {
    Log log(path, Level::warn, "op");
    Undo undo(log);
    undo.push("first", [&] { done.push_back("first"); });
    undo.push("second", [] { throw std::runtime_error("busy"); });
    undo.push("third", [&] { done.push_back("third"); });
  }
  std::ifstream log(path);
  for (std::string line; std::getline(log, line);) {
    auto record = nlohmann::json::parse(line);
    faults.push_back(record.at("step").get<std::string>() + ": " +
                     record.at("error").get<std::string>());
  }
  std::filesystem::remove(path);
  EXPECT_EQ(done, (Words{"third", "first"}));
  EXPECT_EQ(faults, (Words{"second: busy"}));
}

TEST(Undo, RunsWhenAnExceptionPassesAndOnlyOnce) {
  int runs = 0;
  try {
    Undo undo(none);
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
  Undo undo(none);
  undo.push("outer", [&] {
    done.push_back("outer");
    undo.push("inner", [&] { done.push_back("inner"); });
  });
  undo.run();
  EXPECT_EQ(done, (Words{"outer", "inner"}));
}

} // namespace
} // namespace banger
