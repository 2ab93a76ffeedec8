#include "disk/ext4.h"

#include <cstring>

#include <endian.h>
#include <fcntl.h>

#include "core/error.h"
#include "core/units.h"
#include "sys/file.h"
#include "sys/process.h"

namespace banger::disk {

namespace {

constexpr int64_t superblock_offset = 1024;

template <typename T>
T field(const std::string& block, size_t offset) {
  T v;
  std::memcpy(&v, block.data() + offset, sizeof v);
  return v;
}

} // namespace

int64_t ext4_size(const std::string& path) {
  Fd fd = sys::open_file(path, O_RDONLY);
  std::string block = sys::read_at(fd.get(), superblock_offset, 1024);
  if (block.size() < 1024 || le16toh(field<uint16_t>(block, 0x38)) != 0xef53)
    throw failed("'{}' is not an ext4 file system", path);
  uint64_t blocks = le32toh(field<uint32_t>(block, 0x04));
  constexpr uint32_t incompat_64bit = 0x80;
  if (le32toh(field<uint32_t>(block, 0x60)) & incompat_64bit)
    blocks |= uint64_t{le32toh(field<uint32_t>(block, 0x150))} << 32;
  uint32_t log_block = le32toh(field<uint32_t>(block, 0x18));
  if (log_block > 6 || blocks > (uint64_t{1} << 50 >> (10 + log_block)))
    throw failed("'{}' is not an ext4 file system: its superblock makes no sense", path);
  auto size = static_cast<int64_t>(blocks << (10 + log_block));
  int64_t have = sys::find_info(path)->size;
  if (have < size)
    throw failed("the file system in '{}' is truncated: it has {} of {} bytes", path, have, size)
        .hint("build or import it again");
  return size;
}

std::string e2fs_program(const std::string& name) {
  for (const std::string& candidate : {name, "/usr/sbin/" + name, "/sbin/" + name})
    if (auto found = sys::find_program(candidate)) return *found;
  throw preflight("cannot find '{}'", name).hint("apt-get install e2fsprogs");
}

void grow_ext4(const std::string& path, int64_t size) {
  int64_t now = ext4_size(path);
  if (size < now)
    throw usage("cannot shrink '{}' from {} to {}", path, format_size(now), format_size(size))
        .hint("a disk can only grow");
  if (size == now) return;
  std::string e2fsck = e2fs_program("e2fsck"), resize2fs = e2fs_program("resize2fs");
  {
    Fd fd = sys::open_file(path, O_RDWR);
    sys::set_size(fd.get(), size, path);
  }
  // resize2fs insists on a check; e2fsck's status 1 says that it mended something.
  sys::RunResult check = sys::run({{e2fsck, "-fp", path}, {}, {}, false});
  if (!check.status.exited || check.status.code > 1)
    throw failed("cannot check the file system in '{}': e2fsck failed ({})", path,
                 check.status.text());
  sys::run_ok({{resize2fs, path}, {}, {}, false});
}

} // namespace banger::disk
