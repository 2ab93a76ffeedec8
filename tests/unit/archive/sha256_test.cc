#include "archive/sha256.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "core/error.h"

namespace banger::archive {
namespace {

// FIPS 180-2, appendix B.
TEST(Sha256, KnownDigests) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesGiveTheSame) {
  Sha256 sum;
  sum.update("a");
  sum.update("");
  sum.update("bc");
  EXPECT_EQ(sum.hex(), sha256_hex("abc"));
}

TEST(Sha256, FileLongerThanItsBuffer) {
  std::string path = testing::TempDir() + "sha256_" + std::to_string(::getpid());
  std::string content(700'001, 'x');
  std::ofstream(path, std::ios::binary) << content;
  EXPECT_EQ(sha256_file(path), sha256_hex(content));
  std::filesystem::remove(path);
}

TEST(Sha256, HolesAreZerosWhereverTheyAre) {
  std::string path = testing::TempDir() + "sha256_holes_" + std::to_string(::getpid());
  constexpr size_t size = 3'000'001;
  std::string content(size, '\0');
  content.replace(1'000'000, 70'000, std::string(70'000, 'x'));
  {
    std::ofstream out(path, std::ios::binary);
    out.seekp(1'000'000) << std::string(70'000, 'x');
  }
  std::filesystem::resize_file(path, size);
  EXPECT_EQ(sha256_file(path), sha256_hex(content));
  std::filesystem::remove(path);
}

TEST(Sha256, AbsentFileIsAnErrorThatQuotesIt) {
  try {
    sha256_file("/nonexistent/part");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.message().find("'/nonexistent/part'"), std::string::npos) << e.message();
    EXPECT_EQ(e.error_number(), ENOENT);
  }
}

} // namespace
} // namespace banger::archive
