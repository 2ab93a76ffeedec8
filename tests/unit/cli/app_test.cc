// The words that a tool hands on to another that does a part of its work.
#include <gtest/gtest.h>

#include "cli/app.h"

namespace banger::cli {
namespace {

using Words = std::vector<std::string>;

Words words_of(const std::string& config, bool json, bool quiet) {
  Dirs dirs;
  dirs.state = "/nonexistent";
  dirs.config_file = config;
  Settings settings;
  settings.log_level = Level::debug;
  App app("banger-test", settings, dirs, Level::off);
  app.out.json = json;
  app.out.quiet = quiet;
  return app.common_words();
}

TEST(App, CommonWordsAreThoseThatItWasGiven) {
  EXPECT_EQ(words_of("/nonexistent/config.toml", false, false), (Words{"--log-level", "debug"}));
  EXPECT_EQ(words_of("/dev/null", true, true),
            (Words{"--log-level", "debug", "--json", "--quiet", "--config", "/dev/null"}));
}

} // namespace
} // namespace banger::cli
