#include "image/partitions.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/file.h"

namespace banger::image {

namespace {

constexpr int64_t MiB = int64_t{1} << 20;

void put(std::string& disk, size_t at, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) disk[at + i] = static_cast<char>(value >> (8 * i));
}

void mbr_entry(std::string& disk, size_t sector, size_t i, uint8_t type, uint32_t first,
               uint32_t count) {
  size_t at = sector * 512 + 446 + i * 16;
  put(disk, at + 4, type, 1);
  put(disk, at + 8, first, 4);
  put(disk, at + 12, count, 4);
  put(disk, sector * 512 + 510, 0xaa55, 2);
}

const std::string linux_data("\xaf\x3d\xc6\x0f\x83\x84\x72\x47\x8e\x79\x3d\x69\xd8\x47\x7d\xe4",
                             16);
const std::string efi("\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b\x00\xa0\xc9\x3e\xc9\x3b", 16);

// A GPT on a disk with sectors of that size, sealed as it must be before it is read.
struct Gpt {
  std::string disk = std::string(4 * MiB, '\0');
  size_t sector = 512;

  explicit Gpt(size_t bytes = 512) : sector(bytes) {
    mbr_entry(disk, 0, 0, 0xee, 1, static_cast<uint32_t>(disk.size() / sector - 1));
    disk.replace(sector, 8, "EFI PART");
    put(disk, sector + 8, 0x10000, 4);
    put(disk, sector + 12, 92, 4);
    put(disk, sector + 24, 1, 8);
    put(disk, sector + 32, disk.size() / sector - 1, 8);
    put(disk, sector + 40, 34, 8);
    put(disk, sector + 48, disk.size() / sector - 34, 8);
    put(disk, sector + 72, 2, 8);
    put(disk, sector + 80, 128, 4);
    put(disk, sector + 84, 128, 4);
  }
  void entry(size_t i, const std::string& type, uint64_t first, uint64_t last) {
    size_t at = 2 * sector + i * 128;
    disk.replace(at, 16, type);
    put(disk, at + 32, first, 8);
    put(disk, at + 40, last, 8);
  }
  const std::string& sealed() {
    put(disk, sector + 88, crc(std::string_view(disk).substr(2 * sector, 128 * 128)), 4);
    put(disk, sector + 16, 0, 4);
    put(disk, sector + 16, crc(std::string_view(disk).substr(sector, 92)), 4);
    return disk;
  }
  static uint32_t crc(std::string_view bytes) {
    uint32_t sum = 0xffffffff;
    for (char c : bytes) {
      sum ^= static_cast<unsigned char>(c);
      for (int i = 0; i < 8; i++) sum = sum >> 1 ^ (sum & 1 ? 0xedb88320 : 0);
    }
    return ~sum;
  }
};

struct Partitions : testing::Test {
  std::string path = testing::TempDir() + "/partitions-" + std::to_string(::getpid());
  void TearDown() override { sys::remove_file(path); }

  std::optional<std::vector<Partition>> find(const std::string& disk) {
    Fd fd = sys::open_file(path, O_RDWR | O_CREAT | O_TRUNC);
    sys::write_all(fd.get(), disk);
    readings = find_partitions(fd.get(), static_cast<int64_t>(disk.size()), "disk");
    if (readings.empty()) return {};
    return readings.front();
  }
  std::vector<std::vector<Partition>> readings;
};

Code code_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.code();
  }
  return Code::unreachable;
}

} // namespace

TEST_F(Partitions, OfAnMbrWithLogicalOnes) {
  std::string disk(4 * MiB, '\0');
  mbr_entry(disk, 0, 0, 0x83, 100, 10);
  mbr_entry(disk, 0, 1, 0x82, 200, 20); // swap
  mbr_entry(disk, 0, 3, 0x05, 1000, 4000);
  mbr_entry(disk, 1000, 0, 0x83, 1, 99);    // relative to this record
  mbr_entry(disk, 1000, 1, 0x05, 500, 100); // relative to the first
  mbr_entry(disk, 1500, 0, 0x83, 2, 50);
  EXPECT_EQ(find(disk), (std::vector<Partition>{{1, 100 * 512, 10 * 512, true},
                                                {2, 200 * 512, 20 * 512, false, "swap"},
                                                {5, 1001 * 512, 99 * 512, true},
                                                {6, 1502 * 512, 50 * 512, true}}));
}

TEST_F(Partitions, OfAnMbrWhoseChainIsARing) {
  std::string disk(4 * MiB, '\0');
  mbr_entry(disk, 0, 0, 0x05, 1000, 4000);
  mbr_entry(disk, 1000, 0, 0x83, 1, 9);
  mbr_entry(disk, 1000, 1, 0x05, 500, 100);
  mbr_entry(disk, 1500, 0, 0x83, 1, 9);
  mbr_entry(disk, 1500, 1, 0x05, 500, 100); // itself
  EXPECT_LE(find(disk)->size(), 200u);
}

