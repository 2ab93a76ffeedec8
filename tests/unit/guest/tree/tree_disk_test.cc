#include "guest/tree/tree_disk.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/file.h"
#include "sys/process.h"

namespace banger::guest {
namespace {

enum class Type { directory, file, symlink, hard_link };
using Way = DiskSink::Way;

class DiskSinkTest : public ::testing::Test {
protected:
  void SetUp() override {
    dir_ = fmt::format("{}/banger-tree-{}", ::testing::TempDir(), ::getpid());
    sys::remove_tree(dir_);
    sys::make_dirs(dir_ + "/outside");
    sys::make_dirs(dir_ + "/to");
    sys::write_atomic(dir_ + "/outside/file", "mine");
  }
  void TearDown() override { sys::remove_tree(dir_); }

  static TreeEntry make(Type type, std::string path, std::string target = {}) {
    TreeEntry e;
    e.hard_link = type == Type::hard_link;
    e.path = std::move(path);
    e.target = std::move(target);
    e.mode = type == Type::directory ? S_IFDIR | 0755
             : type == Type::symlink ? S_IFLNK | 0644
                                     : S_IFREG | 0644;
    return e;
  }
  static void put(TreeSink& sink, const std::string& path, std::string_view data) {
    TreeEntry e = make(Type::file, path);
    e.size = static_cast<int64_t>(data.size());
    if (!data.empty()) e.data = {{0, e.size}};
    sink.entry(e);
    sink.data(data);
  }
  std::string to() const { return dir_ + "/to"; }
  // Nothing outside of the target has changed.
  void expect_untouched() const {
    EXPECT_EQ(sys::list_dir(dir_ + "/outside"), std::vector<std::string>{"file"});
    EXPECT_EQ(sys::read_file(dir_ + "/outside/file"), "mine");
  }
  std::string dir_;
};

TEST_F(DiskSinkTest, ATreeStandsOnceItIsFinished) {
  DiskSink sink(to(), "tree", Way::fresh);
  sink.entry(make(Type::directory, ""));
  sink.entry(make(Type::directory, "sub"));
  put(sink, "sub/a", "hello");
  EXPECT_FALSE(sys::exists(to() + "/tree"));
  sink.finish();
  EXPECT_EQ(sys::read_file(to() + "/tree/sub/a"), "hello");
  EXPECT_EQ(sys::list_dir(to()), std::vector<std::string>{"tree"});
}

TEST_F(DiskSinkTest, OfWhatIsNotFinishedNothingStays) {
  sys::write_atomic(to() + "/file", "before");
  {
    DiskSink tree(to(), "tree", Way::fresh);
    tree.entry(make(Type::directory, ""));
    put(tree, "a", "hello");
    DiskSink file(to(), "file", Way::fresh);
    put(file, "", "half");
    DiskSink merged(to(), ".", Way::merge);
    merged.entry(make(Type::directory, ""));
    put(merged, "file", "half");
  }
  EXPECT_EQ(sys::list_dir(to()), std::vector<std::string>{"file"});
  EXPECT_EQ(sys::read_file(to() + "/file"), "before");
}

TEST_F(DiskSinkTest, AFileReplacesAFileAndALinkItself) {
  sys::make_symlink(dir_ + "/outside/file", to() + "/link");
  DiskSink sink(to(), "link", Way::fresh);
  put(sink, "", "new");
  sink.finish();
  EXPECT_EQ(sys::read_file(to() + "/link"), "new");
  expect_untouched();
}

TEST_F(DiskSinkTest, NothingGoesThroughALinkOfTheTree) {
  for (const char* target : {"../../outside", "..", "/", "."}) {
    DiskSink sink(to(), "tree", Way::fresh);
    sink.entry(make(Type::directory, ""));
    sink.entry(make(Type::symlink, "l", target));
    EXPECT_THROW(put(sink, "l/x", "x"), Error);
    EXPECT_THROW(put(sink, "l/l/x", "x"), Error);
    EXPECT_THROW(sink.entry(make(Type::directory, "l")), Error);
    EXPECT_THROW(sink.entry(make(Type::directory, "l/d")), Error);
    EXPECT_THROW(sink.entry(make(Type::symlink, "l/s", "x")), Error);
    EXPECT_THROW(sink.entry(make(Type::hard_link, "h", "l/file")), Error);
    // A file in its place is one of the tree.
    put(sink, "l", "x");
    sink.finish();
    EXPECT_EQ(sys::read_file(to() + "/tree/l"), "x");
    sys::remove_tree(to() + "/tree");
  }
  expect_untouched();
}

TEST_F(DiskSinkTest, NothingGoesThroughALinkThatWasThere) {
  sys::make_symlink(dir_ + "/outside", to() + "/l");
  sys::make_symlink(dir_ + "/outside/file", to() + "/f");
  DiskSink sink(dir_, "to", Way::merge);
  sink.entry(make(Type::directory, ""));
  EXPECT_THROW(put(sink, "l/x", "x"), Error);
  EXPECT_THROW(sink.entry(make(Type::directory, "l")), Error);
  put(sink, "f", "new");
  sink.finish();
  EXPECT_EQ(sys::read_file(to() + "/f"), "new");
  expect_untouched();
}

TEST_F(DiskSinkTest, AHardLinkToALinkIsTheLink) {
  DiskSink sink(to(), "tree", Way::fresh);
  sink.entry(make(Type::directory, ""));
  sink.entry(make(Type::symlink, "l", dir_ + "/outside/file"));
  sink.entry(make(Type::hard_link, "h", "l"));
  put(sink, "h", "new");
  sink.finish();
  expect_untouched();
}

TEST_F(DiskSinkTest, HardLinksKeepOneContent) {
  DiskSink sink(to(), "tree", Way::fresh);
  sink.entry(make(Type::directory, ""));
  sink.entry(make(Type::directory, "d"));
  put(sink, "d/a", "x");
  sink.entry(make(Type::hard_link, "b", "d/a"));
  sink.entry(make(Type::hard_link, "b", "d/a")); // again: it is there already
  sink.finish();
  EXPECT_EQ(sys::find_info(to() + "/tree/d/a")->ino, sys::find_info(to() + "/tree/b")->ino);
  EXPECT_EQ(sys::list_dir(to() + "/tree"), (std::vector<std::string>{"b", "d"}));
}

TEST_F(DiskSinkTest, ModesTimesAndHoles) {
  DiskSink sink(to(), "tree", Way::fresh);
  TreeEntry root = make(Type::directory, "");
  root.mtime = 1'000'000'000;
  root.mtime_ns = 500'000'000;
  sink.entry(root);
  TreeEntry shut = make(Type::directory, "shut");
  shut.mode = S_IFDIR | 0500;
  shut.mtime = -2;
  shut.mtime_ns = 500'000'000;
  sink.entry(shut);
  TreeEntry e = make(Type::file, "shut/f");
  e.mode = S_IFREG | 06755;
  e.mtime = 1'234'567'890;
  e.mtime_ns = 123'456'789;
  e.size = 10 << 20;
  e.data = {{5 << 20, 3}};
  sink.entry(e);
  sink.data("a");
  sink.data("bc");
  sink.finish();
  auto f = sys::find_info(to() + "/tree/shut/f");
  EXPECT_EQ(f->mode, 0755u); // set-id bits are dropped
  EXPECT_EQ(f->mtime_ns, e.time_ns());
  EXPECT_EQ(f->size, 10 << 20);
  EXPECT_LT(f->allocated, 1 << 20);
  EXPECT_EQ(sys::read_file(to() + "/tree/shut/f").substr(5 << 20, 4), std::string("abc\0", 4));
  EXPECT_EQ(sys::find_info(to() + "/tree/shut")->mode, 0500u);
  EXPECT_EQ(sys::find_info(to() + "/tree/shut")->mtime_ns, shut.time_ns());
  EXPECT_EQ(sys::find_info(to() + "/tree")->mtime_ns, root.time_ns());
  sys::set_mode(to() + "/tree/shut", 0700);
}

TEST_F(DiskSinkTest, ADirectoryThatIsNamedAgainGetsWhatWasSaidLast) {
  DiskSink sink(to(), "tree", Way::fresh);
  sink.entry(make(Type::directory, ""));
  TreeEntry d = make(Type::directory, "d");
  sink.entry(d);
  d.mode = S_IFDIR | 0700;
  d.mtime = 1'000'000'000;
  d.mtime_ns = 500'000'000;
  sink.entry(d);
  put(sink, "d/f", "x");
  sink.finish();
  EXPECT_EQ(sys::find_info(to() + "/tree/d")->mode, 0700u);
  EXPECT_EQ(sys::find_info(to() + "/tree/d")->mtime_ns, d.time_ns());
}

TEST_F(DiskSinkTest, ThePathsOfAllDirectoriesAreBounded) {
  DiskSink sink(to(), "tree", Way::fresh);
  sink.entry(make(Type::directory, ""));
  std::string deep;
  for (int i = 0; i < 16; i++) {
    deep += (i == 0 ? "" : "/") + std::string(250, 'd');
    sink.entry(make(Type::directory, deep));
  }
  constexpr int more = 20'000; // whose paths of 4 KiB are more than 64 MiB
  // One that is named again takes no more.
  for (int i = 0; i < more; i++) sink.entry(make(Type::directory, deep));
  int made = 0;
  try {
    for (; made < more; made++)
      sink.entry(make(Type::directory, deep + "/" + std::to_string(made)));
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.message().find("too many directories"), std::string::npos) << e.message();
  }
  EXPECT_GT(made, 16'000);
}

TEST_F(DiskSinkTest, KindsThatDoNotFitAreErrors) {
  sys::make_dirs(to() + "/d");
  sys::write_atomic(to() + "/f", "x");
  DiskSink sink(dir_, "to", Way::merge);
  EXPECT_THROW(put(sink, "", "x"), Error);
  sink.entry(make(Type::directory, ""));
  EXPECT_THROW(sink.entry(make(Type::directory, "f")), Error);
  EXPECT_THROW(put(sink, "f/x", "x"), Error);
  EXPECT_THROW(put(sink, "nosuch/x", "x"), Error);
  EXPECT_THROW(sink.entry(make(Type::symlink, "d", "x")), Error);
  EXPECT_EQ(sys::list_dir(to()), (std::vector<std::string>{"d", "f"}));
  DiskSink file(to(), "new", Way::fresh);
  put(file, "", "x");
  EXPECT_THROW(put(file, "below", "x"), Error);
}

TEST_F(DiskSinkTest, AContentThatIsNotWholeIsAnError) {
  DiskSink sink(to(), "f", Way::fresh);
  TreeEntry e = make(Type::file, "");
  e.size = 10;
  e.data = {{0, 10}};
  sink.entry(e);
  sink.data("half");
  EXPECT_THROW(sink.finish(), Error);
  EXPECT_FALSE(sys::exists(to() + "/f"));
}

TEST(PlainPath, Table) {
  EXPECT_EQ(plain_path("."), "");
  EXPECT_EQ(plain_path("./"), "");
  EXPECT_EQ(plain_path("./a//b/./c/"), "a/b/c");
  EXPECT_EQ(plain_path("..."), "...");
  for (const char* bad : {"", "/", "/a", "..", "a/..", "../a", "a/../b"})
    EXPECT_EQ(plain_path(bad), std::nullopt) << bad;
}

} // namespace
} // namespace banger::guest
