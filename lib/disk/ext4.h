// Ext4 file systems in files, handled without mounting.
//
// The superblock's layout is the kernel's documentation of ext4 (filesystems/ext4/globals.rst).
#pragma once

#include <cstdint>
#include <string>

namespace banger::disk {

// Bytes of the file system in `path`, by its superblock. Throws Error(failed) if that is no ext
// file system, or if the file is shorter than the file system (truncated).
int64_t ext4_size(const std::string& path);

// Makes the file and its file system `size` bytes large. It must not be in use. Shrinking throws
// Error(usage). Runs e2fsck and resize2fs; Error(preflight) where they are missing.
void grow_ext4(const std::string& path, int64_t size);

// A program of e2fsprogs; they lie in /usr/sbin, which a plain user's PATH often lacks.
std::string e2fs_program(const std::string& name);

} // namespace banger::disk
