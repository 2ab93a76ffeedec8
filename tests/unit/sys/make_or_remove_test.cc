#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/file.h"

namespace banger::sys {
namespace {

namespace fs = std::filesystem;

std::string place() { return testing::TempDir() + "/half-" + std::to_string(::getpid()); }

Error thrown(const std::string& path) {
  try {
    make_or_remove(path, [] { throw failed("no room"); });
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "nothing was thrown";
  return failed("nothing");
}

TEST(MakeOrRemove, WhatIsWholeStays) {
  make_or_remove(place(), [&] { std::ofstream(place()) << "whole"; });
  EXPECT_TRUE(fs::exists(place()));
  fs::remove(place());
}

TEST(MakeOrRemove, AHalfGoesAndTheErrorIsWhatItWas) {
  std::ofstream(place()) << "half";
  Error e = thrown(place());
  EXPECT_EQ(e.message(), "no room");
  EXPECT_EQ(e.hint(), "");
  EXPECT_FALSE(fs::exists(place()));
}

TEST(MakeOrRemove, AHalfThatStaysIsToldOf) {
  fs::create_directory(place()); // no file: it cannot be unlinked
  Error e = thrown(place());
  EXPECT_EQ(e.message(), "no room");
  EXPECT_NE(e.hint().find("remove '" + place() + "', which is left over: "), std::string::npos)
      << e.hint();
  fs::remove(place());
}

} // namespace
} // namespace banger::sys
