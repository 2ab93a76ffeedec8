// The copy-on-write file of a mapped root disk, and what banger-mapper is asked.
#include <fcntl.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "disk/cow.h"
#include "disk/ext4.h"
#include "disk/mapping.h"
#include "disk/root.h"
#include "sys/at.h"
#include "sys/file.h"
#include "sys/process.h"

namespace banger::disk {

namespace {

constexpr int64_t MiB = int64_t{1} << 20;

struct Cow : testing::Test {
  std::string dir = testing::TempDir() + "/cow-" + std::to_string(::getpid());
  std::string image = dir + "/image", cow = dir + "/cow";
  void SetUp() override {
    sys::make_dirs(dir);
    sys::run_ok({{e2fs_program("mke2fs"), "-q", "-t", "ext4", image, "32M"}, {}, {}, false});
  }
  void TearDown() override { sys::remove_tree(dir); }
  int64_t size() { return sys::find_info(cow)->size; }
  // Its first bytes: four numbers of 32 bits.
  void write_header(std::initializer_list<uint32_t> numbers) {
    std::string bytes(reinterpret_cast<const char*>(numbers.begin()), numbers.size() * 4);
    sys::write_at(sys::open_file(cow, O_RDWR).get(), 0, bytes, cow);
  }
};

constexpr uint32_t snap = 0x70416e53;

Code code_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.code();
  }
  return Code::unreachable; // nothing was thrown
}

} // namespace

TEST(CowLayout, TheStoreHoldsAllOfTheImageWithItsMetadataAndAnAreaMore) {
  for (int64_t origin : {int64_t{4096}, 16 * MiB, 256 * MiB, 256 * MiB + 512, 1024 * MiB}) {
    CowLayout l = cow_layout(origin, origin + 8 * MiB);
    EXPECT_EQ(l.origin, origin);
    EXPECT_EQ(l.beyond, 8 * MiB);
    EXPECT_EQ(l.disk(), origin + 8 * MiB);
    int64_t chunks = (origin + 4095) / 4096, areas = (chunks + 255) / 256;
    EXPECT_GE(l.store, (1 + chunks + areas + 257) * 4096) << origin;
    EXPECT_LE(l.store, origin + origin / 100 + 4 * MiB) << origin;
    EXPECT_EQ(l.store % MiB, 0);
  }
}

TEST(CowLayout, AFilesSizeTellsTheDisks) {
  CowLayout l = cow_layout(256 * MiB, 320 * MiB);
  EXPECT_EQ(cow_layout_of(256 * MiB, l.file(), "x"), l);
  EXPECT_EQ(cow_layout(256 * MiB, 1).disk(), 256 * MiB) << "never less than the image";
  EXPECT_EQ(code_of([&] { cow_layout_of(256 * MiB, l.store - 1, "x"); }), Code::failed);
  EXPECT_EQ(code_of([&] { cow_layout_of(256 * MiB, l.file() + 1, "x"); }), Code::failed);
}

TEST_F(Cow, ItIsMadeAsLargeAsItCanBecomeAndTakesNoRoom) {
  make_root({RootWay::dm_snapshot, image, cow, 48 * MiB, 0, {}});
  EXPECT_EQ(size(), cow_layout(32 * MiB, 48 * MiB).file());
  EXPECT_EQ(sys::find_info(cow)->allocated, 0);
  EXPECT_EQ(sys::find_info(cow)->mode, 0600u);
  EXPECT_EQ(cow_disk_size(cow, image), 48 * MiB);
  EXPECT_EQ(code_of([&] { make_cow(cow, image, 48 * MiB); }), Code::failed) << "it is there";
}

TEST_F(Cow, ItGrowsAndNeverShrinks) {
  make_cow(cow, image, 32 * MiB);
  grow_cow(cow, image, 64 * MiB);
  EXPECT_EQ(cow_disk_size(cow, image), 64 * MiB);
  grow_cow(cow, image, 64 * MiB);
  EXPECT_EQ(code_of([&] { grow_cow(cow, image, 48 * MiB); }), Code::usage);
  EXPECT_EQ(cow_disk_size(cow, image), 64 * MiB);
}

