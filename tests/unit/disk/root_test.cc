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
  EXPECT_EQ(p, (RootPlan{RootWay::overlay, "a", "b", 256 * MiB, 0, {}}));
  EXPECT_EQ(plan_root(RootWay::copy, {}, facts(true), "a", "b"),
            (RootPlan{RootWay::copy, "a", "b", 256 * MiB, 9 * MiB, {}}));
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

TEST_F(Ext4, OfADiskOnlyTheFileGrows) {
  make_root({RootWay::copy, image, dir + "/root", 32 * MiB, 0, {}});
  EXPECT_EQ(ext4_size(dir + "/root"), 16 * MiB);
  EXPECT_EQ(sys::find_info(dir + "/root")->size, 32 * MiB);
  EXPECT_EQ(code_of([&] { grow_disk(dir + "/root", 16 * MiB); }), Code::usage);
  EXPECT_EQ(sys::find_info(dir + "/root")->size, 32 * MiB);
}

TEST_F(Ext4, AFileSystemGrowsWithItsFile) {
  grow_ext4(image, 32 * MiB);
  EXPECT_EQ(ext4_size(image), 32 * MiB);
  EXPECT_EQ(sys::find_info(image)->size, 32 * MiB);
  EXPECT_EQ(code_of([&] { grow_ext4(image, 16 * MiB); }), Code::usage);
}

TEST_F(Ext4, UpperLayersAreCopiesOfABlankThatIsMadeOnce) {
  std::string blanks = dir + "/blank";
  make_root({RootWay::overlay, {}, dir + "/one", 16 * MiB, 0, blanks});
  std::string blank = blanks + "/upper-16777216.ext4";
  auto made = std::filesystem::last_write_time(blank);
  // A file that a killed run left is no blank.
  sys::write_atomic(blanks + "/upper-33554432.ext4.new", "half");
  make_root({RootWay::overlay, {}, dir + "/two", 16 * MiB, 0, blanks});
  make_root({RootWay::overlay, {}, dir + "/large", 32 * MiB, 0, blanks});
  EXPECT_EQ(std::filesystem::last_write_time(blank), made);
  for (const char* file : {"/one", "/two"}) {
    EXPECT_EQ(ext4_size(dir + file), 16 * MiB);
    EXPECT_EQ(sys::read_file(dir + file), sys::read_file(blank));
    EXPECT_EQ(std::filesystem::status(dir + file).permissions(), std::filesystem::perms(0600));
  }
  EXPECT_EQ(ext4_size(dir + "/large"), 32 * MiB);
  EXPECT_LT(sys::find_info(dir + "/one")->allocated, 1 * MiB);
}

TEST_F(Ext4, NothingIsLeftOfADiskThatCouldNotBeMade) {
  std::filesystem::resize_file(image, 8 * MiB); // its superblock promises more
  EXPECT_EQ(code_of([&] {
              make_root({RootWay::copy, image, dir + "/root", 32 * MiB, 0, {}});
            }),
            Code::failed);
  EXPECT_FALSE(sys::exists(dir + "/root"));
}

} // namespace banger::disk
