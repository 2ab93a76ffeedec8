// The names in the directories of an ext4 file system that is written. For this room's own files.
//
// libext2fs looks for a name, and for room for one, from a directory's begin on: each costs as much
// as the directory has names, and a directory of n files n * n. Here the names of the directories
// that were used are kept, about 100 bytes each, and a new one goes to a directory's last block.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "disk/ext4_raw.h"

namespace banger::disk {

class Names {
public:
  explicit Names(Ext4Raw& fs) : fs_(fs) {}

  // 0 if there is nothing of that name. `shown` is for errors, here as below.
  ext2_ino_t find(ext2_ino_t dir, const std::string& name, const std::string& shown);
  // The name is not there. `type` is an EXT2_FT_….
  void add(ext2_ino_t dir, const std::string& name, ext2_ino_t inode, int type,
           const std::string& shown);
  // The name is there; the file that it was a name of is left as it is.
  void remove(ext2_ino_t dir, const std::string& name, ext2_ino_t inode, const std::string& shown);

private:
  struct Name {
    ext2_ino_t inode = 0;
    uint32_t block = 0; // of the directory
  };
  struct Directory {
    std::unordered_map<std::string, Name> names{};
    uint32_t blocks = 0;
    std::optional<uint32_t> roomy{}; // a block from which a name went
  };
  // None for a directory of a kind that libext2fs alone knows.
  Directory* directory(ext2_ino_t dir, const std::string& shown);
  void read_block(ext2_ino_t dir, uint32_t block, const std::string& shown);
  void write_block(ext2_ino_t dir, uint32_t block, const std::string& shown);
  blk64_t place_of(ext2_ino_t dir, uint32_t block, const std::string& shown);
  // Whether the block that was read had room, and has the name now.
  bool put(const std::string& name, ext2_ino_t inode, int type);
  void append_block(ext2_ino_t dir, Directory& directory, const std::string& shown);

  Ext4Raw& fs_;
  std::unordered_map<ext2_ino_t, Directory> directories_;
  std::string block_; // the one that was read
};

} // namespace banger::disk
