#include "sys/walk.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <memory>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/error.h"
#include "core/handle.h"

namespace banger::sys {

namespace {

struct CloseDir {
  void operator()(DIR* d) const { ::closedir(d); }
};

std::vector<std::string> names_in(int fd, const std::string& shown) {
  int copy = ::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::unique_ptr<DIR, CloseDir> dir(copy < 0 ? nullptr : ::fdopendir(copy));
  if (!dir) throw sys_error(errno, "cannot read '{}'", shown);
  std::vector<std::string> names;
  while (dirent* entry = ::readdir(dir.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

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
    // What only root may read is none that a user's tree can have given.
    if (n >= 0) found[key] = value.substr(0, static_cast<size_t>(n));
  }
  return found;
}

struct Walk {
  std::string top;
  const std::function<void(const WalkEntry&)>& visit;
  dev_t device = 0;

  void below(int dir, const std::string& path) {
    for (const std::string& name : names_in(dir, top + "/" + path)) {
      WalkEntry entry;
      entry.path = path.empty() ? name : path + "/" + name;
      std::string shown = top + "/" + entry.path;
      if (::fstatat(dir, name.c_str(), &entry.info, AT_SYMLINK_NOFOLLOW) != 0)
        throw sys_error(errno, "cannot look at '{}'", shown);
      Fd fd;
      if (S_ISREG(entry.info.st_mode) || S_ISDIR(entry.info.st_mode)) {
        fd.reset(::openat(dir, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (!fd || ::fstat(fd.get(), &entry.info) != 0)
          throw sys_error(errno, "cannot open '{}'", shown);
      }
      if (entry.info.st_dev != device && S_ISDIR(entry.info.st_mode)) continue;
      if (fd) entry.attributes = attributes_of(fd.get(), shown);
      if (S_ISREG(entry.info.st_mode)) entry.fd = fd.get();
      if (S_ISLNK(entry.info.st_mode)) {
        char target[PATH_MAX];
        ssize_t n = ::readlinkat(dir, name.c_str(), target, sizeof target);
        if (n < 0) throw sys_error(errno, "cannot read '{}'", shown);
        entry.target.assign(target, static_cast<size_t>(n));
      }
      visit(entry);
      if (S_ISDIR(entry.info.st_mode)) below(fd.get(), entry.path);
    }
  }
};

} // namespace

void walk(const std::string& dir, const std::function<void(const WalkEntry&)>& visit) {
  Fd fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  WalkEntry top;
  if (!fd || ::fstat(fd.get(), &top.info) != 0) throw sys_error(errno, "cannot read '{}'", dir);
  top.attributes = attributes_of(fd.get(), dir);
  visit(top);
  Walk{dir, visit, top.info.st_dev}.below(fd.get(), "");
}

} // namespace banger::sys
