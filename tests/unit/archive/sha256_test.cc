#include "archive/sha256.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "core/clock.h"
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

class DataSha256 : public testing::Test {
protected:
  ~DataSha256() override { std::filesystem::remove(path); }
  // Of a file of `size` bytes that has `data` at `offset`, and zeros otherwise: holes, or written.
  std::string digest(size_t size, size_t offset, const std::string& data, bool holes) {
    std::filesystem::remove(path);
    {
      std::ofstream out(path, std::ios::binary);
      if (!holes) out << std::string(size, '\0');
      out.seekp(static_cast<std::streamoff>(offset)) << data;
    }
    std::filesystem::resize_file(path, size);
    return sha256_of_data(path);
  }
  std::string path = testing::TempDir() + "sha256_data_" + std::to_string(::getpid());
};

// What a program of six lines in another language gives.
TEST_F(DataSha256, KnownDigests) {
  EXPECT_EQ(digest(3, 0, "abc", true),
            "5b3cde30cb135a3cea6fab51bbad89df3ca1b568fce7dfaf72010c0d462840e0");
  EXPECT_EQ(digest(3'000'001, 1'000'000, std::string(70'000, 'x'), true),
            "f7e201f96825b2d15ace2c7c35baf680072481a9ad61d7099260651709438320");
}

TEST_F(DataSha256, IsOfTheContentAndNotOfItsHoles) {
  for (size_t size : {8'192, 20'000, 600'000})
    for (size_t offset : {0, 1, 4'095, 4'096, 5'000}) {
      std::string data = "x" + std::string(2'000, '\0') + "y";
      EXPECT_EQ(digest(size, offset, data, true), digest(size, offset, data, false))
          << size << " " << offset;
    }
}

TEST_F(DataSha256, AnyByteItsPlaceAndTheSizeCount) {
  std::set<std::string> all;
  size_t count = 0;
  for (size_t size : {20'000, 20'001})
    for (size_t offset : {0, 1, 4'096, 8'192, 19'999})
      for (const char* data : {"x", "y"}) {
        all.insert(digest(size, offset, data, true));
        count++;
      }
  for (size_t size : {0, 1, 4'096, 20'000}) {
    all.insert(digest(size, 0, "", true));
    count++;
  }
  EXPECT_EQ(all.size(), count);
}

// It would take a quarter of an hour to count its zeros.
TEST_F(DataSha256, HolesCostNothing) {
  auto began = steady_now();
  digest(size_t{1} << 40, size_t{1} << 39, "x", true);
  EXPECT_LT(steady_now() - began, std::chrono::seconds(20));
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
