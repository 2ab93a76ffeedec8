#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "archive/reader.h"
#include "archive/writer.h"
#include "core/error.h"

namespace banger::archive {
namespace {

class Package : public testing::Test {
protected:
  std::string path = testing::TempDir() + "package_" + std::to_string(::getpid()) + "_" +
                     testing::UnitTest::GetInstance()->current_test_info()->name();
  void TearDown() override { std::filesystem::remove(path); }

  void store(const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }
  // A Debian package around a tar.
  static std::string package(const std::string& tar, const std::string& member = "data.tar") {
    auto one = [](const std::string& name, const std::string& data) {
      char header[61];
      snprintf(header, sizeof header, "%-16s%-12d%-6d%-6d%-8o%-10zu`\n", name.c_str(), 0, 0, 0,
               0100644, data.size());
      return header + data + (data.size() % 2 ? "\n" : "");
    };
    return "!<arch>\n" + one("debian-binary", "2.0\n") + one(member, tar);
  }
};

std::string tar_of(const std::string& name, mode_t mode, const std::string& content) {
  std::string out;
  Writer tar([&](std::string_view data) { out += data; }, TarForm::pax);
  TreeEntry entry;
  entry.path = name;
  entry.mode = mode;
  entry.size = static_cast<int64_t>(content.size());
  entry.data = {{0, entry.size}};
  tar.entry(entry);
  tar.chunk({0, content});
  tar.finish();
  return out;
}

TEST_F(Package, PackagesGiveTheirFiles) {
  std::string big(200'000, 'b');
  store(package(tar_of("./usr/bin/ő", S_IFREG | 0755, big)));
  Reader tar = Reader::of_package(path);
  auto entry = tar.next();
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->path, "usr/bin/ő") << "names are kept in the C locale too";
  EXPECT_EQ(entry->mode, S_IFREG | 0755u);
  EXPECT_TRUE(tar.content() == big);
  EXPECT_FALSE(tar.next());
}

TEST_F(Package, WhatIsNoPackageIsRefused) {
  store("garbage");
  EXPECT_THROW(Reader::of_package(path), Error);
  store(package("", "control.tar"));
  EXPECT_THROW(Reader::of_package(path), Error);
  EXPECT_THROW(Reader::of_package(path + ".absent"), Error);
}

TEST_F(Package, EntriesThatLeadOutAreRefused) {
  store(package(tar_of("a/../../etc/passwd", S_IFREG | 0644, "x")));
  Reader tar = Reader::of_package(path);
  EXPECT_THROW(tar.next(), Error);
}

TEST_F(Package, OneCutOffIsAnError) {
  std::string whole = package(tar_of("a", S_IFREG | 0644, std::string(100'000, 'a')));
  store(whole.substr(0, 50'000));
  Reader tar = Reader::of_package(path);
  // Where it is met depends on how much is read ahead; a content is never given.
  EXPECT_THROW(
      {
        ASSERT_TRUE(tar.next());
        tar.content();
      },
      Error);
}

TEST_F(Package, AContentIsNoLargerThanAskedFor) {
  store(package(tar_of("a", S_IFREG | 0644, std::string(1000, 'a'))));
  Reader tar = Reader::of_package(path);
  ASSERT_TRUE(tar.next());
  EXPECT_THROW(tar.content(999), Error);
}

TEST(Writer, WhatTheSinkThrowsComesOut) {
  Writer tar([](std::string_view) { throw failed("the pipe broke"); }, TarForm::pax);
  try {
    for (int i = 0; i < 100; i++) {
      TreeEntry entry;
      entry.path = std::to_string(i);
      entry.mode = S_IFREG | 0644;
      entry.size = 10'000;
      entry.data = {{0, entry.size}};
      tar.entry(entry);
      tar.chunk({0, std::string(10'000, 'x')});
    }
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "the pipe broke");
  }
}

} // namespace
} // namespace banger::archive
