// Ext4 file systems in files, handled without mounting.
//
// The superblock's layout is the kernel's documentation of ext4 (filesystems/ext4/globals.rst).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/limits.h"

namespace banger::disk {

// Bytes of the file system in `path`, by its superblock. Throws Error(failed) if that is no ext
// file system, or if the file is shorter than the file system (truncated).
int64_t ext4_size(const std::string& path);
// The same at `offset` of an open file or device, which has `have` bytes from there on; `name` is
// quoted already.
int64_t ext4_size(int fd, int64_t offset, int64_t have, const std::string& name);

// No file system of less.
inline constexpr int64_t least_ext4 = least_disk;

// A size as a file system can have it: rounded up to whole blocks.
inline int64_t whole_blocks(int64_t size) { return (size + 4095) / 4096 * 4096; }

// Makes the file, 0600, with an empty file system of that size in it; both are sparse. On failure
// nothing is left. A journal of a given size lies at the file system's begin, as is best for one
// that will be shrunk. Runs mke2fs; Error(preflight) where it is missing.
void make_ext4(const std::string& path, int64_t size, const std::string& label,
               std::optional<int64_t> journal_mib = {});

// Makes the file and its file system `size` bytes large. It must not be in use. Shrinking throws
// Error(usage). Runs e2fsck and resize2fs; Error(preflight) where they are missing. Killed while
// resize2fs writes, the file system may need e2fsck by hand: for files that are thrown away then.
void grow_ext4(const std::string& path, int64_t size);

// Whether Linux (6.1) grows such a file system while it is mounted: not with sparse_super2, nor
// with recorded errors, which e2fsck mends.
bool grows_mounted(const std::string& path);

// Makes a disk that is not in use `size` bytes large, synced. A smaller size throws Error(usage), a
// file system that does not grow mounted Error(conflict), a disk without a whole one Error(failed);
// the disk is as it was then.
//
// Only the file grows, which is done at once or not at all. Its file system follows at the next
// boot: the guest's kernel grows it, mounted (runtime/init/ext4.cc), so a kill at any moment leaves
// it as whole as its journal keeps it. No program of the host reads what a guest wrote.
void grow_disk(const std::string& path, int64_t size);

// Makes file system and file smaller, down to `size` bytes; never larger. For a file system that
// was just made: nothing is checked first.
void shrink_ext4(const std::string& path, int64_t size);

// Checks a file system from elsewhere, replays its journal and mends what can be mended without
// loss. Throws Error(failed) for a damaged one.
void check_ext4(const std::string& path);

// A program of e2fsprogs; they lie in /usr/sbin, which a plain user's PATH often lacks.
std::string e2fs_program(const std::string& name);

} // namespace banger::disk
