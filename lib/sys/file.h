// Files and directories. The mutating calls of the whole tree go through here (or sys/copy.h,
// sys/lock.h, sys/socket.h), each behind its failpoint.
//
// Paths are passed as they are; nothing here expands '~' or follows a config. Everything made is
// private to the user (0700, 0600) unless a mode is given. Failures throw Error (core/error.h) that
// quotes the path and keeps the errno. Descriptors are close-on-exec.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "core/handle.h"
#include "core/outlives.h"

namespace banger::sys {

// open(2) with O_CLOEXEC.
Fd open_file(const std::string& path, int flags, mode_t mode = 0600);
// The same, but an absent file is no failure.
std::optional<Fd> find_file(const std::string& path, int flags);

// Whole content; throws when it is larger than `max`.
std::string read_file(const std::string& path, size_t max = size_t{64} << 20);
std::optional<std::string> find_content(const std::string& path, size_t max = size_t{64} << 20);
// At most `max` bytes from the end of a file that others may be writing. Empty if absent.
std::string read_tail(const std::string& path, size_t max);
// The bytes that can be read now from `offset`, at most `max`.
std::string read_at(int fd, int64_t offset, size_t max);
int64_t size_of(int fd); // of a file, or of a block device
void write_all(int fd, std::string_view data);

// Replaces `path` at once: a temporary beside it, fsync, rename, fsync of the directory. A reader
// sees the old content or the new, whatever dies in between. A dead writer's stale temporary is
// named ".NAME.tmp" and overwritten by the next. With Outlives::process nothing is synced: after a
// power cut the file may be the old one, or empty.
void write_atomic(const std::string& path, std::string_view content, mode_t mode = 0600,
                  Outlives outlives = Outlives::power_cut);
// Removes what a writer of `path` left that died at it; the caller sees to it that no other writes.
void remove_unfinished(const std::string& path);

// Adds to the end of `path`, with one call where all of it fits. Nothing is synced.
void append(const std::string& path, std::string_view content);

// Makes `path` alone; true if it was not there. An existing directory is no failure.
bool make_dir(const std::string& path, mode_t mode = 0700);
// One that is there already is no failure.
void make_fifo(const std::string& path);
// Makes it and its parents.
void make_dirs(const std::string& path, mode_t mode = 0700);
void rename(const std::string& from, const std::string& to);
// Replaces an old one.
void make_symlink(const std::string& target, const std::string& path);
void set_mode(const std::string& path, mode_t mode);
void set_size(int fd, int64_t size, const std::string& path);
void sync_dir(const std::string& path);
void sync_file(const std::string& path);
void sync_open(int fd, const std::string& path);

// Absence is no failure; the answer says whether it was there.
bool remove_file(const std::string& path);
// Makes the file at `path`: where `make` throws, the half of it is removed first. An error whose
// half could not be removed says so in its hint.
void make_or_remove(const std::string& path, const std::function<void()>& make);
// Removes a file or directory with all below it; never follows a symbolic link, never leaves the
// file system it began on.
bool remove_tree(const std::string& path);

struct FileInfo {
  bool is_dir, is_file, is_link, is_socket, is_disk; // a block device
  mode_t mode;                                       // permission bits
  uid_t uid;
  int64_t size;
  int64_t allocated; // bytes on the disk
  uint64_t dev, ino;
  int64_t mtime_ns;
};
// Follows links.
std::optional<FileInfo> find_info(const std::string& path);
std::optional<FileInfo> find_link_info(const std::string& path);
bool exists(const std::string& path);
// Names without "." and "..", sorted; empty if the directory is absent.
std::vector<std::string> list_dir(const std::string& path);
// The target of a symbolic link.
std::optional<std::string> read_link(const std::string& path);
// The path itself, or the nearest parent that exists.
std::string nearest_existing(std::string path);
// Bytes free for this user on the file system that holds `path` (or its nearest existing parent).
int64_t free_space(const std::string& path);
// Takes room on the disk for `path`, which must exist, to be `bytes` long, and leaves it as long as
// it is: bytes that are added up to there find room on a full disk too. False where the file system
// has no such room, or cannot do that.
bool keep_room(const std::string& path, int64_t bytes);
// Whether `path` (or its nearest existing parent) is gone after a power cut.
bool is_in_memory(const std::string& path);
// Whether `path` (or its nearest existing parent) lies on a network file system; its name if so.
std::optional<std::string> network_file_system(const std::string& path);
// No symbolic links, no "..". Throws if it does not exist.
std::string real_path(const std::string& path);

} // namespace banger::sys
