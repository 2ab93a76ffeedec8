// libext2fs's headers as they can be included, its file system, and its failures as Error. For this
// room's own files.
#pragma once

#include <string>
#include <string_view>

extern "C" { // this header does not say so itself
#include <et/com_err.h>
}
#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>
#undef clamp // newer versions of it have a macro of that name

namespace banger::disk {

// A file system that somebody else opens and closes.
struct Ext4Raw {
  std::string path; // of the file system's file, for errors
  ext2_filsys fs = nullptr;
  bool writable = false;

  // Throws unless `code` is 0: "cannot DOING 'SUBJECT': …".
  void check(errcode_t code, std::string_view doing, std::string_view subject) const;
  ext2_inode_large read_inode(ext2_ino_t inode, std::string_view shown);
  void write_inode(ext2_ino_t inode, ext2_inode_large& content, std::string_view shown);
};

// For errors: safe for a terminal, and not longer than can be read.
std::string shown_path(std::string_view path);

} // namespace banger::disk
