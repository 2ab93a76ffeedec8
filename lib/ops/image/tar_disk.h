// A disk that comes in a tarball, alone or beside a note about it, as Debian's own cloud images do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "archive/reader.h"
#include "disk/ext4_files.h"
#include "ops/image/limits.h"
#include "sys/sparse.h"

namespace banger::ops {

// Takes entries that are disks out of a tarball as long as nothing of a root file system was in it.
// A disk in a root file system is a file like others, also where it comes first.
class TarDisk {
public:
  // `name` is the tarball's, for errors; `spool` a path for the disk's content.
  TarDisk(std::string name, std::string spool, Limits limits);

  // Makes the tar's present entry in `to`, or keeps it here. Error(failed) for a second disk.
  void take(const TreeEntry& entry, archive::Reader& tar, disk::Ext4Files& to);

  struct Disk {
    std::string name; // of the disk in the tarball, for errors
    int64_t size = 0;
    int fd = -1; // this object's
  };
  // At the tar's end: the disk to import instead of the tree that came with it.
  std::optional<Disk> disk() const;

private:
  bool may_hold_a_disk(const TreeEntry& entry);
  std::string shown(const TreeEntry& entry) const;
  void put_back(const TreeEntry& entry, disk::Ext4Files& to);

  std::string name_, spool_path_;
  Limits limits_;
  bool root_seen_ = false;
  std::optional<sys::SparseFile> spool_;
  std::optional<TreeEntry> kept_;
};

} // namespace banger::ops
