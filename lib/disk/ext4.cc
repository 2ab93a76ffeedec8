#include "disk/ext4.h"

#include <algorithm>
#include <cstring>

#include <endian.h>
#include <fcntl.h>

#include "core/error.h"
#include "core/text.h"
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

struct Superblock {
  int64_t size = 0;               // bytes, of the file system
  const char* obstacle = nullptr; // why no kernel grows it while it is mounted
};

Superblock read_superblock(int fd, int64_t offset, int64_t have, const std::string& name) {
  std::string block = sys::read_at(fd, offset + superblock_offset, 1024);
  if (block.size() < 1024 || le16toh(field<uint16_t>(block, 0x38)) != 0xef53)
    throw failed("{} is not an ext4 file system", name);
  uint64_t blocks = le32toh(field<uint32_t>(block, 0x04));
  constexpr uint32_t incompat_64bit = 0x80;
  if (le32toh(field<uint32_t>(block, 0x60)) & incompat_64bit)
    blocks |= uint64_t{le32toh(field<uint32_t>(block, 0x150))} << 32;
  uint32_t log_block = le32toh(field<uint32_t>(block, 0x18));
  if (log_block > 6 || blocks > (uint64_t{1} << 50 >> (10 + log_block)))
    throw failed("{} is not an ext4 file system: its superblock makes no sense", name);
  Superblock super;
  super.size = static_cast<int64_t>(blocks << (10 + log_block));
  if (have < super.size)
    throw failed("the file system in {} is truncated: it has {} of {} bytes", name, have,
                 super.size)
        .hint("build or import it again");
  constexpr uint32_t sparse_super2 = 0x200;
  constexpr uint16_t errors = 0x2;
  if (le32toh(field<uint32_t>(block, 0x5c)) & sparse_super2)
    super.obstacle = "has the feature sparse_super2";
  else if (le16toh(field<uint16_t>(block, 0x3a)) & errors)
    super.obstacle = "has recorded errors";
  return super;
}

Superblock read_superblock(const std::string& path) {
  Fd fd = sys::open_file(path, O_RDONLY);
  return read_superblock(fd.get(), 0, sys::size_of(fd.get()), "'" + path + "'");
}

} // namespace

int64_t ext4_size(const std::string& path) { return read_superblock(path).size; }

int64_t ext4_size(int fd, int64_t offset, int64_t have, const std::string& name) {
  return read_superblock(fd, offset, have, name).size;
}

std::string e2fs_program(const std::string& name) {
  for (const std::string& candidate : {name, "/usr/sbin/" + name, "/sbin/" + name})
    if (auto found = sys::find_program(candidate)) return *found;
  throw preflight("cannot find '{}'", name).hint("apt-get install e2fsprogs");
}

namespace {

// They write into files that this process removes where it fails, and end with it.
sys::Command e2fs(std::vector<std::string> argv) {
  argv[0] = e2fs_program(argv[0]);
  return {.argv = std::move(argv), .env = {{"LC_ALL", "C"}}, .cwd = {}, .kept = true};
}

} // namespace

void make_ext4(const std::string& path, int64_t size, const std::string& label,
               std::optional<int64_t> journal_mib) {
  constexpr int64_t mib = 1 << 20;
  if (size < least_ext4)
    throw usage("cannot make a disk of {}: it must have at least {}", format_size(size),
                format_size(least_ext4));
  e2fs_program("mke2fs"); // before anything is made
  Fd fd = sys::open_file(path, O_RDWR | O_CREAT | O_EXCL);
  // The journal is what a guest fills first, on every disk: no larger than serves. A new sparse
  // file reads as zeros: nothing has to be written for it now, nor by the guest's kernel later.
  int64_t journal = journal_mib.value_or(std::clamp(size / 64 / mib, int64_t{4}, int64_t{64}));
  sys::make_or_remove(path, [&] {
    sys::set_size(fd.get(), size, path);
    fd.reset();
    sys::run_ok(e2fs({"mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-L", label,
                      "-J", fmt::format("size={}{}", journal, journal_mib ? ",location=0" : ""),
                      "-E", "root_owner=0:0,assume_storage_prezeroed=1", path}));
  });
}

void check_ext4(const std::string& path) {
  // Status 1 says that something was mended, 2 that a mounted one would need a reboot.
  sys::RunResult check = sys::run(e2fs({"e2fsck", "-fp", path}));
  if (!check.status.exited || check.status.code > 2)
    throw failed("the file system in '{}' is damaged: e2fsck failed ({})", path,
                 check.status.text())
        .hint("e2fsck -f shows what is wrong, and mends a copy of it");
}

void shrink_ext4(const std::string& path, int64_t size) {
  if (size >= ext4_size(path)) return;
  sys::run_ok(e2fs({"resize2fs", path, fmt::format("{}K", size >> 10)}));
  Fd fd = sys::open_file(path, O_RDWR);
  sys::set_size(fd.get(), ext4_size(path), path);
}

void grow_ext4(const std::string& path, int64_t size) {
  int64_t now = ext4_size(path);
  if (size < now)
    throw usage("cannot shrink '{}' from {} to {}", path, format_size(now), format_size(size))
        .hint("a disk can only grow");
  if (size == now) return;
  e2fs_program("resize2fs");
  e2fs_program("e2fsck"); // both are there before anything is touched
  {
    Fd fd = sys::open_file(path, O_RDWR);
    sys::set_size(fd.get(), size, path);
  }
  check_ext4(path); // resize2fs insists on it
  sys::run_ok(e2fs({"resize2fs", path}));
}

bool grows_mounted(const std::string& path) { return !read_superblock(path).obstacle; }

void grow_disk(const std::string& path, int64_t size) {
  Superblock super = read_superblock(path);
  int64_t now = sys::find_info(path)->size;
  if (size < now)
    throw usage("cannot shrink '{}' from {} to {}", path, format_size(now), format_size(size))
        .hint("a disk can only grow");
  if (super.obstacle && size > super.size)
    throw conflict("the file system in '{}' {}, and no kernel grows it then", path, super.obstacle)
        .hint(fmt::format("while the VM is stopped: e2fsck -f {0}; resize2fs {0} {1}K",
                          shell_quote(path), size >> 10));
  if (size > now) {
    Fd fd = sys::open_file(path, O_RDWR);
    sys::set_size(fd.get(), size, path);
  }
  sys::sync_file(path);
}

} // namespace banger::disk