TEST_F(Partitions, OfAGpt) {
  Gpt gpt;
  gpt.entry(0, efi, 34, 133);
  gpt.entry(2, linux_data, 200, 299);
  gpt.entry(3, linux_data, 300, 9'000);    // beyond the disk
  gpt.entry(4, linux_data, 400, 300);      // upside down
  gpt.entry(5, linux_data, 0, UINT64_MAX); // everything
  EXPECT_EQ(find(gpt.sealed()), (std::vector<Partition>{{1, 34 * 512, 100 * 512, false, "EFI"},
                                                        {3, 200 * 512, 100 * 512, true}}));
  EXPECT_EQ(readings.size(), 1u);
}

TEST_F(Partitions, OfADiskWithSectorsOf4096Bytes) {
  Gpt gpt(4096);
  gpt.entry(0, efi, 34, 133);
  gpt.entry(1, linux_data, 200, 299);
  EXPECT_EQ(find(gpt.sealed()), (std::vector<Partition>{{1, 34 * 4096, 100 * 4096, false, "EFI"},
                                                        {2, 200 * 4096, 100 * 4096, true}}));
  // An MBR does not tell: both are possible.
  std::string disk(4 * MiB, '\0');
  mbr_entry(disk, 0, 0, 0x83, 100, 10);
  EXPECT_EQ(find(disk), (std::vector<Partition>{{1, 100 * 512, 10 * 512, true}}));
  ASSERT_EQ(readings.size(), 2u);
  EXPECT_EQ(readings[1], (std::vector<Partition>{{1, 100 * 4096, 10 * 4096, true}}));
}

TEST_F(Partitions, ATableThatMakesNoSenseIsRefused) {
  Gpt gpt;
  gpt.entry(0, linux_data, 200, 299);
  put(gpt.disk, 512 + 80, 0xffffffff, 4);
  EXPECT_EQ(code_of([&] { find(gpt.sealed()); }), Code::failed);
  gpt = Gpt();
  put(gpt.disk, 512 + 84, 0, 4);
  EXPECT_EQ(code_of([&] { find(gpt.sealed()); }), Code::failed);
  gpt = Gpt();
  put(gpt.disk, 512 + 72, UINT64_MAX / 2, 8);
  EXPECT_EQ(code_of([&] { find(gpt.sealed()); }), Code::failed);
  // One whose checksum does not fit was never finished, or is damaged.
  gpt = Gpt();
  gpt.entry(0, linux_data, 200, 299);
  gpt.sealed();
  gpt.entry(0, linux_data, 200, 298);
  EXPECT_EQ(code_of([&] { find(gpt.disk); }), Code::failed);
}

TEST_F(Partitions, NoneWhereThereIsNoTable) {
  EXPECT_FALSE(find(std::string(1 * MiB, '\0')));
  EXPECT_FALSE(find("short"));
  EXPECT_FALSE(find(""));
  std::string boot(1 * MiB, '\0'); // a boot sector of a file system
  boot.replace(446, 64, std::string(64, 'x'));
  put(boot, 510, 0xaa55, 2);
  EXPECT_FALSE(find(boot));
}

TEST(RootPartition, WhatHelpsWhereThereIsNone) {
  auto hint_of = [](const std::vector<Partition>& all) {
    try {
      root_partition(all, {}, "d");
    } catch (const Error& e) {
      return e.hint();
    }
    return std::string();
  };
  EXPECT_EQ(hint_of({}).find("--partition"), std::string::npos);
  EXPECT_EQ(hint_of({{1, 0, 1 << 20, false}}), "it has 1 (1M); name one with --partition");
  EXPECT_EQ(hint_of({{1, 0, 1 << 20, false, "LVM"}, {2, 0, 1 << 20, false, "swap"}}),
            "it has 1 (1M, LVM), 2 (1M, swap); where its root is mounted in DIR: "
            "tar -C DIR -c . | banger image import NAME -");
}

TEST(RootPartition, TheLargestOfLinuxOrTheOneNamed) {
  std::vector<Partition> all{{1, 0, 900, false}, {2, 0, 50, true}, {3, 0, 100, true}};
  EXPECT_EQ(root_partition(all, {}, "d").number, 3);
  EXPECT_EQ(root_partition(all, 1, "d").number, 1);
  EXPECT_EQ(code_of([&] { root_partition(all, 4, "d"); }), Code::not_found);
  EXPECT_EQ(code_of([&] { root_partition({{1, 0, 900, false}}, {}, "d"); }), Code::not_found);
}

} // namespace banger::image
