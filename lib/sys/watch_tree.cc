#include "sys/watch_tree.h"

#include <cerrno>
#include <utility>
#include <vector>

#include <dirent.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/file.h"
#include "sys/loop.h"

namespace banger::sys {

namespace {

constexpr uint32_t changes = IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                             IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;

} // namespace

TreeWatch::TreeWatch(std::string root)
    : root_(std::move(root)), fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (!fd_) throw watch_fault(errno, fmt::format("cannot watch '{}'", root_));
  add(root_);
}

// Not by a call for each directory: how deep they lie is not ours to say.
void TreeWatch::add(const std::string& top) {
  std::vector<std::string> left{top};
  while (!left.empty()) {
    std::string path = std::move(left.back());
    left.pop_back();
    bool is_root = path == root_;
    int watch = ::inotify_add_watch(fd_.get(), path.c_str(),
                                    changes | IN_ONLYDIR | (is_root ? 0u : IN_DONT_FOLLOW));
    if (watch < 0) {
      // It went, or was replaced, since it was seen: then there is an event that says so.
      if (!is_root && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) continue;
      throw watch_fault(errno, fmt::format("cannot watch '{}'", path));
    }
    for (const std::string& name : list_dir(path)) {
      std::string below = path + "/" + name;
      if (auto info = find_link_info(below); info && info->is_dir) left.push_back(below);
    }
    paths_[watch] = std::move(path);
  }
}

bool TreeWatch::take() {
  alignas(inotify_event) char buffer[64 << 10];
  bool changed = false;
  for (;;) {
    ssize_t n = ::read(fd_.get(), buffer, sizeof buffer);
    if (n <= 0) return changed;
    changed = true;
    for (ssize_t at = 0; at < n;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof *event + event->len);
      if (event->mask & IN_Q_OVERFLOW) {
        add(root_);
        continue;
      }
      auto found = paths_.find(event->wd);
      if (found == paths_.end()) continue;
      if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF) && found->second == root_)
        throw not_found("cannot watch '{}' any more: it was removed or renamed", root_);
      std::string path = found->second;
      if (event->mask & IN_IGNORED)
        paths_.erase(found);
      else if (event->mask & IN_ISDIR && event->mask & (IN_CREATE | IN_MOVED_TO) && event->len > 0)
        add(path + "/" + event->name);
    }
  }
}

} // namespace banger::sys
