#include "image/partitions.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>

#include <blkid/blkid.h>
#include <endian.h>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "sys/file.h"

namespace banger::image {

namespace {

constexpr int64_t unit = 512; // in which libblkid tells places, however large sectors are
constexpr std::array<unsigned, 2> sector_sizes{512, 4096};

struct FreeProbe {
  void operator()(blkid_probe probe) const { blkid_free_probe(probe); }
};
using Probe = std::unique_ptr<std::remove_pointer_t<blkid_probe>, FreeProbe>;

// None where there is nothing to look at.
Probe probe_of(int fd, int64_t offset, int64_t size) {
  Probe probe(size > 0 ? blkid_new_probe() : nullptr);
  if (probe && blkid_probe_set_device(probe.get(), fd, offset, size) != 0) probe.reset();
  return probe;
}

bool is_extended(int type) { return type == 0x05 || type == 0x0f || type == 0x85; }

// "Linux filesystem data", and the root partitions of x86-64 and x86 (Discoverable Partitions
// Specification); of an MBR "Linux".
bool is_linux(blkid_partition partition, bool gpt) {
  if (!gpt) return blkid_partition_get_type(partition) == 0x83;
  constexpr std::string_view types[] = {"0fc63daf-8483-4772-8e79-3d69d8477de4",
                                        "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
                                        "44479540-f297-41b2-9af7-d131d5f0458a"};
  const char* type = blkid_partition_get_type_string(partition);
  return type && std::ranges::find(types, type) != std::end(types);
}

struct Type {
  int mbr;
  std::string_view gpt, name;
};
constexpr Type no_roots[] = {{0x82, "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "swap"},
                             {0x8e, "e6d6d379-f507-44c2-a23c-238f2a3df928", "LVM"},
                             {0xfd, "a19d880f-05fc-4d3b-a006-743f0f84911e", "RAID"},
                             {0xef, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "EFI"}};

std::string_view type_of(blkid_partition partition, bool gpt) {
  const char* text = gpt ? blkid_partition_get_type_string(partition) : nullptr;
  const auto* found = std::ranges::find_if(no_roots, [&](const Type& t) {
    return gpt ? text && t.gpt == text : t.mbr == blkid_partition_get_type(partition);
  });
  return found == std::end(no_roots) ? std::string_view() : found->name;
}

struct Table {
  bool gpt = false;
  std::vector<Partition> partitions;
  std::optional<Partition> beyond; // one that ends behind the disk
};

std::optional<Table> read_table(int fd, int64_t size, unsigned sector) {
  Probe probe = probe_of(fd, 0, size);
  if (!probe) return {};
  blkid_probe_set_sectorsize(probe.get(), sector);
  blkid_probe_enable_superblocks(probe.get(), 0);
  blkid_probe_enable_partitions(probe.get(), 1);
  char dos[] = "dos", gpt[] = "gpt";
  char* tables[] = {dos, gpt, nullptr};
  blkid_probe_filter_partitions_type(probe.get(), BLKID_FLTR_ONLYIN, tables);
  blkid_partlist list = blkid_probe_get_partitions(probe.get());
  blkid_parttable table = list ? blkid_partlist_get_table(list) : nullptr;
  if (!table) return {};
  Table found;
  found.gpt = std::string_view(blkid_parttable_get_type(table)) == "gpt";
  for (int i = 0; i < blkid_partlist_numof_partitions(list); i++) {
    blkid_partition p = blkid_partlist_get_partition(list, i);
    // Some partitions have tables of their own, of other systems.
    if (!p || blkid_parttable_get_parent(blkid_partition_get_table(p))) continue;
    if (!found.gpt && is_extended(blkid_partition_get_type(p))) continue;
    int64_t first = blkid_partition_get_start(p), count = blkid_partition_get_size(p);
    if (first <= 0 || count <= 0) continue;
    constexpr int64_t most = std::numeric_limits<int64_t>::max() / unit / 2;
    Partition partition{blkid_partition_get_partno(p), std::min(first, most) * unit,
                        std::min(count, most) * unit, is_linux(p, found.gpt),
                        type_of(p, found.gpt)};
    if (partition.offset + partition.size <= size)
      found.partitions.push_back(partition);
    else if (!found.beyond)
      found.beyond = partition;
  }
  return found;
}

// An MBR whose one partition says: this disk has a GPT.
bool announces_gpt(int fd) {
  std::string boot = sys::read_at(fd, 0, 512);
  if (boot.size() < 512 || boot[510] != '\x55' || boot[511] != '\xaa') return false;
  for (size_t at = 446; at < 510; at += 16)
    if (boot[at + 4] == '\xee') return true;
  return false;
}

// A GPT's copy lies in the last sector of the disk, as it was made; it may have grown since.
void require_end(int fd, int64_t size, unsigned sector, const std::string& name) {
  std::string header = sys::read_at(fd, sector, 40);
  if (!header.starts_with("EFI PART")) return; // the copy is all that was found
  uint64_t last = 0;
  std::memcpy(&last, header.data() + 32, sizeof last);
  last = le64toh(last);
  if (last >= static_cast<uint64_t>(size) / sector)
    throw failed("'{}' is cut short: it had {} sectors of {} bytes, and has {}", name, last + 1,
                 sector, static_cast<uint64_t>(size) / sector)
        .hint("copy or fetch it again");
}

struct Foreign {
  const char *type, *name;
};
constexpr Foreign foreign[] = {
    {"xfs", "an XFS file system"},          {"btrfs", "a btrfs file system"},
    {"squashfs", "a squashfs file system"}, {"squashfs3", "a squashfs file system"},
    {"erofs", "an EROFS file system"},      {"f2fs", "an F2FS file system"},
    {"vfat", "a FAT file system"},          {"exfat", "an exFAT file system"},
    {"ntfs", "an NTFS file system"},        {"iso9660", "a CD image"},
    {"udf", "a UDF file system"},           {"swap", "swap space"},
    {"zfs_member", "part of a ZFS pool"},   {"linux_raid_member", "part of a RAID"},
    {"LVM2_member", "an LVM volume"},       {"crypto_LUKS", "encrypted (LUKS)"}};

} // namespace

std::vector<std::vector<Partition>> find_partitions(int fd, int64_t size, const std::string& name) {
  std::vector<std::vector<Partition>> readings;
  std::optional<Partition> beyond;
  for (unsigned sector : sector_sizes) {
    auto table = read_table(fd, size, sector);
    if (!table) continue;
    if (table->gpt) {
      require_end(fd, size, sector, name);
      return {std::move(table->partitions)};
    }
    if (!table->beyond)
      readings.push_back(std::move(table->partitions));
    else if (!beyond)
      beyond = table->beyond;
  }
  if (readings.empty() && beyond)
    throw failed("'{}' is cut short: its partition {} ends at byte {}, and it has {}", name,
                 beyond->number, beyond->offset + beyond->size, size)
        .hint("copy or fetch it again");
  if (readings.empty() && announces_gpt(fd))
    throw failed("the partition table of '{}' makes no sense: it has no GPT that is whole", name)
        .hint("is the disk cut short? sfdisk -V says what is wrong with it");
  return readings;
}

Partition root_partition(const std::vector<Partition>& partitions, std::optional<int> number,
                         const std::string& name) {
  std::vector<std::string> list;
  const Partition* best = nullptr;
  bool any_unknown = false;
  for (const Partition& p : partitions) {
    std::string_view type = p.linux ? "Linux" : p.type;
    list.push_back(
        fmt::format("{} ({}{}{})", p.number, format_size(p.size), type.empty() ? "" : ", ", type));
    any_unknown = any_unknown || type.empty();
    if (number ? p.number == *number : p.linux && (!best || p.size > best->size)) best = &p;
  }
  if (best) return *best;
  std::string has = list.empty() ? "it has none" : fmt::format("it has {}", join(list, ", "));
  if (number) throw not_found("'{}' has no partition {}", name, *number).hint(has);
  if (list.empty())
    throw not_found("'{}' has no partitions: its partition table is empty", name)
        .hint("an image is made of a disk that has its root in a partition, or of an ext4 file "
              "system");
  throw not_found("'{}' has no Linux partition", name)
      .hint(has + (any_unknown ? "; name one with --partition"
                               : "; where its root is mounted in DIR: "
                                 "tar -C DIR -c . | banger image import NAME -"));
}

std::optional<ForeignContent> foreign_content(int fd, int64_t offset, int64_t size) {
  Probe probe = probe_of(fd, offset, size);
  if (!probe) return {};
  std::array<char*, std::size(foreign) + 1> types{};
  for (size_t i = 0; i < std::size(foreign); i++) types[i] = const_cast<char*>(foreign[i].type);
  blkid_probe_enable_superblocks(probe.get(), 1);
  blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE);
  blkid_probe_filter_superblocks_type(probe.get(), BLKID_FLTR_ONLYIN, types.data());
  const char* type = nullptr;
  if (blkid_do_safeprobe(probe.get()) != 0 ||
      blkid_probe_lookup_value(probe.get(), "TYPE", &type, nullptr) != 0)
    return {};
  const auto* found = std::ranges::find_if(
      foreign, [&](const Foreign& f) { return std::string_view(f.type) == type; });
  if (found == std::end(foreign)) return {};
  return ForeignContent{found->name, found->type != std::string_view("swap")};
}

} // namespace banger::image
