#include "archive/tar.h"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/handle.h"
#include "sys/file.h"

namespace banger::archive {
namespace {

class Tar : public testing::Test {
protected:
  std::string path = testing::TempDir() + "tar_" + std::to_string(::getpid()) + "_" +
                     testing::UnitTest::GetInstance()->current_test_info()->name();
  void TearDown() override { std::filesystem::remove(path); }

  void store(const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }
  TarReader reader() {
    fd = sys::open_file(path, O_RDONLY);
    return TarReader::of_stream(fd.get(), path);
  }
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
  Fd fd;
};

std::string tar_of(const std::function<void(TarWriter&)>& write, int64_t newest = 1000) {
  std::string out;
  TarWriter tar([&](std::string_view data) { out += data; }, newest);
  write(tar);
  tar.finish();
  return out;
}

TEST_F(Tar, WhatWasWrittenIsRead) {
  std::string big(200'000, 'b');
  store(tar_of([&](TarWriter& tar) {
    tar.add("etc", S_IFDIR | 0755, "");
    tar.add("etc/ő", S_IFREG | 0640, big);
    tar.add("etc/link", S_IFLNK | 0777, "/somewhere/else");
    EXPECT_TRUE(tar.has("etc/ő"));
    EXPECT_FALSE(tar.has("ő"));
  }));
  TarReader tar = reader();
  auto dir = tar.next();
  ASSERT_TRUE(dir);
  EXPECT_EQ(dir->path, "etc");
  EXPECT_EQ(dir->mode, S_IFDIR | 0755u);
  auto file = tar.next();
  ASSERT_TRUE(file);
  EXPECT_EQ(file->path, "etc/ő") << "names are kept in the C locale too";
  EXPECT_EQ(file->mode, S_IFREG | 0640u);
  EXPECT_TRUE(tar.content() == big);
  auto link = tar.next();
  ASSERT_TRUE(link);
  EXPECT_EQ(link->target, "/somewhere/else");
  EXPECT_FALSE(tar.next());
}

TEST_F(Tar, CopiesKeepContentAndLimitTimes) {
  store(tar_of(
      [](TarWriter& tar) {
        tar.add("a", S_IFREG | 0600, "alpha");
        tar.add("b", S_IFREG | 0600, "beta");
      },
      5000));
  TarReader from = reader();
  std::string copy = tar_of(
      [&](TarWriter& tar) {
        from.next();
        tar.copy(from, "usr/a");
        from.next();
        tar.copy(from, "usr/b", "replaced");
      },
      3000);
  std::string other = path;
  store(copy);
  struct ::archive* a = archive_read_new();
  archive_read_support_format_tar(a);
  ASSERT_EQ(archive_read_open_filename(a, path.c_str(), 10240), ARCHIVE_OK);
  archive_entry* e;
  std::map<std::string, std::string> found;
  while (archive_read_next_header(a, &e) == ARCHIVE_OK) {
    EXPECT_EQ(archive_entry_mtime(e), 3000);
    std::string data(static_cast<size_t>(archive_entry_size(e)), '\0');
    archive_read_data(a, data.data(), data.size());
    found[archive_entry_pathname(e)] = data;
  }
  archive_read_free(a);
  EXPECT_EQ(found, (std::map<std::string, std::string>{{"usr/a", "alpha"}, {"usr/b", "replaced"}}));
}

TEST_F(Tar, PackagesGiveTheirFiles) {
  store(package(tar_of([](TarWriter& tar) { tar.add("./usr/bin/x", S_IFREG | 0755, "x"); })));
  TarReader tar = TarReader::of_package(path);
  auto entry = tar.next();
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->path, "usr/bin/x");
  EXPECT_EQ(tar.content(), "x");
  EXPECT_FALSE(tar.next());
}

TEST_F(Tar, WhatIsNoPackageIsRefused) {
  store("garbage");
  EXPECT_THROW(TarReader::of_package(path), Error);
  store(package("", "control.tar"));
  EXPECT_THROW(TarReader::of_package(path), Error);
  EXPECT_THROW(TarReader::of_package(path + ".absent"), Error);
}

TEST_F(Tar, EntriesThatLeadOutAreRefused) {
  store(tar_of([](TarWriter& tar) { tar.add("a/../../etc/passwd", S_IFREG | 0644, "x"); }));
  TarReader tar = reader();
  EXPECT_THROW(tar.next(), Error);
}

TEST_F(Tar, ATarCutOffIsAnError) {
  std::string whole =
      tar_of([](TarWriter& tar) { tar.add("a", S_IFREG | 0644, std::string(100'000, 'a')); });
  store(whole.substr(0, 50'000));
  TarReader tar = reader();
  ASSERT_TRUE(tar.next());
  EXPECT_THROW(tar.content(), Error);
}

TEST_F(Tar, WhatTheSinkThrowsComesOut) {
  TarWriter tar([](std::string_view) { throw failed("the pipe broke"); }, 0);
  try {
    for (int i = 0; i < 100; i++)
      tar.add(std::to_string(i), S_IFREG | 0644, std::string(10'000, 'x'));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "the pipe broke");
  }
}

} // namespace
} // namespace banger::archive
