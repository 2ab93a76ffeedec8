// Trees that are deeper than descriptors may be open, or than a path is long.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/at.h"
#include "sys/file.h"
#include "sys/walk.h"

namespace banger::sys {
namespace {

class DeepTree : public testing::Test {
protected:
  std::string dir_ = testing::TempDir() + "/deep-" + std::to_string(::getpid());
  rlimit before_{};

  void SetUp() override {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = 64;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  void TearDown() override {
    remove_tree(dir_);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  void make(int depth, const std::string& name = "d") const {
    make_dirs(dir_);
    Fd at = open_file(dir_, O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < depth; i++) {
      make_dir_at(at.get(), name, 0700, name);
      create_at(at.get(), "f", 0600, "f");
      at = open_dir_at(at.get(), name, name);
    }
  }
};

TEST_F(DeepTree, IsWalkedWithFewDescriptors) {
  make(200);
  size_t dirs = 0, files = 0, longest = 0;
  walk(dir_, [&](const WalkEntry& e) {
    (S_ISDIR(e.info.st_mode) ? dirs : files)++;
    longest = std::max(longest, e.path.size());
  });
  EXPECT_EQ(dirs, 201u);
  EXPECT_EQ(files, 200u);
  EXPECT_EQ(longest, 399u);
}

TEST_F(DeepTree, WalkedNoFurtherThanPathsAreLong) {
  make(50, std::string(100, 'd'));
  try {
    walk(dir_, [](const WalkEntry&) {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.message().find("longer than 4095 bytes"), std::string::npos) << e.message();
    EXPECT_LT(e.message().size(), 500u);
  }
}

TEST_F(DeepTree, IsRemovedHoweverDeepItIs) {
  make(200, std::string(100, 'd'));
  EXPECT_TRUE(remove_tree(dir_));
  EXPECT_FALSE(exists(dir_));
}

TEST_F(DeepTree, OpensNothingOverLinksOrOutOfItself) {
  make(3);
  make_symlink("d/d", dir_ + "/l");
  Fd top = open_file(dir_, O_RDONLY | O_DIRECTORY);
  auto error_of = [&](const std::string& path) {
    try {
      open_below(top.get(), path, O_RDONLY, path);
    } catch (const Error& e) {
      return e.error_number();
    }
    return 0;
  };
  EXPECT_EQ(error_of("d/d/f"), 0);
  EXPECT_EQ(error_of(""), 0);
  EXPECT_EQ(error_of("l/f"), ELOOP);
  EXPECT_EQ(error_of("d/../../x"), EXDEV);
  EXPECT_EQ(error_of("/etc"), EXDEV);
}

} // namespace
} // namespace banger::sys
