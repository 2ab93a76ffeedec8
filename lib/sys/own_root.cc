#include "sys/own_root.h"

#include <cerrno>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/error.h"
#include "core/handle.h"
#include "core/text.h"
#include "sys/file.h"

namespace banger::sys {

namespace {

// linux/mount.h, which some versions of the C library's own header cannot stand beside.
struct MountAttributes {
  uint64_t set, clear, propagation, user_namespace;
};
constexpr uint64_t read_only = 1, no_setuid = 2, no_devices = 4, no_programs = 8;
constexpr unsigned clone_tree = 1, close_on_exec = O_CLOEXEC, with_submounts = AT_RECURSIVE;
constexpr unsigned from_descriptor = 4; // MOVE_MOUNT_F_EMPTY_PATH

constexpr int most_links = 40; // as the kernel follows in one path

// What stands at a path of the new root.
struct Entry {
  Use use = Use::read;
  std::string link; // the text of a symbolic link; empty: a mount
  bool is_dir = false;
  Fd mount;
};
using Entries = std::map<std::string, Entry>; // by absolute paths: parents stand before children

// Whether there is a directory, or another file; none where this process finds nothing.
std::optional<bool> is_dir(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return {};
  return S_ISDIR(st.st_mode);
}

// The real path that `path` leads to, and the links that it leads through; none where it is one of
// a circle.
std::optional<std::string> follow(const std::string& path, Entries& entries) {
  std::vector<std::string> parts = split(path, '/');
  std::deque<std::string> ahead(parts.begin(), parts.end());
  std::string at;
  for (int links = 0; !ahead.empty();) {
    std::string part = std::move(ahead.front());
    ahead.pop_front();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      at.resize(at.empty() ? 0 : at.rfind('/'));
      continue;
    }
    std::string next = at + "/" + part;
    auto text = read_link(next);
    if (!text) {
      at = next;
      continue;
    }
    if (++links > most_links) return {};
    entries[next].link = *text;
    if (text->starts_with('/')) at.clear();
    parts = split(*text, '/');
    ahead.insert(ahead.begin(), parts.begin(), parts.end());
  }
  return at;
}

// Whether it is there already, by itself or in a directory that is given whole.
bool is_covered(const Entries& entries, const std::string& path, Use use) {
  if (auto it = entries.find(path); it != entries.end() && it->second.use == use) return true;
  for (const auto& [dir, entry] : entries)
    if (entry.link.empty() && entry.is_dir && path.starts_with(dir + "/") &&
        (entry.use == Use::directory || entry.use == use))
      return true;
  return false;
}

uint64_t attributes_of(Use use) {
  switch (use) {
  case Use::read:
    return read_only | no_setuid | no_devices;
  case Use::device:
    return read_only | no_setuid | no_programs;
  case Use::write:
  case Use::directory:
  case Use::sockets:
    return no_setuid | no_devices | no_programs;
  }
  return read_only;
}

void restrict(int fd, const char* path, unsigned flags, uint64_t attributes) {
  MountAttributes a{attributes, 0, 0, 0};
  if (::syscall(SYS_mount_setattr, fd, path, flags, &a, sizeof a) != 0)
    throw sys_error(errno, "cannot restrict a mount");
}

void take(Entries& entries, const std::string& path, Use use) {
  auto real = follow(path, entries);
  auto whole = real ? is_dir(*real) : std::nullopt;
  if (!whole || is_covered(entries, *real, use)) return;
  unsigned depth = *whole ? with_submounts : 0;
  Fd fd(static_cast<int>(
      ::syscall(SYS_open_tree, AT_FDCWD, real->c_str(), clone_tree | close_on_exec | depth)));
  if (!fd) throw sys_error(errno, "cannot take '{}' along", *real);
  restrict(fd.get(), "", AT_EMPTY_PATH | depth, attributes_of(use));
  entries[*real] = {use, {}, *whole, std::move(fd)};
}

// In the new root, which is the working directory.
void make_parents(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1))
    if (::mkdir(path.substr(1, slash - 1).c_str(), 0755) != 0 && errno != EEXIST)
      throw sys_error(errno, "cannot make the directories of '{}'", path);
}

void place(const std::string& path, const Entry& entry) {
  make_parents(path);
  const char* there = path.c_str() + 1;
  if (!entry.link.empty()) {
    // A directory that is mounted above it has it already.
    if (::symlink(entry.link.c_str(), there) != 0 && errno != EEXIST)
      throw sys_error(errno, "cannot make the link '{}'", path);
    return;
  }
  if (entry.is_dir) {
    if (::mkdir(there, 0755) != 0 && errno != EEXIST)
      throw sys_error(errno, "cannot make the directory '{}'", path);
  } else if (!Fd(::open(there, O_PATH | O_CLOEXEC))) {
    if (!Fd(::open(there, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444)))
      throw sys_error(errno, "cannot make '{}'", path);
  }
  if (::syscall(SYS_move_mount, entry.mount.get(), "", AT_FDCWD, there, from_descriptor) != 0)
    throw sys_error(errno, "cannot mount '{}'", path);
}

} // namespace

void make_own_root(const std::vector<Reach>& reaches, const std::string& scratch) {
  // What is mounted over the root does not show there: all would be made in the host's own.
  if (real_path(scratch) == "/") throw failed("the root is no directory to make another in");
  // Nothing that is mounted from here on shows on the host.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    throw sys_error(errno, "cannot part from the host's mounts");
  Entries entries;
  // Directories first: what lies in one that is given whole needs no mount of its own.
  for (bool dirs : {true, false})
    for (const Reach& reach : reaches)
      if (is_dir(reach.path) == dirs) take(entries, reach.path, reach.use);
  if (::mount("banger", scratch.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
              "mode=0755,size=1m") != 0 ||
      ::chdir(scratch.c_str()) != 0)
    throw sys_error(errno, "cannot make a root directory");
  for (const auto& [path, entry] : entries) place(path, entry);
  restrict(AT_FDCWD, ".", 0, read_only | no_setuid | no_devices | no_programs);
  // The old root is mounted over the new one for a moment, and goes.
  if (::syscall(SYS_pivot_root, ".", ".") != 0 || ::umount2(".", MNT_DETACH) != 0 ||
      ::chdir("/") != 0)
    throw sys_error(errno, "cannot change the root directory");
}

} // namespace banger::sys
