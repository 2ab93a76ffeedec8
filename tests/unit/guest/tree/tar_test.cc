#include "guest/tree/tar.h"

#include <algorithm>
#include <cstring>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.h"
#include "guest/tree/tree_disk.h"
#include "sys/file.h"
#include "sys/process.h"

namespace banger::guest {
namespace {

using archive::TarForm;
enum class Type { directory, file, symlink, hard_link };

struct Held {
  TreeEntry entry;
  std::string data;
  bool operator==(const Held&) const = default;
};

TarSource::Pull from(std::string_view bytes, size_t at_most = 1000) {
  return [bytes, at_most](std::span<char> buffer) mutable {
    size_t n = std::min({bytes.size(), buffer.size(), at_most});
    std::copy_n(bytes.begin(), n, buffer.begin());
    bytes.remove_prefix(n);
    return n;
  };
}

std::string written(const std::vector<Held>& tree, TarForm form) {
  std::string tar;
  TarSink sink([&](std::string_view bytes) { tar += bytes; }, form);
  for (const auto& [entry, data] : tree) {
    sink.entry(entry);
    for (size_t at = 0; at < data.size(); at += 777) sink.data(data.substr(at, 777));
  }
  sink.finish();
  return tar;
}

mode_t mode_of(Type type) {
  return type == Type::directory ? S_IFDIR : type == Type::symlink ? S_IFLNK : S_IFREG;
}

std::vector<Held> read(std::string_view tar, Type root = Type::directory) {
  TarSource source(from(tar), mode_of(root), "t");
  std::vector<Held> tree;
  while (auto entry = source.next()) {
    Held held{*entry, {}};
    char buffer[513];
    while (size_t n = source.read(buffer)) held.data.append(buffer, n);
    tree.push_back(std::move(held));
  }
  return tree;
}

TreeEntry entry(Type type, std::string path, std::string target = {}) {
  TreeEntry e;
  e.mode = mode_of(type) | 0644;
  e.hard_link = type == Type::hard_link;
  e.path = std::move(path);
  e.target = std::move(target);
  e.mtime = 1'600'000'000;
  e.mtime_ns = 123'456'789;
  return e;
}

Held file(std::string path, std::string data) {
  TreeEntry e = entry(Type::file, std::move(path));
  e.size = static_cast<int64_t>(data.size());
  if (!data.empty()) e.data = {{0, e.size}};
  return {e, std::move(data)};
}

Held sparse() {
  TreeEntry e = entry(Type::file, "sub/" + std::string(150, 's'));
  e.size = int64_t{20} << 30;
  e.data = {{4096, 3}, {int64_t{10} << 30, 2000}};
  return {e, std::string(3, 'a') + std::string(2000, 'b')};
}

std::vector<Held> sample() {
  std::string name(200, 'n');
  TreeEntry odd = entry(Type::file, "sub/-dash\nnew line \xff\xc3");
  odd.mode = S_IFREG | 04751;
  odd.uid = 5'000'000;
  odd.mtime = -2;
  odd.mtime_ns = 500'000'000;
  return {{entry(Type::directory, "sub"), {}},
          file("sub/a", std::string(1000, 'a')),
          file("sub/empty", ""),
          file("sub/\xc3\xbc", "u"),
          file("sub/block", std::string(512, 'b')),
          {odd, {}},
          file("sub/" + name + "/" + name, "long"),
          {entry(Type::symlink, "sub/link", std::string(300, '/')), {}},
          {entry(Type::hard_link, "sub/hard", "sub/" + name + "/" + name), {}}};
}

TEST(GuestTar, ThePaxFormKeepsEverything) {
  auto tree = sample();
  tree.push_back(sparse());
  tree.push_back(file("after", "x"));
  auto got = read(written(tree, TarForm::pax));
  tree[5].entry.mtime_ns = 0; // before 1970: whole seconds
  EXPECT_EQ(got, tree);
}

TEST(GuestTar, AFileThatIsAllHole) {
  Held hole{entry(Type::file, "hole"), {}};
  hole.entry.size = 1 << 20;
  EXPECT_EQ(read(written({hole, file("b", "x")}, TarForm::pax)),
            (std::vector<Held>{hole, file("b", "x")}));
}

TEST(GuestTar, TheGnuFormKeepsSecondsAndWritesZeros) {
  auto tree = sample();
  Held holes = file("holes", {});
  holes.entry.size = 10'000;
  holes.entry.data = {{1000, 5}, {5000, 700}};
  holes.data = std::string(5, 'h') + std::string(700, 'i');
  tree.push_back(holes);
  auto got = read(written(tree, TarForm::gnu));
  for (auto& held : tree) {
    held.entry.mtime = std::max<int64_t>(held.entry.mtime, 0);
    held.entry.mtime_ns = 0;
  }
  tree.back().entry.data = {{0, 10'000}};
  tree.back().data = std::string(10'000, '\0');
  tree.back().data.replace(1000, 5, std::string(5, 'h')).replace(5000, 700, std::string(700, 'i'));
  EXPECT_EQ(got, tree);
}

TEST(GuestTar, OneThingAloneIsTheRoot) {
  EXPECT_EQ(read(written({file("name", "x")}, TarForm::pax), Type::file),
            (std::vector<Held>{file("", "x")}));
  EXPECT_THROW(read(written({file("a", "x"), file("b", "y")}, TarForm::pax), Type::file), Error);
}

TEST(GuestTar, ARootOfAnotherTypeIsRefused) {
  auto of = [](Type type, std::string path, std::string target = {}) {
    return written({{entry(type, std::move(path), std::move(target)), {}}}, TarForm::pax);
  };
  std::string link = of(Type::symlink, "name", "/etc/passwd");
  EXPECT_EQ(read(link, Type::symlink).at(0).entry.target, "/etc/passwd");
  EXPECT_THROW(read(link, Type::file), Error);
  EXPECT_THROW(read(of(Type::directory, "name"), Type::file), Error);
  EXPECT_THROW(read(of(Type::hard_link, "name", "other"), Type::file), Error);
  EXPECT_THROW(read(of(Type::file, "name"), Type::symlink), Error);
  // That of a tree, which may also be left out.
  EXPECT_EQ(read(of(Type::directory, ".")).at(0).entry.path, "");
  EXPECT_THROW(read(of(Type::symlink, ".", "/etc")), Error);
  EXPECT_THROW(read(of(Type::file, ".")), Error);
  EXPECT_EQ(read(link).at(0).entry.path, "name");
}

TEST(GuestTar, CutShortAnywhereIsAnError) {
  std::string tar = written({file("a", "x"), file("b", "y")}, TarForm::pax);
  for (size_t size = 0; size + 1024 <= tar.size(); size += 256)
    EXPECT_THROW(read(tar.substr(0, size)), Error) << size;
}

TEST(GuestTar, PathsThatLeadOutAreRefused) {
  for (std::string path : {"../x", "/x", "a/../../x", "a/..", ".."}) {
    EXPECT_THROW(read(written({file(path, "x")}, TarForm::pax)), Error) << path;
    EXPECT_THROW(read(written({{entry(Type::hard_link, "ok", path), {}}}, TarForm::pax)), Error)
        << path;
  }
  for (auto form : {TarForm::pax, TarForm::gnu}) {
    EXPECT_THROW(read(written({file(std::string(300, 'n'), "x")}, form)), Error);
    std::string deep;
    for (int i = 0; i < 2100; i++) deep += "a/";
    EXPECT_THROW(read(written({file(deep + "x", "x")}, form)), Error);
    EXPECT_THROW(read(written({file("ok/" + std::string(120, 'a') + "/../../../x", "x")}, form)),
                 Error);
  }
}

// A pax header with these records, then a file of `size` bytes.
std::string with_records(const std::string& records, size_t size) {
  Held x = file("x", std::string(size, '1'));
  x.entry.mtime = 0, x.entry.mtime_ns = 0; // no header of its own
  std::string tar = written({x}, TarForm::pax);
  Held header = file("x", records);
  header.entry.mtime = 0, header.entry.mtime_ns = 0;
  std::string block = written({header}, TarForm::pax);
  block.resize(block.size() - 1024);
  block[156] = 'x';
  std::memset(block.data() + 148, ' ', 8);
  unsigned sum = 0;
  for (size_t i = 0; i < 512; i++) sum += static_cast<unsigned char>(block[i]);
  std::snprintf(block.data() + 148, 8, "%06o", sum);
  return block + tar;
}

TEST(GuestTar, BadRecordsAreRefused) {
  EXPECT_EQ(read(with_records("9 path=y\n", 1)).at(0).entry.path, "y");
  for (const char* bad :
       {"9 path=y", "99 path=y\n", "x path=y\n", "0 \n", "5 abc\n", "9 size=-\n",
        "18 mtime=999999999\n", "13 path=../y\n", "31 size=9223372036854775807999\n",
        "22 GNU.sparse.major=2\n", "22 GNU.sparse.map=1,2\n"})
    EXPECT_THROW(read(with_records(bad, 1)), Error) << bad;
  // Cut at a NUL, as every name is.
  EXPECT_EQ(read(with_records(std::string("12 path=a\0b\n", 12), 1)).at(0).entry.path, "a");
}

TEST(GuestTar, MapsOfHolesThatLieAreRefused) {
  std::string records = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
                        "21 GNU.sparse.name=y\n28 GNU.sparse.realsize=1000\n";
  auto with_map = [&](const std::string& map) {
    std::string tar = with_records(records, 512 + 10);
    size_t data = tar.size() - 2 * 512 - 2 * 512; // the map's block
    tar.replace(data, map.size(), map);
    return tar;
  };
  EXPECT_EQ(read(with_map("1\n5\n10\n")).at(0).entry.data, (std::vector<Extent>{{5, 10}}));
  for (const char* bad : {"1\n5\n11\n", "1\n995\n10\n", "2\n5\n5\n4\n5\n", "x\n", "-1\n", "1\n5\n",
                          "99999999\n", "1\n5\n9223372036854775807\n"})
    EXPECT_THROW(read(with_map(bad)), Error) << bad;
}

TEST(GuestTar, AMapOfHolesIsBounded) {
  std::string records = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n";
  std::string map = "9000000\n";
  while (map.size() < size_t{12} << 20) map += "1\n0\n";
  std::string tar = with_records(records, map.size());
  tar.replace(tar.find(std::string(1000, '1')), map.size(), map);
  EXPECT_THROW(
      {
        try {
          read(tar);
        } catch (const Error& e) {
          EXPECT_NE(e.message().find("header is too long"), std::string::npos) << e.message();
          throw;
        }
      },
      Error);
}

TEST(GuestTar, WhatPullAndPushThrowComesOut) {
  TarSource source([](std::span<char>) -> size_t { throw not_found("gone"); }, S_IFDIR, "t");
  TarSink sink([](std::string_view) { throw not_found("gone"); }, TarForm::pax);
  TreeEntry large = entry(Type::file, "large");
  large.size = int64_t{1} << 40;
  large.data = {{0, large.size}};
  sink.entry(large);
  for (const auto& fails : {std::function<void()>([&] { source.next(); }),
                            std::function<void()>([&] { sink.data(std::string(1 << 20, 'x')); })})
    try {
      fails();
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::not_found);
    }
  // Its end does not fill the file up.
}

TEST(GuestTar, WhatACopyCannotHoldIsCounted) {
  std::string tar = written({file("dev", ""), file("a", "x")}, TarForm::gnu);
  tar[156] = '3';
  std::memset(tar.data() + 148, ' ', 8);
  unsigned sum = 0;
  for (size_t i = 0; i < 512; i++) sum += static_cast<unsigned char>(tar[i]);
  std::snprintf(tar.data() + 148, 8, "%06o", sum);
  TarSource source(from(tar), S_IFDIR, "t");
  EXPECT_EQ(source.next()->path, "a");
  EXPECT_EQ(source.left_out(), 1u);
}

TEST(GuestTar, DamageIsNeverMoreThanAnError) {
  auto tree = sample();
  tree.push_back(sparse());
  std::string whole = written(tree, TarForm::pax);
  uint64_t x = 88172645463325252;
  for (int i = 0; i < 3000; i++) {
    std::string tar = whole;
    for (int j = 0; j < 3; j++) {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      size_t at = x % tar.size();
      tar[at] = static_cast<char>(x >> 32);
      size_t header = at / 512 * 512; // so that damage gets past the checksum
      std::memset(tar.data() + header + 148, ' ', 8);
      unsigned sum = 0;
      for (size_t k = 0; k < 512; k++) sum += static_cast<unsigned char>(tar[header + k]);
      std::snprintf(tar.data() + header + 148, 8, "%06o", sum);
    }
    try {
      for (const auto& held : read(tar))
        EXPECT_EQ(plain_path(held.entry.path + "/"), held.entry.path);
    } catch (const Error&) {
      continue;
    }
  }
}

class RealTar : public ::testing::Test {
protected:
  void SetUp() override {
    dir_ = fmt::format("{}/banger-tar-{}", ::testing::TempDir(), ::getpid());
    sys::remove_tree(dir_);
    sys::make_dirs(dir_);
  }
  void TearDown() override {
    sh("chmod -R u+w ."); // a plain user removes nothing from a directory that is shut
    sys::remove_tree(dir_);
  }
  void sh(const std::string& script) {
    sys::Command c;
    c.argv = {"sh", "-euc", script};
    c.cwd = dir_;
    sys::run_ok(c);
  }
  std::string dir_;
};

constexpr const char* make_tree =
    "mkdir -p t/sub t/shut; echo a >t/a; ln t/a t/hard; ln -s nowhere t/link; chmod 4750 t/sub;"
    "truncate -s 9G t/sparse; printf x | dd of=t/sparse bs=1 seek=8G conv=notrunc 2>/dev/null;"
    "touch -d '2001-02-03 04:05:06.789' t/a; echo s >t/shut/s; chmod 500 t/shut;"
    "mkdir t/$(printf 'd%.0s' $(seq 90)); echo x >t/$(printf 'd%.0s' $(seq 90))/$(printf 'e%.0s' "
    "$(seq 90));";
constexpr const char* list = "cd $1; find . -mindepth 1 ! -type d -printf '%p %y %m %T@ %l %s "
                             "%n\\n' -o -printf '%p %y %m\\n' | sort";

TEST_F(RealTar, ReadsWhatWeWrite) {
  sh(make_tree);
  std::string tar = dir_ + "/tar";
  Fd out = sys::open_file(tar, O_RDWR | O_CREAT);
  DiskSource source(dir_ + "/t", true);
  TarSink sink([&](std::string_view bytes) { sys::write_all(out.get(), bytes); }, TarForm::pax);
  CopyTotals totals;
  copy_tree(source, sink, totals, [] {});
  sink.finish();
  EXPECT_LT(sys::find_info(tar)->size, 1 << 20);
  sh("mkdir u; tar -x -p -f tar -C u");
  sh(std::string("(set -- t; ") + list + ") >1; (set -- u; " + list + ") >2; diff 1 2 >&2");
  EXPECT_LT(sys::find_info(dir_ + "/u/sparse")->allocated, 1 << 20);
}

TEST_F(RealTar, WritesWhatWeRead) {
  sh(make_tree);
  sh("cd t; tar -c -f ../tar --format=posix --sparse --sparse-version=1.0 .");
  std::string tar = sys::read_file(dir_ + "/tar");
  TarSource source(from(tar, 100'000), S_IFDIR, "t");
  DiskSink sink(dir_, "u", DiskSink::Way::fresh);
  CopyTotals totals;
  copy_tree(source, sink, totals, [] {});
  sink.finish();
  sh(std::string("chmod u-s t/sub; (set -- t; ") + list + ") >1; (set -- u; " + list +
     ") >2; diff 1 2 >&2");
  EXPECT_LT(sys::find_info(dir_ + "/u/sparse")->allocated, 1 << 20);
}

} // namespace
} // namespace banger::guest
