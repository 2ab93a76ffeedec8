#include "core/log.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/error.h"

namespace banger {
namespace {

using Json = nlohmann::json;

// The lines that `write` left in a log of its own.
template <typename Write>
std::string written(Write write) {
  std::string path = testing::TempDir() + "/log-" + std::to_string(::getpid());
  std::filesystem::remove(path);
  {
    Log log(path, Level::info, "0000abcd");
    write(log);
  }
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  std::filesystem::remove(path);
  return text.str();
}

TEST(Log, ARecordIsOneLineOfJson) {
  std::string text = written([](Log& log) {
    log.info("image.import", {{"name", "a \"b\"\n\\"}, {"bytes", int64_t{7}}, {"whole", true}});
  });
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  Json line = Json::parse(text);
  EXPECT_EQ(line.at("level"), "info");
  EXPECT_EQ(line.at("op"), "0000abcd");
  EXPECT_EQ(line.at("event"), "image.import");
  EXPECT_EQ(line.at("name"), "a \"b\"\n\\");
  EXPECT_EQ(line.at("bytes"), 7);
  EXPECT_EQ(line.at("whole"), true);
}

TEST(Log, ValidUtf8IsWrittenAsItIs) {
  std::string path = "/srv/übung/日本/🐟";
  std::string text = written([&](Log& log) { log.info("x", {{"path", path}}); });
  EXPECT_NE(text.find(path), std::string::npos) << text;
  EXPECT_EQ(Json::parse(text).at("path"), path);
}

TEST(Log, WhatATerminalWouldObeyIsEscapedAndMeansTheSame) {
  // A C1 control, a bidirectional override, ESC and DEL.
  std::string said = "a\u009bb\u202ec\x1b[0m\x7f";
  std::string text = written([&](Log& log) { log.info("x", {{"said", said}}); });
  EXPECT_NE(text.find("a\\u009bb\\u202ec\\u001b[0m\\u007f"), std::string::npos) << text;
  EXPECT_EQ(Json::parse(text).at("said"), said);
}

TEST(Log, BytesThatAreNoUtf8LeaveTheLineValid) {
  // Cut off, alone, too long a form of '/', a surrogate, beyond the last code point.
  for (std::string bad : {"\xc3", "\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    std::string text = written([&](Log& log) { log.info("x", {{"said", bad + "z"}}); });
    EXPECT_TRUE(Json::accept(text)) << text;
    EXPECT_NE(text.find("z\""), std::string::npos) << text;
  }
}

TEST(Log, AnObjectIsAnObject) {
  std::string text = written([](Log& log) {
    log.info("vm.ended", {{"detail", Log::Object(R"({"reason":"killed","pid":7})")}});
  });
  EXPECT_EQ(Json::parse(text).at("detail").at("pid"), 7);
}

TEST(Log, AnErrorIsLoggedWithWhatItIsAbout) {
  std::string text = written([](Log& log) {
    log.warn("net.repair", failed("cannot read '{}'", "/x"), {{"vm", "demo"}});
  });
  Json line = Json::parse(text);
  EXPECT_EQ(line.at("level"), "warn");
  EXPECT_EQ(line.at("vm"), "demo");
  EXPECT_EQ(line.at("error"), "cannot read '/x'");
}

TEST(Log, OneThatCannotBeWrittenFailsNothing) {
  Log log("/dev/full", Level::info, "0000abcd");
  log.info("x");
  log.info("y");
  Log nowhere("/proc/no/such/place", Level::info, "0000abcd");
  nowhere.info("x");
}

TEST(Log, OneThatGoesWithItsDirectoryDoesNotBringThatBack) {
  std::string dir = ::testing::TempDir() + "/banger-log-" + std::to_string(::getpid());
  std::filesystem::remove_all(dir);
  Log log(dir + "/x.jsonl", Level::info, "0000abcd", Log::Directory::given);
  log.info("x");
  EXPECT_FALSE(std::filesystem::exists(dir));
  std::filesystem::create_directory(dir);
  Log other(dir + "/x.jsonl", Level::info, "0000abcd", Log::Directory::given);
  other.info("x");
  EXPECT_TRUE(std::filesystem::exists(dir + "/x.jsonl"));
  std::filesystem::remove_all(dir);
}

} // namespace
} // namespace banger
