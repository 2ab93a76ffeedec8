#include "sys/walk.h"

#include <cerrno>
#include <climits>
#include <vector>

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/error.h"
#include "core/handle.h"
#include "model/tree.h"
#include "sys/at.h"

namespace banger::sys {

namespace {

std::map<std::string, std::string> attributes_of(int fd, const std::string& shown) {
  std::map<std::string, std::string> found;
  std::string list(size_t{64} << 10, '\0'), value(size_t{64} << 10, '\0'); // xattr(7): the most
  ssize_t size = ::flistxattr(fd, list.data(), list.size());
  if (size < 0 && errno == ENOTSUP) return found;
  if (size < 0) throw sys_error(errno, "cannot read the attributes of '{}'", shown);
  for (const char* name = list.data(); name < list.data() + size;) {
    std::string key = name;
    name += key.size() + 1;
    ssize_t n = ::fgetxattr(fd, key.c_str(), value.data(), value.size());
    // An attribute that only root may read cannot come from a user's tree, so it is left out.
    if (n >= 0) found[key] = value.substr(0, static_cast<size_t>(n));
  }
  return found;
}

class Walk {
public:
  Walk(const std::string& top, Fd fd, dev_t device,
       const std::function<void(const WalkEntry&)>& visit)
      : top_(top), fd_(std::move(fd)), device_(device), visit_(visit) {}

  void run() {
    descend("");
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.next == level.names.size()) {
        levels_.pop_back();
        dir_.reset(); // of what is above, opened again when something is left in it
        continue;
      }
      std::string name = std::move(level.names[level.next++]);
      if (!dir_)
        dir_ = open_below(fd_.get(), level.path, O_RDONLY | O_DIRECTORY, shown(level.path));
      std::string path = level.path.empty() ? name : level.path + "/" + name;
      if (look(name, path)) descend(path);
    }
  }

private:
  struct Level {
    std::string path;
    std::vector<std::string> names;
    size_t next = 0;
  };

  std::string shown(const std::string& path) const {
    return top_ + "/" + (path.size() > longest_path ? path.substr(0, 100) + "..." : path);
  }

  void descend(const std::string& path) {
    dir_ = open_below(fd_.get(), path, O_RDONLY | O_DIRECTORY, shown(path));
    levels_.push_back({path, names_in(dir_.get(), shown(path))});
  }

  // Whether it is a directory to go into.
  bool look(const std::string& name, const std::string& path) {
    if (path.size() > longest_path)
      throw failed("cannot read '{}': its path is longer than {} bytes", shown(path), longest_path);
    WalkEntry entry;
    entry.path = path;
    if (::fstatat(dir_.get(), name.c_str(), &entry.info, AT_SYMLINK_NOFOLLOW) != 0)
      throw sys_error(errno, "cannot look at '{}'", shown(path));
    Fd fd;
    if (S_ISREG(entry.info.st_mode) || S_ISDIR(entry.info.st_mode)) {
      fd.reset(::openat(dir_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
      if (!fd || ::fstat(fd.get(), &entry.info) != 0)
        throw sys_error(errno, "cannot open '{}'", shown(path));
    }
    bool is_dir = S_ISDIR(entry.info.st_mode);
    if (entry.info.st_dev != device_ && is_dir) return false;
    if (fd) entry.attributes = attributes_of(fd.get(), shown(path));
    if (S_ISREG(entry.info.st_mode)) entry.fd = fd.get();
    if (S_ISLNK(entry.info.st_mode)) {
      char target[PATH_MAX];
      ssize_t n = ::readlinkat(dir_.get(), name.c_str(), target, sizeof target);
      if (n < 0) throw sys_error(errno, "cannot read '{}'", shown(path));
      entry.target.assign(target, static_cast<size_t>(n));
    }
    visit_(entry);
    return is_dir;
  }

  const std::string& top_;
  Fd fd_;
  dev_t device_;
  const std::function<void(const WalkEntry&)>& visit_;
  std::vector<Level> levels_;
  Fd dir_; // of the last level
};

} // namespace

void walk(const std::string& dir, const std::function<void(const WalkEntry&)>& visit) {
  Fd fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  WalkEntry top;
  if (!fd || ::fstat(fd.get(), &top.info) != 0) throw sys_error(errno, "cannot read '{}'", dir);
  top.attributes = attributes_of(fd.get(), dir);
  visit(top);
  Walk(dir, std::move(fd), top.info.st_dev, visit).run();
}

} // namespace banger::sys
