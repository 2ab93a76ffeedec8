#include "disk/ext4_files.h"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/text.h"
#include "disk/ext4.h"
#include "disk/work.h"
#include "sys/file.h"
#include "sys/process.h"

namespace banger::disk {

namespace {

constexpr int64_t MiB = int64_t{1} << 20;
using Mode = Ext4Files::Mode;

FileMeta meta(mode_t mode, uint32_t uid = 0, uint32_t gid = 0, int64_t mtime = 1'000'000'000) {
  FileMeta m;
  m.mode = mode;
  m.uid = uid;
  m.gid = gid;
  m.mtime = mtime;
  return m;
}

struct Ext4FilesTest : testing::Test {
  std::string dir = testing::TempDir() + "/ext4-files-" + std::to_string(::getpid());
  std::string image = dir + "/image";

  void SetUp() override {
    sys::make_dirs(dir);
    make_ext4(image, 32 * MiB, "test");
  }
  void TearDown() override { sys::remove_tree(dir); }

  // e2fsck's own word: the judge is not the library that wrote it.
  static std::string check(const std::string& path) {
    auto result = sys::run({{e2fs_program("e2fsck"), "-fn", path}, {}, {}, false});
    return result.status.ok() ? "" : result.out;
  }
  std::string debugfs(const std::string& request, const std::string& path) {
    return sys::run_ok({{e2fs_program("debugfs"), "-R", request, path}, {}, {}, false});
  }
};

std::string what(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.message();
  }
  return {};
}

} // namespace

