// Root file systems in ext4, filled from a tarball or a directory, and put in order for a VM.
#pragma once

#include <functional>
#include <string>

#include "archive/reader.h"
#include "disk/ext4_files.h"
#include "ops/image/tar_disk.h"

namespace banger::ops {

// Called with the path of each entry as it comes.
using OnEntry = std::function<void(const std::string& path)>;

// A tarball (archive/reader.h): owners, modes, times, devices and attributes are the tar's,
// whichever user this is. Nothing of it touches the host's file system. Entries go through `disk`,
// where one is given.
void fill_from_tar(disk::Ext4Files& to, archive::Reader& tar, const OnEntry& on_entry,
                   TarDisk* disk = nullptr);

// A directory, without file systems that are mounted in it. Files of the user that runs this
// (unless that is root) belong to root there: such a tree was made by a user who could not say so.
// A file that cannot be read, or shrinks meanwhile, is Error(failed).
void fill_from_dir(disk::Ext4Files& to, const std::string& dir, const OnEntry& on_entry);

// Throws Error(failed) for a tree without anything that a kernel could start, and says what it
// seems to be instead. `source` as people know it.
void require_init(disk::Ext4Files& root, const std::string& source);

// Disks of another machine are forgotten (image/hygiene.h): fstab's lines for them become comments,
// units that mount them are masked.
void scrub_root(disk::Ext4Files& root);

} // namespace banger::ops
