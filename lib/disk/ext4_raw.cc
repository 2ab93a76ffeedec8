#include "disk/ext4_raw.h"

#include <cerrno>

#include "core/error.h"
#include "core/text.h"
#include "disk/ext4_full.h"

namespace banger::disk {

namespace {

// libext2fs's own error codes begin far above every errno.
constexpr errcode_t most_errno = 4095;

constexpr size_t most_shown = 200;

} // namespace

std::string shown_path(std::string_view path) {
  std::string shown = escape_for_terminal(path.substr(0, most_shown));
  return path.size() > most_shown ? shown + "..." : shown;
}

void Ext4Raw::check(errcode_t code, std::string_view doing, std::string_view subject) const {
  if (!code) return;
  std::string shown = shown_path(subject);
  if (code == EXT2_ET_BLOCK_ALLOC_FAIL || code == EXT2_ET_INODE_ALLOC_FAIL)
    throw Ext4Full(Code::failed, fmt::format("cannot {} '{}' in '{}': the file system is full",
                                             doing, shown, path));
  // Whichever call gave it, a write from the library's cache has failed.
  if (code == ENOSPC) throw sys_error(ENOSPC, "cannot write '{}'", path);
  if (code > 0 && code <= most_errno)
    throw sys_error(static_cast<int>(code), "cannot {} '{}' in '{}'", doing, shown, path);
  throw failed("cannot {} '{}' in '{}': {}", doing, shown, path, error_message(code));
}

ext2_inode_large Ext4Raw::read_inode(ext2_ino_t inode, std::string_view shown) {
  ext2_inode_large content{};
  check(ext2fs_read_inode_full(fs, inode, reinterpret_cast<ext2_inode*>(&content), sizeof content),
        "read", shown);
  return content;
}

void Ext4Raw::write_inode(ext2_ino_t inode, ext2_inode_large& content, std::string_view shown) {
  check(ext2fs_write_inode_full(fs, inode, reinterpret_cast<ext2_inode*>(&content), sizeof content),
        "write", shown);
}

} // namespace banger::disk
