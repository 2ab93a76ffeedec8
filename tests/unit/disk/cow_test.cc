// The copy-on-write file of a mapped root disk, and what is named of a mapped disk.
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

TEST_F(Cow, TheKernelReadsNoStoreThatWouldKeepItBusy) {
  make_cow(cow, image, 32 * MiB);
  const CowLayout layout = cow_layout_of(32 * MiB, size(), cow);
  const uint64_t chunks = 32 * MiB / cow_chunk, places = static_cast<uint64_t>(layout.store / 4096);
  Fd fd = sys::open_file(cow, O_RDWR);
  // Written as the kernel does: 256 pairs an area, of old chunk and new one; a new one of 0 ends
  // it.
  auto tell = [&](uint64_t at, uint64_t old_chunk, uint64_t new_chunk) {
    const uint64_t pair[] = {old_chunk, new_chunk};
    auto offset = static_cast<int64_t>((1 + at / 256 * 257) * 4096 + at % 256 * 16);
    sys::write_at(fd.get(), offset, {reinterpret_cast<const char*>(pair), sizeof pair}, cow);
  };
  auto check = [&] { return code_of([&] { check_store(fd.get(), layout, cow); }); };
  constexpr Code whole = Code::unreachable; // of code_of
  EXPECT_EQ(check(), whole) << "a new one";
  tell(0, 1, 2);
  EXPECT_EQ(check(), whole) << "without a header it is a new one, whatever is in it";
  write_header({snap, 1, 1, 8});
  for (uint64_t i = 0; i < chunks; i++) tell(i, chunks - 1 - i, 2 + i + i / 256);
  EXPECT_EQ(check(), whole) << "every chunk was written over";
  tell(chunks, 7, 2);
  EXPECT_EQ(check(), Code::failed) << "the same chunk twice, beyond all areas that it needs";
  tell(chunks, 0, 0);
  EXPECT_EQ(check(), whole);
  tell(300, chunks, 9);
  EXPECT_EQ(check(), Code::failed) << "a chunk that the image has not";
  tell(300, uint64_t{1} << 40, 9);
  EXPECT_EQ(check(), Code::failed);
  tell(300, chunks - 301, places);
  EXPECT_EQ(check(), Code::failed) << "a place that the store has not";
  tell(300, chunks - 301, 9);
  EXPECT_EQ(check(), whole);
  write_header({snap, 1, 1, 1 << 21});
  EXPECT_EQ(check(), Code::failed) << "the kernel would take three GiB for its buffers";
  write_header({snap, 1, 1, 8});
  sys::set_size(fd.get(), 4096 * (1 + 257 * 2), cow);
  EXPECT_EQ(check(), Code::failed) << "it was cut in an area that is full";
}

TEST(Mapping, NothingIsNamedButAVmsDisk) {
  std::string name = "banger-abcd-0123456789ab-root";
  EXPECT_EQ(valid_mapping({"abcd", "0123456789ab", name + "-x"}), name);
  for (const Mapping& m :
       {Mapping{"abcd", "0123456789ab", name}, Mapping{"abc", "0123456789ab", name + "-x"},
        Mapping{"abcd", "0123456789AB", name + "-x"},
        Mapping{"../x", "0123456789ab", "banger-../x-0123456789ab-root-x"},
        Mapping{"abcd", "0123456789ab", name + "-" + std::string(64, 'x')},
        Mapping{"abcd", "0123456789ab", name + "-x y"}})
    EXPECT_EQ(code_of([&] { valid_mapping(m); }), Code::usage) << m.tag << m.id << m.identity;
}

TEST(Mapping, ItsFilesAreThoseOfItsIds) {
  MapPlan plan{{"abcd", "0123456789ab", ""}, "/s", "ba9876543210"};
  EXPECT_EQ(plan.image_file(), "images/ba9876543210/root.ext4");
  EXPECT_EQ(plan.cow_file(), "vms/0123456789ab/cow.img");
  for (const char* other :
       {"", "..", "ba987654321", "ba9876543210a", "../654321000", "BA9876543210"}) {
    plan.image = plan.mapping.id = other;
    EXPECT_EQ(code_of([&] { (void)plan.image_file(); }), Code::usage) << other;
    EXPECT_EQ(code_of([&] { (void)plan.cow_file(); }), Code::usage) << other;
  }
}

TEST(Mapping, EachOneHasAnIdentityOfItsOwn) {
  std::string one = new_mapping_identity("abcd", "0123456789ab");
  EXPECT_TRUE(one.starts_with("banger-abcd-0123456789ab-root-")) << one;
  EXPECT_NE(one, new_mapping_identity("abcd", "0123456789ab"));
}

} // namespace banger::disk
