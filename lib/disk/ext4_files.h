// The files of an ext4 file system that is not mounted, read and written with libext2fs. No rights
// are needed: owners, modes, times, devices and attributes are what the caller says.
//
// Paths are relative to the file system's root and resolved in it as for a process confined there:
// a symbolic link, an absolute one too, never leads out. Only the last component of a path that is
// made is not followed; a file that is there already is replaced, except that a directory stays one
// (its owner, mode, time and attributes are set). Missing parents are made, 0755, root's.
//
// When finish() has returned, all writes are on the disk. Without it the file system is broken: the
// caller that makes one removes it on failure. The file must not be in use. Error(failed) says
// which path; Ext4Full that the file system has no room left. Not thread safe.
//
// An entry costs as much as its path and content are long, however many names its directory has,
// and about 100 bytes of memory. Paths are as long as Linux takes them (model/tree.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "disk/ext4_full.h"
#include "model/tree.h"

namespace banger::disk {

struct FileNode {
  uint32_t inode = 0;
  FileMeta meta; // without its attributes
  int64_t size = 0;
  int links = 0;
};

struct Ext4Handle; // disk/ext4_files_impl.h

class Ext4Files {
public:
  enum class Mode { read, write };
  Ext4Files(const std::string& path, Mode mode);
  Ext4Files(Ext4Files&&) noexcept;
  ~Ext4Files();

  // The file that a path leads to; none if nothing is there.
  std::optional<FileNode> find(const std::string& path);
  // The same, but a link at the end is the link itself.
  std::optional<FileNode> find_link(const std::string& path);
  // A regular file's content. Throws when it is larger than `max`.
  std::string read(const std::string& path, size_t max);
  // Extended; of what the path itself is.
  std::map<std::string, std::string> attributes(const std::string& path);
  std::vector<std::string> list(const std::string& dir); // sorted, without "." and ".."

  void make_dir(const std::string& path, const FileMeta& meta);
  // `size`: at least; a range that no chunk reaches is a hole.
  void make_file(const std::string& path, const FileMeta& meta, int64_t size,
                 const ChunkSource& source);
  void make_file(const std::string& path, const FileMeta& meta, std::string_view content);
  void make_link(const std::string& path, const FileMeta& meta, const std::string& target);
  // Another name of a file that is there; not of a directory.
  void make_hard_link(const std::string& path, const std::string& existing);
  // A device, pipe or socket.
  void make_node(const std::string& path, const FileMeta& meta, unsigned major, unsigned minor);
  // Besides those that are there.
  void set_attributes(const std::string& path,
                      const std::map<std::string, std::string>& attributes);
  void remove_file(const std::string& path);

  // Makes this root what the directory `path` of `from` is: its content, and its owner, mode, time
  // and attributes.
  void copy_tree(Ext4Files& from, const std::string& path);

  // An entry of a tree, whatever it is; `content` is asked only for a file's.
  void make(const TreeEntry& entry, const ChunkSource& content);

  // The time of the file system's own records from here on, in seconds since the epoch.
  void set_time(int64_t now);

  int64_t used() const; // bytes, the file system's own included
  int64_t inodes_used() const;
  void finish();

private:
  std::unique_ptr<Ext4Handle> impl_;
};

} // namespace banger::disk
