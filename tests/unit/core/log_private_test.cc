#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"

namespace banger {

TEST(Log, TheFirstRecordMakesADirectoryAndAFileThatAreTheUsersAlone) {
  std::string state = testing::TempDir() + "/log-private-" + std::to_string(::getpid());
  auto mode = [](const std::string& path) {
    struct stat st {};
    return ::stat(path.c_str(), &st) == 0 ? st.st_mode & 07777 : 0;
  };
  mode_t before = ::umask(0);
  {
    Log log(state + "/log/banger.jsonl", Level::info, new_op_id());
    log.debug("not written");
    EXPECT_EQ(mode(state), 0u); // a command that has nothing to say makes nothing
    log.info("something");
  }
  ::umask(before);
  EXPECT_EQ(mode(state), 0700u);
  EXPECT_EQ(mode(state + "/log"), 0700u);
  EXPECT_EQ(mode(state + "/log/banger.jsonl"), 0600u);
  std::filesystem::remove_all(state);
}

} // namespace banger
