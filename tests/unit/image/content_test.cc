#include "image/content.h"

#include <algorithm>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/file.h"

namespace banger::image {
namespace {

// A tar's header with the sum that it should say, of bytes with a sign where `with_sign` is set.
std::string tar_header(const std::string& name, bool with_sign = false) {
  std::string header(512, '\0');
  std::ranges::copy(name, header.begin());
  header.replace(148, 8, 8, ' ');
  int sum = 0;
  for (char c : header) sum += with_sign ? static_cast<signed char>(c) : static_cast<uint8_t>(c);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  std::copy_n(text, 7, header.begin() + 148);
  return header;
}

TEST(Content, ATarIsToldByTheSumOfItsHeader) {
  EXPECT_TRUE(is_tar(tar_header("a")));
  EXPECT_TRUE(is_tar(tar_header("caf\xe9")));
  EXPECT_TRUE(is_tar(tar_header("caf\xe9", true)));
  EXPECT_TRUE(is_tar(tar_header("a").append(5000, 'x')));
  EXPECT_FALSE(is_tar(std::string(512, '\0')));
  EXPECT_FALSE(is_tar(tar_header("a").substr(0, 511)));
  EXPECT_FALSE(is_tar(""));
  std::string wrong = tar_header("a");
  wrong[0] = 'b';
  EXPECT_FALSE(is_tar(wrong));
}

TEST(Content, ADiskMayBeginWithAFileSystemOrABootSector) {
  const std::string zeros(2048, '\0');
  EXPECT_FALSE(may_be_disk(zeros));
  EXPECT_FALSE(may_be_disk(""));
  std::string boot = zeros, ext4 = zeros;
  boot[510] = '\x55', boot[511] = '\xaa';
  ext4[0x438] = '\x53', ext4[0x439] = '\xef';
  EXPECT_TRUE(may_be_disk(boot));
  EXPECT_TRUE(may_be_disk(ext4));
}

TEST(Content, WhatIsKnownIsToldWithWhatWouldHelp) {
  std::string path = testing::TempDir() + "/content-" + std::to_string(::getpid());
  auto told = [&](const std::string& head) {
    Fd fd = sys::open_file(path, O_RDWR | O_CREAT | O_TRUNC);
    sys::write_all(fd.get(), head);
    try {
      refuse_known(fd.get(), 0, static_cast<int64_t>(head.size()), "'it'");
    } catch (const Error& e) {
      return std::string(e.message()) + "; " + e.hint();
    }
    return std::string();
  };
  EXPECT_EQ(
      told(std::string("QFI\xfb").append(2000, '\0')),
      "cannot import 'it': it is a qcow2 disk; qemu-img convert -O raw makes a raw disk of it");
  EXPECT_EQ(told(std::string(64, 'x').append("\x7f\x10\xda\xbe").append(2000, '\0')),
            "cannot import 'it': it is a VDI disk; qemu-img convert -O raw makes a raw disk of it");
  EXPECT_EQ(told(std::string(2000, '\0')), "");
  EXPECT_EQ(told("QF"), "");
  EXPECT_EQ(told(""), "");
  sys::remove_file(path);
}

} // namespace
} // namespace banger::image
