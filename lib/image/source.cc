#include "image/source.h"

#include <string_view>

#include <fcntl.h>

#include "core/error.h"
#include "image/partitions.h"
#include "sys/file.h"

namespace banger::image {

namespace {

struct Magic {
  std::string_view bytes, name;
};
// Forms of disks that are none themselves.
constexpr Magic wrapped[] = {{"QFI\xfb", "a qcow2 disk"},
                             {"KDMV", "a VMDK disk"},
                             {"conectix", "a VHD disk"},
                             {"vhdxfile", "a VHDX disk"},
                             {"<<< Oracle", "a VDI disk"}};
constexpr size_t ext_magic_at = 0x438;

bool has_ext(int fd, int64_t offset) {
  return sys::read_at(fd, offset + static_cast<int64_t>(ext_magic_at), 2) == "\x53\xef";
}

void refuse_foreign(int fd, int64_t offset, int64_t size, const std::string& what) {
  std::string head = sys::read_at(fd, offset, 16);
  for (const Magic& m : wrapped)
    if (head.starts_with(m.bytes))
      throw failed("cannot import {}: it is {}", what, m.name)
          .hint("qemu-img convert -O raw makes a raw disk of it");
  if (auto found = foreign_content(fd, offset, size))
    throw failed("cannot import {}: it is {}", what, *found)
        .hint("an image's root is ext4: import a tarball of its files");
}

} // namespace

Source look_at_source(const std::string& path, std::optional<int> partition) {
  auto not_partitioned = [&] {
    return usage("'{}' has no partitions", path).hint("leave --partition out");
  };
  if (path == "-") {
    if (partition) throw not_partitioned();
    return {SourceKind::tar, path, 0, 0};
  }
  auto info = sys::find_info(path);
  if (!info) throw not_found("there is no '{}'", path).subject(path);
  if (info->is_dir) {
    if (partition) throw not_partitioned();
    return {SourceKind::directory, path, 0, 0};
  }
  if (!info->is_file) throw usage("cannot import '{}': it is neither a file nor a directory", path);
  Fd fd = sys::open_file(path, O_RDONLY);
  auto readings = find_partitions(fd.get(), info->size, path);
  if (!readings.empty()) {
    Partition root = root_partition(readings.front(), partition, path);
    // Another reading of the table is the right one where it leads to a file system.
    for (const auto& partitions : readings)
      for (const Partition& p : partitions)
        if (p.number == root.number && !has_ext(fd.get(), root.offset) &&
            has_ext(fd.get(), p.offset))
          root = p;
    std::string what = fmt::format("partition {} of '{}'", root.number, path);
    refuse_foreign(fd.get(), root.offset, root.size, what);
    if (!has_ext(fd.get(), root.offset))
      throw failed("cannot import {}: it holds no ext4 file system", what);
    return {SourceKind::disk, path, root.offset, root.size};
  }
  if (partition) throw not_partitioned();
  if (has_ext(fd.get(), 0)) return {SourceKind::ext4, path, 0, info->size};
  refuse_foreign(fd.get(), 0, info->size, "'" + path + "'");
  return {SourceKind::tar, path, 0, 0};
}

} // namespace banger::image
