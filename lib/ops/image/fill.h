// Root file systems in ext4, filled from a tarball or a directory, and put in order for a VM.
#pragma once

#include <functional>
#include <string>

#include "disk/ext4_files.h"

namespace banger::ops {

// Called with the path of each entry as it comes.
using OnEntry = std::function<void(const std::string& path)>;

// A tarball from a descriptor (archive/reader.h): owners, modes, times, devices and attributes are
// what it says, whoever runs this. Nothing of it touches the host's file system.
void fill_from_tar(disk::Ext4Files& to, int fd, const std::string& name, const OnEntry& on_entry);

// A directory, without what is mounted in it. What belongs to the user that runs this (unless that
// is root) belongs to root there: such a tree was made by a user who could not say so. A file that
// cannot be read, or shrinks meanwhile, is Error(failed).
void fill_from_dir(disk::Ext4Files& to, const std::string& dir, const OnEntry& on_entry);

// Throws Error(failed) for what has nothing that a kernel could start.
void require_init(disk::Ext4Files& root, const std::string& source);

// Disks of another machine are forgotten (image/hygiene.h): fstab's lines for them become comments,
// units that mount them are masked.
void scrub_root(disk::Ext4Files& root);

} // namespace banger::ops
