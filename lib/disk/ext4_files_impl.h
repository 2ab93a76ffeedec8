// libext2fs's objects, owned, and its failures as Error. For this room's own files.
#pragma once

#include <string>
#include <string_view>

#include "disk/ext4_files.h"
#include "disk/ext4_names.h"
#include "disk/ext4_raw.h"

namespace banger::disk {

struct Ext4Handle : Ext4Raw {
  Names names{*this};
  // The directory in which the last file was made: trees come directory by directory.
  std::string last_parent;
  ext2_ino_t last_parent_inode = 0;

  Ext4Handle(const std::string& file, Ext4Files::Mode mode);
  Ext4Handle(const Ext4Handle&) = delete;
  Ext4Handle& operator=(const Ext4Handle&) = delete;
  ~Ext4Handle();

  enum class Missing { stay, make };
  // The inode that a path leads to, from the root on; 0 if there is nothing. A link at the end is
  // followed with `follow`. Missing directories can be made, those of the path itself.
  ext2_ino_t find(const std::string& at, bool follow, Missing missing = Missing::stay);
  FileNode node(ext2_ino_t inode, std::string_view shown);
  std::map<std::string, std::string> attributes(ext2_ino_t inode, std::string_view shown);

  struct Place {
    ext2_ino_t dir = 0;
    std::string name;
  };
  // Where `at` is to be made; its parents are.
  Place place_of(const std::string& at);
  // Makes the name free for something that is no directory.
  void clear(const Place& place, const std::string& shown);
  void drop_link(ext2_ino_t inode, std::string_view shown);
  ext2_ino_t new_inode(ext2_ino_t dir, mode_t mode, std::string_view shown);
  ext2_ino_t make_dir_inode(const Place& place, const std::string& shown);
  // An inode of that type with one link in `place`, without content.
  ext2_ino_t make_inode(const Place& place, const FileMeta& meta, uint32_t device,
                        const std::string& shown);
  void write_content(ext2_ino_t inode, int64_t size, const ChunkSource& source,
                     std::string_view shown);
  void set_meta(ext2_ino_t inode, const FileMeta& meta, std::string_view shown);
  void set_attributes(ext2_ino_t inode, const std::map<std::string, std::string>& attributes,
                      std::string_view shown);
};

struct DirEntry {
  std::string name;
  ext2_ino_t inode;
};
// All but "." and "..", as they lie there.
std::vector<DirEntry> entries_of(Ext4Handle& fs, ext2_ino_t dir, const std::string& shown);

std::string link_target(Ext4Handle& from, ext2_ino_t inode, const std::string& shown);

// A file's content piece by piece; the pieces live until the next call.
ChunkSource content_of(Ext4Handle& from, ext2_ino_t inode, std::string shown);

} // namespace banger::disk
