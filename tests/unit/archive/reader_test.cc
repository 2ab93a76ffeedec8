#include "archive/reader.h"

#include <cstring>
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
  Reader tar(std::vector<std::string> words) {
    words.insert(words.begin(), {"tar", "-C", dir + "/in", "-cf", dir + "/tar", "--sort=name"});
    sys::run_ok({words, {}, {}, false});
    fd = sys::open_file(dir + "/tar", O_RDONLY);
    return Reader::of_file(fd.get(), "tar");
  }
  static std::string content(Reader& reader) {
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
  Reader cut = Reader::of_file(fd.get(), "tar");
  ASSERT_TRUE(cut.next());
  EXPECT_THROW(content(cut), Error);
  std::ofstream(dir + "/tar") << "no archive at all";
  fd = sys::open_file(dir + "/tar", O_RDONLY);
  EXPECT_THROW(Reader::of_file(fd.get(), "tar").next(), Error);
}

// A tar of three files, each of which takes two blocks.
struct Cut : Tree {
  std::string whole;
  void SetUp() override {
    Tree::SetUp();
    for (const char* name : {"a", "b", "c"}) put(name, name);
    tar({"--format=ustar", "a", "b", "c"});
    whole = sys::read_file(dir + "/tar");
  }
  // The entries that come out of it, packed by PROGRAM and cut to SIZE bytes; -1: an error.
  int entries(const std::string& bytes, const std::string& program = "",
              std::optional<size_t> size = {}) {
    sys::write_atomic(dir + "/cut", bytes);
    if (!program.empty())
      sys::run_ok({{"sh", "-c", program + " <" + dir + "/cut >" + dir + "/packed"}, {}, {}, false});
    std::string packed = sys::read_file(dir + (program.empty() ? "/cut" : "/packed"));
    if (size) packed.resize(packed.size() - *size);
    sys::write_atomic(dir + "/cut", packed);
    fd = sys::open_file(dir + "/cut", O_RDONLY);
    try {
      Reader reader = Reader::of_file(fd.get(), "cut");
      int count = 0;
      while (reader.next()) count++;
      return count;
    } catch (const Error& e) {
      EXPECT_EQ(e.message().find("unknown"), std::string::npos) << e.message();
      EXPECT_GT(e.message().size(), std::string("cannot read 'cut': ").size());
      return -1;
    }
  }
};

TEST_F(Cut, WhereverATarIsCutItIsRefused) {
  EXPECT_EQ(entries(whole), 3);
  for (size_t size = 1; size <= 3 * 1024; size++) {
    if (size % 512 >= 2 && size % 512 <= 510) continue;
    EXPECT_EQ(entries(whole.substr(0, size)), -1) << size;
  }
  // One block of zeros marks the end.
  EXPECT_EQ(entries(whole.substr(0, 3 * 1024 + 512)), 3);
}

TEST_F(Cut, WhereverItsPackingIsCutItIsRefused) {
  for (std::string program : {"gzip", "xz", "bzip2", "zstd -q"}) {
    EXPECT_EQ(entries(whole, program), 3) << program;
    for (size_t missing : {1, 4, 8, 20, 60})
      EXPECT_EQ(entries(whole, program, missing), -1) << program << missing;
    // Whole as far as the packing goes.
    EXPECT_EQ(entries(whole.substr(0, 2 * 1024), program), -1) << program;
  }
}

TEST_F(Cut, NothingButZerosFollowsTheEnd) {
  EXPECT_EQ(entries(whole + std::string(300'000, '\0')), 3);
  EXPECT_EQ(entries(whole + whole), -1);
  EXPECT_EQ(entries(whole + std::string(300'000, '\0') + whole), -1);
  EXPECT_EQ(entries(whole + whole, "gzip"), -1);
}

TEST_F(Tree, PathsAreAsLongAsLinuxTakesThem) {
  auto deep = [&](size_t parts) {
    std::string path;
    for (size_t i = 1; i < parts; i++) path += "a/";
    return path + "a";
  };
  put("file", "x");
  for (size_t parts : {size_t{2048}, size_t{2049}, size_t{12'000}}) {
    // GNU tar itself makes no longer ones; pax's header does.
    std::string path = deep(parts);
    std::string tar;
    auto add_header = [&](char type, const std::string& name, const std::string& content) {
      std::string block(512, '\0');
      block.replace(0, name.size(), name);
      std::snprintf(block.data() + 100, 8, "%07o", 0644);
      std::snprintf(block.data() + 124, 12, "%011zo", content.size());
      block[156] = type;
      block.replace(257, 8,
                    std::string("ustar\0"
                                "00",
                                8));
      std::memset(block.data() + 148, ' ', 8);
      unsigned sum = 0;
      for (char c : block) sum += static_cast<unsigned char>(c);
      std::snprintf(block.data() + 148, 8, "%06o", sum);
      tar += block + content + std::string((512 - content.size() % 512) % 512, '\0');
    };
    std::string record = " path=" + path + "\n";
    size_t length = record.size();
    while (std::to_string(length).size() + record.size() != length)
      length = std::to_string(length).size() + record.size();
    add_header('x', "pax", std::to_string(length) + record);
    add_header('0', "short", "x");
    tar += std::string(1024, '\0');
    sys::write_atomic(dir + "/tar", tar);
    fd = sys::open_file(dir + "/tar", O_RDONLY);
    Reader reader = Reader::of_file(fd.get(), "tar");
    if (parts == 2048) {
      EXPECT_EQ(reader.next()->path, path);
      continue;
    }
    try {
      reader.next();
      ADD_FAILURE() << parts;
    } catch (const Error& e) {
      EXPECT_NE(e.message().find("path is too long"), std::string::npos) << e.message();
      EXPECT_NE(e.hint().find("4095 bytes"), std::string::npos) << e.hint();
      EXPECT_LT(e.message().size(), 300u);
    }
  }
}

} // namespace
} // namespace banger::archive
