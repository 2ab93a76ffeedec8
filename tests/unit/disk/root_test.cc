#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "disk/ext4.h"
#include "disk/root.h"
#include "sys/file.h"
#include "sys/process.h"

namespace banger::disk {

namespace {

constexpr int64_t MiB = int64_t{1} << 20;

RootFacts facts(bool can_clone) { return {can_clone, 256 * MiB, 9 * MiB}; }

// A real file system in a directory of this test.
struct Ext4 : testing::Test {
  std::string dir = testing::TempDir() + "/ext4-" + std::to_string(::getpid());
  std::string image = dir + "/image";
  void SetUp() override {
    sys::make_dirs(dir);
    sys::run_ok({{e2fs_program("mke2fs"), "-q", "-t", "ext4", image, "16M"}, {}, {}, false});
  }
  void TearDown() override { sys::remove_tree(dir); }
};

Code code_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.code();
  }
  return Code::unreachable; // nothing was thrown
}

} // namespace

TEST(RootPlan, SharesExtentsWhereItCan) {
  EXPECT_EQ(plan_root({}, {}, facts(true), "a", "b").way, RootWay::reflink);
  RootPlan p = plan_root({}, {}, facts(false), "a", "b");
  EXPECT_EQ(p, (RootPlan{RootWay::copy, "a", "b", 256 * MiB, 9 * MiB}));
}

TEST(RootPlan, AWishThatCannotBeIsRefused) {
  EXPECT_EQ(code_of([] { plan_root(RootWay::reflink, {}, facts(false), "a", "b"); }),
            Code::preflight);
  EXPECT_EQ(code_of([] { plan_root({}, 255 * MiB, facts(true), "a", "b"); }), Code::usage);
}

TEST_F(Ext4, TheSuperblockTellsTheSizeAndATruncatedFileIsNamed) {
  EXPECT_EQ(ext4_size(image), 16 * MiB);
  std::filesystem::resize_file(image, 15 * MiB);
  EXPECT_EQ(code_of([&] { ext4_size(image); }), Code::failed);
  std::filesystem::resize_file(image, 0);
  EXPECT_EQ(code_of([&] { ext4_size(image); }), Code::failed);
}

TEST_F(Ext4, ADiskIsMadeAndGrownWithItsFileSystem) {
  make_root({RootWay::copy, image, dir + "/root", 32 * MiB, 0});
  EXPECT_EQ(ext4_size(dir + "/root"), 32 * MiB);
  EXPECT_EQ(ext4_size(image), 16 * MiB);
  EXPECT_EQ(code_of([&] { grow_ext4(dir + "/root", 16 * MiB); }), Code::usage);
}

TEST_F(Ext4, NothingIsLeftOfADiskThatCouldNotBeMade) {
  std::filesystem::resize_file(image, 8 * MiB); // its superblock promises more
  EXPECT_EQ(code_of([&] {
              make_root({RootWay::copy, image, dir + "/root", 32 * MiB, 0});
            }),
            Code::failed);
  EXPECT_FALSE(sys::exists(dir + "/root"));
}

} // namespace banger::disk
