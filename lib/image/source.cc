#include "image/source.h"

#include <string_view>

#include <fcntl.h>

#include "core/error.h"
#include "image/partitions.h"
#include "sys/file.h"

namespace banger::image {

namespace {

struct Magic {
  size_t offset;
  std::string_view bytes, name;
};
// File systems and disks that people have, and banger does not boot from as they are.
constexpr Magic foreign[] = {
    {0, "QFI\xfb", "a qcow2 disk"},        {0, "KDMV", "a VMDK disk"},
    {0, "conectix", "a VHD disk"},         {0, "vhdxfile", "a VHDX disk"},
    {0, "<<< Oracle", "a VDI disk"},       {0, "XFSB", "an XFS file system"},
    {0, "hsqs", "a squashfs file system"}, {0x10040, "_BHRfS_M", "a btrfs file system"},
    {0x8001, "CD001", "a CD image"},       {0, "LUKS\xba\xbe", "an encrypted disk"},
    {0x218, "LVM2 001", "an LVM volume"}};
constexpr size_t to_read = 0x10040 + 64;
constexpr size_t ext_magic_at = 0x438;

bool has_ext(std::string_view head) {
  return head.size() > ext_magic_at + 1 && head[ext_magic_at] == '\x53' &&
         head[ext_magic_at + 1] == '\xef';
}

void refuse_foreign(std::string_view head, const std::string& what) {
  for (const Magic& m : foreign)
    if (head.size() >= m.offset + m.bytes.size() &&
        head.substr(m.offset, m.bytes.size()) == m.bytes)
      throw failed("cannot import {}: it is {}", what, m.name)
          .hint(m.name.ends_with("disk")
                    ? "qemu-img convert -O raw makes a raw disk of it"
                    : "an image's root is ext4: import a tarball of its files");
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
  std::string head = sys::read_at(fd.get(), 0, to_read);
  auto partitions = find_partitions(fd.get(), info->size, path);
  if (partitions) {
    Partition root = root_partition(*partitions, partition, path);
    std::string what = fmt::format("partition {} of '{}'", root.number, path);
    std::string begin = sys::read_at(fd.get(), root.offset, to_read);
    refuse_foreign(begin, what);
    if (!has_ext(begin)) throw failed("cannot import {}: it holds no ext4 file system", what);
    return {SourceKind::disk, path, root.offset, root.size};
  }
  if (partition) throw not_partitioned();
  if (has_ext(head)) return {SourceKind::ext4, path, 0, info->size};
  refuse_foreign(head, "'" + path + "'");
  return {SourceKind::tar, path, 0, 0};
}

} // namespace banger::image
