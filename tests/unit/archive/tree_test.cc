#include "archive/tree.h"

#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/file.h"
#include "sys/process.h"

namespace banger::archive {
namespace {

// Archives as tar itself writes them.
struct Tree : testing::Test {
  std::string dir = testing::TempDir() + "/tree-" + std::to_string(::getpid());
  Fd fd;

  void SetUp() override { sys::make_dirs(dir + "/in"); }
  void TearDown() override { sys::remove_tree(dir); }

  void put(const std::string& name, std::string_view content) {
    std::ofstream(dir + "/in/" + name, std::ios::binary) << content;
  }
  TreeReader tar(std::vector<std::string> words) {
    words.insert(words.begin(), {"tar", "-C", dir + "/in", "-cf", dir + "/tar", "--sort=name"});
    sys::run_ok({words, {}, {}, false});
    fd = sys::open_file(dir + "/tar", O_RDONLY);
    return TreeReader(fd.get(), "tar");
  }
  static std::string content(TreeReader& reader) {
    std::string out;
    while (auto chunk = reader.chunk()) {
      out.resize(static_cast<size_t>(chunk->offset));
      out += chunk->data;
    }
    return out;
  }
};

TEST_F(Tree, NamesAreBytesWhateverTheyAre) {
  std::string latin = "caf\xe9", utf8 = "\xc3\xbctf";
  put(latin, "1");
  put(utf8, "2");
  for (const char* form : {"gnu", "pax", "ustar"}) {
    auto reader = tar({std::string("--format=") + form, "."});
    std::vector<std::string> names;
    while (auto entry = reader.next()) names.push_back(entry->path);
    EXPECT_EQ(names, (std::vector<std::string>{"", latin, utf8})) << form;
  }
}

TEST_F(Tree, OwnersModesTimesAndLinks) {
  put("a", "alpha");
  std::filesystem::create_hard_link(dir + "/in/a", dir + "/in/b");
  std::filesystem::create_symlink("../x", dir + "/in/c");
  auto reader = tar({"--owner=:70000", "--group=:5", "--mode=4750", "--mtime=@1000000000.5",
                     "--format=pax", "a", "b", "c"});
  auto a = reader.next();
  ASSERT_TRUE(a);
  EXPECT_EQ(a->mode, S_IFREG | 04750u);
  EXPECT_EQ(a->uid, 70'000u);
  EXPECT_EQ(a->gid, 5u);
  EXPECT_EQ(a->mtime, 1'000'000'000);
  EXPECT_EQ(a->mtime_ns, 500'000'000u);
  EXPECT_EQ(a->size, 5);
  EXPECT_EQ(content(reader), "alpha");
  auto b = reader.next();
  EXPECT_TRUE(b && b->hard_link && b->target == "a");
  auto c = reader.next();
  EXPECT_TRUE(c && !c->hard_link && S_ISLNK(c->mode) && c->target == "../x");
  EXPECT_FALSE(reader.next());
}

TEST_F(Tree, HolesAreNotRead) {
  put("sparse", "");
  std::filesystem::resize_file(dir + "/in/sparse", uintmax_t{1} << 30);
  std::ofstream(dir + "/in/sparse", std::ios::binary | std::ios::app) << "end";
  auto reader = tar({"--sparse", "--format=pax", "sparse"});
  auto entry = reader.next();
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->path, "sparse");
  EXPECT_EQ(entry->size, (int64_t{1} << 30) + 3);
  int64_t bytes = 0, end = 0;
  while (auto chunk = reader.chunk()) {
    bytes += static_cast<int64_t>(chunk->data.size());
    end = chunk->offset + static_cast<int64_t>(chunk->data.size());
  }
  EXPECT_LT(bytes, 1 << 20);
  EXPECT_EQ(end, entry->size);
}

TEST_F(Tree, WhatLeadsOutOrIsCutShortIsRefused) {
  put("file", std::string(100'000, 'x'));
  auto out = tar({"--transform=s,^,a/../../,", "file"});
  EXPECT_THROW(out.next(), Error);
  tar({"file"});
  std::filesystem::resize_file(dir + "/tar", 50'000);
  fd = sys::open_file(dir + "/tar", O_RDONLY);
  TreeReader cut(fd.get(), "tar");
  ASSERT_TRUE(cut.next());
  EXPECT_THROW(content(cut), Error);
  std::ofstream(dir + "/tar") << "no archive at all";
  fd = sys::open_file(dir + "/tar", O_RDONLY);
  EXPECT_THROW(TreeReader(fd.get(), "tar").next(), Error);
}

} // namespace
} // namespace banger::archive