TEST_F(Cow, WhatIsNoSuchFileIsTold) {
  make_cow(cow, image, 32 * MiB);
  check_cow(cow, image); // nothing was written yet
  write_header({snap, 1, 1, 8});
  check_cow(cow, image);
  write_header({snap, 0, 1, 8}); // it is revived when it is mapped
  check_cow(cow, image);
  for (auto header :
       {std::initializer_list<uint32_t>{1, 1, 1, 8}, {snap, 1, 2, 8}, {snap, 1, 1, 16}}) {
    write_header(header);
    EXPECT_EQ(code_of([&] { check_cow(cow, image); }), Code::failed);
  }
  std::string other = dir + "/other";
  sys::run_ok({{e2fs_program("mke2fs"), "-q", "-t", "ext4", other, "64M"}, {}, {}, false});
  EXPECT_EQ(code_of([&] { check_cow(cow, other); }), Code::failed)
      << "a larger image's would not fit";
}

TEST_F(Cow, OneThatTheKernelGaveUpIsTakenAgain) {
  make_cow(cow, image, 32 * MiB);
  Fd fd = sys::open_file(cow, O_RDWR);
  EXPECT_FALSE(revive_cow(fd.get(), cow)) << "a new one has no mark";
  EXPECT_EQ(sys::find_info(cow)->allocated, 0);
  write_header({snap, 0, 1, 8});
  EXPECT_TRUE(revive_cow(fd.get(), cow));
  EXPECT_FALSE(revive_cow(fd.get(), cow));
  std::string now = sys::read_at(fd.get(), 0, 16);
  const uint32_t whole[] = {snap, 1, 1, 8};
  EXPECT_EQ(now, std::string(reinterpret_cast<const char*>(whole), sizeof whole));
}

TEST(MapRequest, ItsLineIsReadBack) {
  MapRequest r{"attach",
               {{"abcd", "0123456789ab", "banger-abcd-0123456789ab-root-x"}, "/i", "/c", 7}};
  EXPECT_EQ(parse_map_request(to_line(r)), r);
  EXPECT_EQ(code_of([] { parse_map_request("{}\n"); }), Code::failed);
}

TEST(MapRequest, AnAnswerTellsTheNodeOrTheFailure) {
  Mapped m{"/dev/mapper/x", true};
  EXPECT_EQ(parse_map_answer(to_line(std::expected<Mapped, Error>(m))), m);
  std::expected<Mapped, Error> fault = std::unexpected(preflight("no right").hint("be root"));
  try {
    parse_map_answer(to_line(fault));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::preflight);
    EXPECT_EQ(e.message(), "no right");
    EXPECT_EQ(e.hint(), "be root");
  }
}

TEST(MapRequest, NothingIsNamedButAVmsDisk) {
  std::string name = "banger-abcd-0123456789ab-root";
  EXPECT_EQ(valid_mapping({"abcd", "0123456789ab", name + "-x"}), name);
  for (const Mapping& m :
       {Mapping{"abcd", "0123456789ab", name}, Mapping{"abc", "0123456789ab", name + "-x"},
        Mapping{"abcd", "0123456789AB", name + "-x"},
        Mapping{"../x", "0123456789ab", "banger-../x-0123456789ab-root-x"}})
    EXPECT_EQ(code_of([&] { valid_mapping(m); }), Code::usage) << m.tag << m.id << m.identity;
}

TEST(MapRequest, EachMappingHasAnIdentityOfItsOwn) {
  std::string one = new_mapping_identity("abcd", "0123456789ab");
  EXPECT_TRUE(one.starts_with("banger-abcd-0123456789ab-root-")) << one;
  EXPECT_NE(one, new_mapping_identity("abcd", "0123456789ab"));
}

} // namespace banger::disk