TEST_F(Ext4FilesTest, WhatIsWrittenIsThereAndTheFileSystemIsWhole) {
  std::string big(3 * MiB, '\0');
  for (size_t i = 0; i < MiB; i++) big[i] = static_cast<char>('a' + i % 7); // then a hole
  big[big.size() - 1] = 'z';
  {
    Ext4Files fs(image, Mode::write);
    fs.make_dir("", meta(S_IFDIR | 0711, 3, 4));
    fs.make_file("etc/deep/er/file", meta(04755, 70'000, 80'000, 5'000'000'000), "hello");
    fs.make_file("big", meta(0600), big);
    fs.make_link("link", meta(S_IFLNK, 5, 6), "etc/deep");
    fs.make_link("long", meta(S_IFLNK), std::string(200, 'x'));
    fs.make_hard_link("again", "link/er/file");
    fs.make_node("null", meta(S_IFCHR | 0666), 1, 3);
    fs.make_node("wide", meta(S_IFBLK | 0660), 259, 70'000);
    fs.make_node("pipe", meta(S_IFIFO | 0600), 0, 0);
    FileMeta with = meta(0755);
    with.attributes = {{"user.note", "a note"},
                       {"security.capability", std::string("\1\0\0\2\0\40", 6)}};
    fs.make_file("capable", with, "");
    for (int i = 0; i < 600; i++) // more than a block of names
      fs.make_file("many/a-rather-long-name-of-a-file-" + std::to_string(i), meta(0644), "x");
    fs.finish();
  }
  EXPECT_EQ(check(image), "");
  EXPECT_LT(sys::find_info(image)->allocated, 8 * MiB);

  Ext4Files fs(image, Mode::read);
  EXPECT_EQ(fs.find("")->meta, meta(S_IFDIR | 0711, 3, 4));
  auto file = fs.find("/etc/deep/er/file");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->meta, meta(S_IFREG | 04755, 70'000, 80'000, 5'000'000'000));
  EXPECT_EQ(file->links, 2);
  EXPECT_EQ(fs.find("again")->inode, file->inode);
  EXPECT_EQ(fs.read("link/er/file", 100), "hello");
  EXPECT_EQ(fs.read("big", 4 * MiB), big);
  EXPECT_EQ(fs.find_link("link")->meta, meta(S_IFLNK | 0777, 5, 6));
  EXPECT_EQ(fs.find("etc/deep")->meta, meta(S_IFDIR | 0755, 0, 0, 0));
  EXPECT_FALSE(fs.find("long"));
  EXPECT_FALSE(fs.find("no/such"));
  EXPECT_FALSE(fs.find("big/below"));
  EXPECT_EQ(fs.list("many").size(), 600u);
  EXPECT_NE(debugfs("stat null", image).find("Device major/minor number: 01:03"),
            std::string::npos);
  EXPECT_NE(debugfs("stat wide", image).find("Device major/minor number: 259:70000"),
            std::string::npos);
  EXPECT_NE(debugfs("ea_list capable", image).find("user.note (6) = \"a note\""),
            std::string::npos);
}

TEST_F(Ext4FilesTest, WhatIsThereIsReplacedAndItsRoomIsFree) {
  {
    Ext4Files fs(image, Mode::write);
    for (int i = 0; i < 20; i++) // 60 MiB in all would not fit
      fs.make_file("file", meta(0600), std::string(3 * MiB, 'x'));
    fs.make_link("file", meta(S_IFLNK), "elsewhere");
    fs.make_file("file", meta(0644), "last");
    fs.make_dir("dir", meta(S_IFDIR | 0700));
    fs.make_file("dir/kept", meta(0644), "kept");
    fs.make_dir("dir", meta(S_IFDIR | 0755, 1, 1));
    fs.make_link("alias", meta(S_IFLNK), "/dir");
    fs.make_dir("alias", meta(S_IFDIR | 0755));
    fs.make_file("alias/new", meta(0644), "new");
    EXPECT_NE(what([&] { fs.make_file("dir", meta(0644), ""); }), "");
    EXPECT_NE(what([&] { fs.make_file("file/x", meta(0644), ""); }), "");
    EXPECT_NE(what([&] { fs.make_file("..", meta(0644), ""); }), "");
    EXPECT_NE(what([&] { fs.make_file(std::string(256, 'n'), meta(0644), ""); }), "");
    EXPECT_NE(what([&] { fs.make_hard_link("x", "dir"); }), "");
    EXPECT_NE(what([&] { fs.make_hard_link("x", "absent"); }), "");
    fs.remove_file("absent");
    fs.finish();
  }
  EXPECT_EQ(check(image), "");
  Ext4Files fs(image, Mode::read);
  EXPECT_EQ(fs.read("file", 100), "last");
  EXPECT_EQ(fs.read("dir/kept", 100), "kept");
  EXPECT_EQ(fs.read("dir/new", 100), "new");
  EXPECT_EQ(fs.find("dir")->meta.uid, 1u);
  EXPECT_NE(what([&] { fs.read("file", 3); }), "");
}

// Seconds of this thread that WORK takes, the least of a few: what others do does not count.
double seconds(const std::function<void()>& work) {
  double least = 1e9;
  for (int i = 0; i < 2; i++) {
    timespec begin, end;
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    work();
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    least = std::min(least, static_cast<double>(end.tv_sec - begin.tv_sec) +
                                static_cast<double>(end.tv_nsec - begin.tv_nsec) / 1e9);
  }
  return least;
}

TEST_F(Ext4FilesTest, ManyNamesInADirectoryCostAsMuchAsTheyAreMany) {
  auto fill = [&](int count, const std::function<void(Ext4Files&, const std::string&)>& make) {
    return seconds([&] {
      sys::remove_file(image);
      make_ext4(image, 128 * MiB, "test");
      Ext4Files fs(image, Mode::write);
      for (int i = 0; i < count; i++) make(fs, std::to_string(i));
      fs.finish();
    });
  };
  using Make = std::function<void(Ext4Files&, const std::string&)>;
  const std::map<std::string, Make> ways{
      {"files",
       [](Ext4Files& fs, const std::string& n) { fs.make_file("d/" + n, meta(0644), ""); }},
      {"at the top", [](Ext4Files& fs, const std::string& n) { fs.make_file(n, meta(0644), ""); }},
      {"links",
       [](Ext4Files& fs, const std::string& n) { fs.make_link("d/" + n, meta(S_IFLNK), "x"); }},
      {"other names",
       [](Ext4Files& fs, const std::string& n) {
         if (n == "0") fs.make_file("f", meta(0644), "");
         fs.make_hard_link("d/" + n, "f");
       }},
      {"directories with a file each",
       [](Ext4Files& fs, const std::string& n) { fs.make_file("d/" + n + "/f", meta(0644), ""); }},
      {"files that are replaced", [](Ext4Files& fs, const std::string& n) {
         fs.make_file("d/" + n, meta(0644), "");
         if (n.size() > 3) fs.make_file("d/" + n.substr(1), meta(0644), "");
       }}};
  for (const auto& [name, make] : ways) {
    // Four times as many cost four times as much, and sixteen times if each is compared with all.
    double few = fill(2'000, make), many = fill(8'000, make);
    EXPECT_LT(many, 8 * few) << name << ": " << few << " and " << many << " s";
  }
  EXPECT_EQ(check(image), "");
}

TEST_F(Ext4FilesTest, WhatIsReplacedInALargeDirectoryLeavesItWhole) {
  {
    Ext4Files fs(image, Mode::write);
    for (int round = 0; round < 3; round++)
      for (int i = 0; i < 1500; i++)
        fs.make_file("d/" + std::to_string(i) + std::string(static_cast<size_t>(i % 50), 'n'),
                     meta(0644), std::to_string(round));
    for (int i = 0; i < 1500; i += 2)
      fs.remove_file("d/" + std::to_string(i) + std::string(static_cast<size_t>(i % 50), 'n'));
    fs.finish();
  }
  EXPECT_EQ(check(image), "");
  {
    // By somebody else's hand later.
    Ext4Files fs(image, Mode::write);
    fs.make_file("d/0", meta(0644), "again");
    fs.finish();
  }
  EXPECT_EQ(check(image), "");
  Ext4Files fs(image, Mode::read);
  EXPECT_EQ(fs.list("d").size(), 751u);
  EXPECT_EQ(fs.read("d/1n", 10), "2");
  EXPECT_EQ(fs.read("d/0", 10), "again");
}

TEST_F(Ext4FilesTest, DirectoriesOfOtherFormsAreWrittenToo) {
  // mke2fs makes an index of a large one, and keeps small ones in their inodes.
  std::string tree = dir + "/tree";
  sys::make_dirs(tree + "/large");
  sys::make_dirs(tree + "/small");
  for (int i = 0; i < 1000; i++)
    std::ofstream(tree + "/large/a-name-that-takes-some-room-" + std::to_string(i));
  using Form = std::pair<const char*, const char*>; // features, size of a block
  for (auto [features, block] :
       {Form{"dir_index", "1024"}, Form{"dir_index", "4096"}, Form{"inline_data", "4096"},
        Form{"^metadata_csum", "1024"}, Form{"casefold", "4096"}}) {
    std::string path = dir + "/" + features + block;
    sys::run_ok({{e2fs_program("mke2fs"), "-q", "-t", "ext4", "-b", block, "-I", "256", "-O",
                  features, "-d", tree, path, "32M"},
                 {},
                 {},
                 false});
    sys::run({{e2fs_program("e2fsck"), "-fyD", path}, {}, {}, false}); // with its indexes
    {
      Ext4Files fs(path, Mode::write);
      for (const char* in : {"large/", "small/", "", "new/"})
        for (int i = 0; i < 100; i++)
          fs.make_file(in + std::string("file-") + std::to_string(i), meta(0644), "x");
      fs.make_file("large/a-name-that-takes-some-room-7", meta(0644), "replaced");
      fs.finish();
    }
    EXPECT_EQ(check(path), "") << path;
    Ext4Files fs(path, Mode::read);
    EXPECT_EQ(fs.list("large").size(), 1100u) << path;
    EXPECT_EQ(fs.list("small").size(), 100u) << path;
    EXPECT_EQ(fs.read("large/a-name-that-takes-some-room-7", 10), "replaced") << path;
  }
}

TEST_F(Ext4FilesTest, PathsAreAsLongAsLinuxTakesThem) {
  Ext4Files fs(image, Mode::write);
  std::string deep = "a";
  for (int i = 1; i < 2048; i++) deep += "/a";
  fs.make_file(deep, meta(0644), "deep");
  EXPECT_EQ(fs.read(deep, 10), "deep");
  std::string error = what([&] { fs.make_file(deep + "/b", meta(0644), ""); });
  EXPECT_NE(error.find("longer than 4095 bytes"), std::string::npos) << error;
  EXPECT_LT(error.size(), 500u);
  fs.finish();
  EXPECT_EQ(check(image), "");
}

TEST_F(Ext4FilesTest, AccessListsSurviveACopy) {
  using Tag = AclEntry::Tag;
  std::string list = acl_attribute({{Tag::mask, 6, {}},
                                    {Tag::owner, 6, {}},
                                    {Tag::user, 4, 1234},
                                    {Tag::group_of_file, 4, {}},
                                    {Tag::other, 0, {}}});
  FileMeta with = meta(S_IFREG | 0660);
  with.attributes = {{access_acl, list}};
  FileMeta dir_with = meta(S_IFDIR | 0755);
  dir_with.attributes = {{default_acl, list}};
  {
    Ext4Files fs(image, Mode::write);
    fs.make_file("root/file", with, "x");
    fs.make_dir("root/dir", dir_with);
    fs.finish();
  }
  EXPECT_EQ(check(image), "");
  std::string work = dir + "/work";
  make_work({image, "/root", work, 16 * MiB});
  EXPECT_EQ(check(work), "");
  for (auto [name, path] :
       {std::pair("root/file", image), {"root/dir", image}, {"file", work}, {"dir", work}})
    EXPECT_NE(debugfs(std::string("ea_list ") + name, path).find("posix_acl_"), std::string::npos)
        << name;
}

TEST_F(Ext4FilesTest, AFullFileSystemSaysSo) {
  Ext4Files fs(image, Mode::write);
  EXPECT_THROW(fs.make_file("big", meta(0600), std::string(40 * MiB, 'x')), Ext4Full);
}

TEST_F(Ext4FilesTest, AWorkDiskIsWhatTheImageHasThere) {
  {
    Ext4Files fs(image, Mode::write);
    fs.make_dir("root", meta(S_IFDIR | 0700, 0, 0, 42));
    fs.make_dir("root/sub", meta(S_IFDIR | 01777, 7, 8, 43));
    FileMeta with = meta(0640, 7, 8, 44);
    with.attributes = {{"user.note", "kept"}};
    fs.make_file("root/sub/file", with, "content");
    fs.make_hard_link("root/other", "root/sub/file");
    fs.make_link("root/link", meta(S_IFLNK, 9, 9, 45), "../etc/passwd");
    fs.make_node("root/wide", meta(S_IFBLK | 0660), 259, 70'000);
    fs.make_node("root/null", meta(S_IFCHR | 0666), 1, 3);
    fs.make_file("etc/passwd", meta(0644), "outside");
    fs.finish();
  }
  std::string work = dir + "/work";
  make_work({image, "/root", work, 16 * MiB});
  EXPECT_EQ(check(work), "");
  EXPECT_EQ(sys::find_info(work)->mode, 0600u);
  Ext4Files fs(work, Mode::read);
  EXPECT_EQ(fs.list(""),
            (std::vector<std::string>{"link", "lost+found", "null", "other", "sub", "wide"}));
  EXPECT_EQ(fs.find("")->meta, meta(S_IFDIR | 0700, 0, 0, 42));
  EXPECT_EQ(fs.find("sub")->meta, meta(S_IFDIR | 01777, 7, 8, 43));
  EXPECT_EQ(fs.find("sub/file")->meta, meta(S_IFREG | 0640, 7, 8, 44));
  EXPECT_EQ(fs.find("other")->inode, fs.find("sub/file")->inode);
  EXPECT_EQ(fs.read("other", 100), "content");
  EXPECT_EQ(fs.find_link("link")->meta, meta(S_IFLNK | 0777, 9, 9, 45));
  for (const char* name : {"null", "wide"})
    EXPECT_EQ(last_lines(debugfs(std::string("stat ") + name, work), 1),
              last_lines(debugfs(std::string("stat /root/") + name, image), 1));
  EXPECT_NE(debugfs("ea_list other", work).find("user.note (4) = \"kept\""), std::string::npos);
}

TEST_F(Ext4FilesTest, AWorkDiskWithoutAPlaceInTheImageIsEmptyAndOneTooSmallIsRefused) {
  std::string work = dir + "/work";
  make_work({image, "/srv/data", work, 16 * MiB});
  EXPECT_EQ(check(work), "");
  Ext4Files empty(work, Mode::read);
  EXPECT_EQ(empty.list(""), std::vector<std::string>{"lost+found"});
  EXPECT_EQ(empty.find("")->meta.mode, S_IFDIR | 0755u);
  {
    Ext4Files fs(image, Mode::write);
    fs.make_file("root/big", meta(0600), std::string(14 * MiB, 'x'));
    fs.finish();
  }
  sys::remove_file(work);
  EXPECT_THROW(make_work({image, "/root", work, 16 * MiB}), Error);
  EXPECT_FALSE(sys::exists(work));
}

TEST(WorkMount, OnlyPlainPlacesBelowTheRoot) {
  EXPECT_EQ(valid_work_mount("/root"), "/root");
  EXPECT_EQ(valid_work_mount("//srv/./data/"), "/srv/data");
  EXPECT_EQ(valid_work_mount("/device"), "/device");
  for (const std::string& bad :
       std::vector<std::string>{"", "root", "/", "//.", "/a/../b", "/dev", "/proc/x", "/sys",
                                "/run", "/a\nb", "/" + std::string(300, 'x')})
    EXPECT_THROW(valid_work_mount(bad), Error) << bad;
}

} // namespace banger::disk
