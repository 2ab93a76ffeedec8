#include "init/init.h"

#include <cstdint>
#include <cstring>
#include <endian.h>
#include <fcntl.h>

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace banger::init {

namespace {

// Of fs/ext4/ext4.h: no header for programs has it.
constexpr unsigned long resize_fs = _IOW('f', 16, uint64_t);

// The superblock's layout is the kernel's documentation of ext4 (filesystems/ext4/globals.rst).
struct Superblock {
  char bytes[1024];
  uint32_t at(size_t offset) const {
    uint32_t v;
    memcpy(&v, bytes + offset, sizeof v);
    return le32toh(v);
  }
};

constexpr size_t incompatible = 0x60; // its features
constexpr uint32_t to_recover = 0x4, wide = 0x80;

bool read_superblock(const char* device, Superblock& super, uint64_t& device_bytes) {
  int fd = open(device, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail("cannot open '%s': %m", device);
  bool ok = ioctl(fd, BLKGETSIZE64, &device_bytes) == 0 &&
            pread(fd, super.bytes, sizeof super.bytes, 1024) == sizeof super.bytes;
  close(fd);
  return ok || fail("cannot read '%s': %m", device);
}

struct Sizes {
  uint64_t device_blocks, fs_blocks;
};

bool read_sizes(const char* device, Sizes& sizes) {
  Superblock super;
  uint64_t bytes = 0;
  if (!read_superblock(device, super, bytes)) return false;
  sizes.fs_blocks = super.at(0x04);
  if (super.at(incompatible) & wide) sizes.fs_blocks |= uint64_t{super.at(0x150)} << 32;
  sizes.device_blocks = bytes >> (10 + (super.at(0x18) & 31));
  return true;
}

} // namespace

bool needs_recovery(const char* device) {
  Superblock super;
  uint64_t bytes;
  return read_superblock(device, super, bytes) && (super.at(incompatible) & to_recover);
}

bool grow_ext4(const char* device, const char* mount_point, bool& grew) {
  Sizes sizes;
  if (!read_sizes(device, sizes)) return false;
  if (sizes.device_blocks <= sizes.fs_blocks) return true;
  int fd = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool ok = fd >= 0 && ioctl(fd, resize_fs, &sizes.device_blocks) == 0;
  if (!ok)
    fail("the file system on '%s' stays at %llu of %llu blocks: %m", device,
         static_cast<unsigned long long>(sizes.fs_blocks),
         static_cast<unsigned long long>(sizes.device_blocks));
  if (fd >= 0) close(fd);
  grew = ok;
  return ok;
}

} // namespace banger::init
