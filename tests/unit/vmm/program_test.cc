// What a VMM's program is given of the system, by its kind.
#include <algorithm>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "sys/file.h"
#include "vmm/program.h"

namespace banger::vmm {
namespace {

bool has(const std::vector<std::string>& paths, const std::string& path) {
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

TEST(Needs, AProgramThatIsLinkedHasLibrariesAndDataAndNoPrograms) {
  std::string self = sys::real_path("/proc/self/exe");
  auto needs = needs_of(self);
  EXPECT_EQ(needs.front(), self);
  for (const char* path : {"/usr/lib", "/lib64", "/usr/share", "/etc/ld.so.cache"})
    EXPECT_TRUE(has(needs, path)) << path;
  for (const char* path : {"/usr", "/bin", "/opt"}) EXPECT_FALSE(has(needs, path)) << path;
}

TEST(Needs, AScriptHasTheSystemsPrograms) {
  std::string script = ::testing::TempDir() + "a-vmm";
  sys::write_atomic(script, "#!/bin/sh\n", 0700);
  auto needs = needs_of(script);
  for (const char* path : {"/usr", "/bin", "/lib64"}) EXPECT_TRUE(has(needs, path)) << path;
  sys::remove_file(script);
}

// This program, as if it named no interpreter.
TEST(Needs, AProgramThatIsLinkedWholeHasNothingBesideItself) {
  std::string whole = ::testing::TempDir() + "whole";
  std::string image = sys::read_file("/proc/self/exe", 64 << 20);
  image[56] = image[57] = 0; // the number of its parts
  sys::write_atomic(whole, image, 0700);
  EXPECT_EQ(needs_of(whole), std::vector<std::string>{whole});
  sys::remove_file(whole);
}

TEST(Needs, AProgramThatIsNotTheSystemsHasWhatLiesBesideIt) {
  EXPECT_TRUE(has(needs_of("/home/u/q/bin/qemu"), "/home/u/q/share/qemu"));
  EXPECT_TRUE(has(needs_of("/usr/local/bin/qemu"), "/usr/local/share"));
  EXPECT_TRUE(has(needs_of("/opt/qemu/9/bin/qemu"), "/opt/qemu"));
  EXPECT_FALSE(has(needs_of("/opt/qemu/9/bin/qemu"), "/opt"));
}

} // namespace
} // namespace banger::vmm
