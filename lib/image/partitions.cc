#include "image/partitions.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <endian.h>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "sys/file.h"

namespace banger::image {

namespace {

constexpr int64_t sector = 512;
constexpr size_t table_at = 446, entry_size = 16;
constexpr int most_logical = 128;
constexpr uint32_t most_entries = 1024, least_entry = 128, most_entry = 4096;

template <typename T>
T field(std::string_view bytes, size_t at) {
  T v{};
  if (at + sizeof v <= bytes.size()) std::memcpy(&v, bytes.data() + at, sizeof v);
  if constexpr (sizeof v == 8) v = le64toh(v);
  if constexpr (sizeof v == 4) v = le32toh(v);
  return v;
}

std::string read_sector(int fd, int64_t number) {
  return sys::read_at(fd, number * sector, static_cast<size_t>(sector));
}

bool has_signature(std::string_view boot) {
  return boot.size() == sector && boot[510] == '\x55' && boot[511] == '\xaa';
}

struct Entry {
  uint8_t type = 0;
  int64_t first = 0, count = 0; // sectors
};
Entry mbr_entry(std::string_view boot, size_t i) {
  size_t at = table_at + i * entry_size;
  return {static_cast<uint8_t>(boot[at + 4]), field<uint32_t>(boot, at + 8),
          field<uint32_t>(boot, at + 12)};
}
bool is_extended(uint8_t type) { return type == 0x05 || type == 0x0f || type == 0x85; }

// The specification's own types, as they lie on the disk: "Linux filesystem data", and the root
// partitions of x86-64 and x86 (Discoverable Partitions Specification).
bool is_linux(std::string_view guid) {
  constexpr std::string_view types[] = {
      {"\xaf\x3d\xc6\x0f\x83\x84\x72\x47\x8e\x79\x3d\x69\xd8\x47\x7d\xe4", 16},
      {"\xe3\xbc\x68\x4f\xcd\xe8\xb1\x4d\x96\xe7\xfb\xca\xf9\x84\xb7\x09", 16},
      {"\x40\x95\x47\x44\x97\xf2\xb2\x41\x9a\xf7\xd1\x31\xd5\xf0\x45\x8a", 16}};
  return std::ranges::find(types, guid) != std::end(types);
}

struct Reader {
  int fd;
  int64_t size;
  std::vector<Partition> found{};

  void add(int number, int64_t first, int64_t count, bool linux) {
    int64_t sectors = size / sector;
    if (first <= 0 || count <= 0 || first >= sectors || count > sectors) return;
    found.push_back({number, first * sector, count * sector, linux});
  }

  bool read_gpt(const std::string& name) {
    std::string header = read_sector(fd, 1);
    if (!header.starts_with("EFI PART")) return false;
    auto entries = field<uint64_t>(header, 72);
    auto count = field<uint32_t>(header, 80), each = field<uint32_t>(header, 84);
    if (count > most_entries || each < least_entry || each > most_entry ||
        entries >= static_cast<uint64_t>(size / sector))
      throw failed("the partition table of '{}' makes no sense", name);
    std::string table =
        sys::read_at(fd, static_cast<int64_t>(entries) * sector, size_t{count} * each);
    for (uint32_t i = 0; i < count && (i + 1) * size_t{each} <= table.size(); i++) {
      std::string_view entry = std::string_view(table).substr(i * size_t{each}, each);
      if (entry.substr(0, 16) == std::string_view(std::string(16, '\0'))) continue;
      auto first = field<uint64_t>(entry, 32), last = field<uint64_t>(entry, 40);
      if (last < first || last > INT64_MAX / sector - 1) continue;
      add(static_cast<int>(i) + 1, static_cast<int64_t>(first),
          static_cast<int64_t>(last - first + 1), is_linux(entry.substr(0, 16)));
    }
    return true;
  }

  // Each extended record tells one logical partition, and where the next record is.
  void read_logical(int64_t extended) {
    int64_t record = extended;
    for (int number = 5; number < 5 + most_logical; number++) {
      std::string boot = read_sector(fd, record);
      if (!has_signature(boot)) return;
      Entry logical = mbr_entry(boot, 0), next = mbr_entry(boot, 1);
      if (logical.type) add(number, record + logical.first, logical.count, logical.type == 0x83);
      if (!is_extended(next.type) || next.first == 0) return;
      record = extended + next.first;
    }
  }

  void read_mbr(std::string_view boot) {
    for (size_t i = 0; i < 4; i++) {
      Entry e = mbr_entry(boot, i);
      if (is_extended(e.type))
        read_logical(e.first);
      else if (e.type)
        add(static_cast<int>(i) + 1, e.first, e.count, e.type == 0x83);
    }
  }
};

// A boot sector's signature alone is no partition table: file systems have it too.
bool looks_like_table(std::string_view boot) {
  bool any = false;
  for (size_t i = 0; i < 4; i++) {
    auto flag = static_cast<uint8_t>(boot[table_at + i * entry_size]);
    if (flag != 0 && flag != 0x80) return false;
    any = any || mbr_entry(boot, i).type;
  }
  return any;
}

} // namespace

std::optional<std::vector<Partition>> find_partitions(int fd, int64_t size,
                                                      const std::string& name) {
  std::string boot = read_sector(fd, 0);
  Reader reader{fd, size};
  if (reader.read_gpt(name)) return std::move(reader.found);
  if (!has_signature(boot) || !looks_like_table(boot)) return {};
  reader.read_mbr(boot);
  return std::move(reader.found);
}

Partition root_partition(const std::vector<Partition>& partitions, std::optional<int> number,
                         const std::string& name) {
  std::vector<std::string> list;
  const Partition* best = nullptr;
  for (const Partition& p : partitions) {
    list.push_back(
        fmt::format("{} ({}{})", p.number, format_size(p.size), p.linux ? ", Linux" : ""));
    if (number ? p.number == *number : p.linux && (!best || p.size > best->size)) best = &p;
  }
  if (best) return *best;
  std::string has = list.empty() ? "it has none" : fmt::format("it has {}", join(list, ", "));
  if (number) throw not_found("'{}' has no partition {}", name, *number).hint(has);
  throw not_found("'{}' has no Linux partition", name).hint(has + "; name one with --partition");
}

} // namespace banger::image
