// Ext4 file systems in files, handled without mounting.
//
// The superblock's layout is the kernel's documentation of ext4 (filesystems/ext4/globals.rst).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace banger::disk {

// Bytes of the file system in `path`, by its superblock. Throws Error(failed) if that is no ext
// file system, or if the file is shorter than the file system (truncated).
int64_t ext4_size(const std::string& path);

// No file system of less.
inline constexpr int64_t least_ext4 = int64_t{16} << 20;

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

// Makes a disk that nobody uses `size` bytes large, synced. A smaller size throws Error(usage), and
// so does Error(failed) for what holds no whole file system; the disk is as it was then.
//
// Only the file grows, which is done at once or not at all. Its file system follows at the next
// boot: the guest's kernel grows it, mounted and journalled (runtime/init/ext4.cc), so whatever is
// killed whenever leaves it whole. Three kinds that only an import brings are grown here and now,
// by grow_ext4 and with its risk: without a journal there is nothing to protect them at any time,
// and Linux (6.1) refuses sparse_super2 and those with recorded errors, which e2fsck mends first.
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
