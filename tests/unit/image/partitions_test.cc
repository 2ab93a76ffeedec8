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

void gpt_entry(std::string& disk, size_t i, const std::string& type, uint64_t first,
               uint64_t last) {
  size_t at = 1024 + i * 128;
  disk.replace(at, 16, type);
  put(disk, at + 32, first, 8);
  put(disk, at + 40, last, 8);
}

std::string gpt_disk() {
  std::string disk(4 * MiB, '\0');
  mbr_entry(disk, 0, 0, 0xee, 1, 8191);
  disk.replace(512, 8, "EFI PART");
  put(disk, 512 + 72, 2, 8);
  put(disk, 512 + 80, 128, 4);
  put(disk, 512 + 84, 128, 4);
  return disk;
}

struct Partitions : testing::Test {
  std::string path = testing::TempDir() + "/partitions-" + std::to_string(::getpid());
  void TearDown() override { sys::remove_file(path); }

  std::optional<std::vector<Partition>> find(const std::string& disk) {
    Fd fd = sys::open_file(path, O_RDWR | O_CREAT | O_TRUNC);
    sys::write_all(fd.get(), disk);
    return find_partitions(fd.get(), static_cast<int64_t>(disk.size()), "disk");
  }
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
                                                {2, 200 * 512, 20 * 512, false},
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
  std::string disk = gpt_disk();
  gpt_entry(disk, 0, efi, 34, 133);
  gpt_entry(disk, 2, linux_data, 200, 299);
  gpt_entry(disk, 3, linux_data, 300, 9'000);    // beyond the disk
  gpt_entry(disk, 4, linux_data, 400, 300);      // upside down
  gpt_entry(disk, 5, linux_data, 0, UINT64_MAX); // everything
  EXPECT_EQ(find(disk), (std::vector<Partition>{{1, 34 * 512, 100 * 512, false},
                                                {3, 200 * 512, 100 * 512, true}}));
}

TEST_F(Partitions, ATableThatMakesNoSenseIsRefused) {
  std::string disk = gpt_disk();
  put(disk, 512 + 80, 0xffffffff, 4);
  EXPECT_EQ(code_of([&] { find(disk); }), Code::failed);
  disk = gpt_disk();
  put(disk, 512 + 84, 0, 4);
  EXPECT_EQ(code_of([&] { find(disk); }), Code::failed);
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

TEST(RootPartition, TheLargestOfLinuxOrTheOneNamed) {
  std::vector<Partition> all{{1, 0, 900, false}, {2, 0, 50, true}, {3, 0, 100, true}};
  EXPECT_EQ(root_partition(all, {}, "d").number, 3);
  EXPECT_EQ(root_partition(all, 1, "d").number, 1);
  EXPECT_EQ(code_of([&] { root_partition(all, 4, "d"); }), Code::not_found);
  EXPECT_EQ(code_of([&] { root_partition({{1, 0, 900, false}}, {}, "d"); }), Code::not_found);
}

} // namespace banger::image
