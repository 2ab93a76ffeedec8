#include "ops/ssh/copy.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <memory>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"
#include "guest/tree/remote_copy.h"
#include "guest/tree/stream_sink.h"
#include "guest/tree/tree_disk.h"
#include "ops/ssh/session.h"
#include "sys/file.h"
#include "sys/signals.h"
#include "sys/wait.h"

namespace banger::ops {

namespace {

using guest::CopyItem;
using guest::DiskSink;
using guest::StreamSink;
using Kind = CopyItem::Kind;

bool ends_as_directory(const std::string& path) {
  return path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// The directory of a path, and the name in it; "." for a path that ends in no name.
std::pair<std::string, std::string> parts_of(const std::string& path) {
  std::string p = without_slashes(path);
  size_t slash = p.find_last_of('/');
  std::string name = p.substr(slash + 1); // npos + 1 is 0
  if (name.empty() || name == "." || name == "..") return {p, "."};
  if (slash == std::string::npos) return {".", name};
  return {slash == 0 ? "/" : p.substr(0, slash), name};
}

std::string name_of(const std::string& path) { return path.empty() ? "." : parts_of(path).second; }

CopyItem item_here(const std::string& path, bool deep) {
  auto link = sys::find_link_info(without_slashes(path));
  auto info = sys::find_info(path);
  if (!link) throw not_found("cannot read '{}': no such file or directory", path);
  if (link->is_link && deep && !ends_as_directory(path)) return {Kind::link, name_of(path)};
  if (!info) throw not_found("cannot read '{}': no such file or directory", path);
  if (info->is_dir && !deep)
    throw failed("cannot copy '{}': it is a directory", path)
        .hint("directories are copied with -r");
  if (info->is_dir) return {Kind::directory, name_of(path)};
  if (!info->is_file) throw failed("cannot copy '{}': it is no regular file", path);
  return {Kind::file, name_of(path)};
}

// A descriptor of this process that a path names, as a shell and /dev/stdout do: opened by its path
// a file would begin anew, and one that was removed would come back.
std::optional<int> own_descriptor(const std::string& path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (std::string_view dir : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(dir)) continue;
    std::string_view number = std::string_view(path).substr(dir.size());
    int fd = -1;
    auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), fd);
    if (error == std::errc() && end == number.data() + number.size() && fd >= 0) return fd;
  }
  return {};
}

// Opens a path that may keep an opener waiting, as a FIFO does: a signal that comes meanwhile ends
// this process, in which nothing is half done yet.
Fd open_waiting(const std::string& path, int flags) {
  sigset_t ends, before;
  ::sigemptyset(&ends);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&ends, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &ends, &before);
  Fd fd(::open(path.c_str(), O_NOCTTY | O_CLOEXEC | flags));
  int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!fd)
    throw sys_error(error, "cannot {} '{}'", (flags & O_ACCMODE) == O_RDONLY ? "read" : "write",
                    path);
  return fd;
}

// A source that is read to its end, as cat reads it: a FIFO, a device, a descriptor of this
// process. None for a path with a name and a size of its own.
Fd open_stream(const CopyPlace& place) {
  if (place.vm) return {};
  std::optional<int> own;
  if (place.is_stream()) own = STDIN_FILENO;
  auto info = own ? std::nullopt : sys::find_info(place.path);
  if (!own && (!info || info->is_file || info->is_dir || info->is_socket)) return {};
  if (!own) own = place.path == "/dev/stdin" ? STDIN_FILENO : own_descriptor(place.path);
  if (!own) return open_waiting(place.path, O_RDONLY);
  Fd fd(::fcntl(*own, F_DUPFD_CLOEXEC, 3));
  if (!fd) throw sys_error(errno, "cannot read '{}'", place.path);
  return fd;
}

class HereSink {
public:
  HereSink(const std::string& path, const CopyItem& item, const CopyOptions& options, int signals,
           std::function<void()> check)
      : path_(path), item_(item), options_(options), signals_(signals), check_(std::move(check)) {}

  std::unique_ptr<guest::TreeSink> open() {
    if (auto fd = item_.kind == Kind::file ? own_descriptor(path_) : std::nullopt) {
      Fd own(::fcntl(*fd, F_DUPFD_CLOEXEC, 3));
      if (!own) throw sys_error(errno, "cannot write '{}'", path_);
      return stream(std::move(own));
    }
    std::string to = path_;
    auto there = sys::find_info(path_);
    if (there && there->is_dir) {
      if (item_.name != ".") to = (path_ == "/" ? "" : without_slashes(path_)) + "/" + item_.name;
    } else if (options_.into || (ends_as_directory(path_) && item_.kind != Kind::directory)) {
      throw cannot("not a directory");
    }
    auto link = sys::find_link_info(without_slashes(to));
    auto info = sys::find_info(to);
    if (info && info->is_dir && item_.kind != Kind::directory) throw cannot("it is a directory");
    if (info && !info->is_dir && item_.kind == Kind::directory)
      throw cannot("it is not a directory");
    // As with scp, a link is followed. Not so when links are copied: then the guest may have sent
    // this one the last time, and chosen where it leads.
    bool follows = link && link->is_link && !options_.deep;
    if (item_.kind == Kind::file && (follows || (link && !link->is_link))) {
      if (!info) throw cannot("it is a link that leads nowhere");
      if (info->is_socket) throw cannot("it is a socket");
      if (!info->is_file) return stream(open_waiting(to, O_WRONLY));
      if (follows && !follow(to, *info)) return stream(open_waiting(to, O_WRONLY | O_TRUNC));
    }
    return on_disk(to, info && info->is_dir);
  }

private:
  Error cannot(std::string_view why) const { return failed("cannot write '{}': {}", path_, why); }

  // False for a file that has no path, as one that was removed while it is open.
  static bool follow(std::string& to, const sys::FileInfo& info) {
    try {
      std::string real = sys::real_path(to);
      auto found = sys::find_info(real);
      if (!found || found->dev != info.dev || found->ino != info.ino) return false;
      to = std::move(real);
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  std::unique_ptr<guest::TreeSink> stream(Fd to) const {
    return std::make_unique<StreamSink>(std::move(to), fmt::format("'{}'", path_), signals_);
  }

  std::unique_ptr<guest::TreeSink> on_disk(const std::string& to, bool merge) const {
    auto [dir, name] = parts_of(to);
    if (auto parent = sys::find_info(dir); !parent || !parent->is_dir)
      throw not_found("cannot write '{}': no such directory", path_);
    return std::make_unique<DiskSink>(dir, name,
                                      merge ? DiskSink::Way::merge : DiskSink::Way::fresh, check_);
  }

  std::string path_;
  CopyItem item_;
  CopyOptions options_;
  int signals_;
  std::function<void()> check_;
};

// Bytes of a stream; one that is silent keeps neither a signal waiting nor the end of the VM.
size_t read_input(int input, std::span<char> buffer, int vm, int signals) {
  for (;;) {
    std::array<pollfd, 3> polled{{{input, POLLIN, 0}, {signals, POLLIN, 0}, {vm, POLLIN, 0}}};
    sys::wait_any(polled);
    if (polled[1].revents) throw guest::Interrupted();
    if (polled[2].revents) throw Error(Code::unreachable, "the VM has ended");
    if (!polled[0].revents) continue;
    ssize_t n = ::read(input, buffer.data(), buffer.size());
    if (n >= 0) return static_cast<size_t>(n);
    if (errno != EINTR && errno != EAGAIN) throw sys_error(errno, "cannot read the input");
  }
}

// A guest's end of a copy: a failure there names its VM, not the other one.
class GuestSource : public guest::TreeSource {
public:
  GuestSource(const SshTarget& target, const Dirs& dirs,
              std::unique_ptr<guest::RemoteTreeSource> source)
      : target_(target), dirs_(dirs), source_(std::move(source)) {}
  std::optional<TreeEntry> next() override {
    std::optional<TreeEntry> entry;
    with_guest(target_, dirs_, [&] { entry = source_->next(); });
    return entry;
  }
  size_t read(std::span<char> buffer) override {
    size_t n = 0;
    with_guest(target_, dirs_, [&] { n = source_->read(buffer); });
    return n;
  }
  size_t left_out() const override { return source_->left_out(); }
  guest::Unread unread() const override { return source_->unread(); }
  std::vector<std::string> apart() const override { return source_->apart(); }

private:
  SshTarget target_;
  const Dirs& dirs_;
  std::unique_ptr<guest::RemoteTreeSource> source_;
};

class GuestSink : public guest::TreeSink {
public:
  GuestSink(const SshTarget& target, const Dirs& dirs, std::unique_ptr<guest::RemoteTreeSink> sink)
      : target_(target), dirs_(dirs), sink_(std::move(sink)) {}
  void entry(const TreeEntry& entry) override {
    with_guest(target_, dirs_, [&] { sink_->entry(entry); });
  }
  void data(std::string_view bytes) override {
    with_guest(target_, dirs_, [&] { sink_->data(bytes); });
  }
  void finish() override {
    with_guest(target_, dirs_, [&] { sink_->finish(); });
  }

private:
  SshTarget target_;
  const Dirs& dirs_;
  std::unique_ptr<guest::RemoteTreeSink> sink_;
};

class Copy {
public:
  Copy(Reader& in, const CopyOptions& options, int signals,
       const std::function<void(const CopyTotals*)>& moved)
      : in_(in), options_(options), signals_(signals), moved_(moved) {}

  CopyTotals run(const CopyPlace& from, const CopyPlace& to) {
    Fd input = options_.deep && !from.is_stream() ? Fd() : open_stream(from);
    if ((input && to.vm) || to.is_stream()) {
      stream(std::move(input), from, to);
      return totals_;
    }
    // The guest's side first: it says what is there, or may come.
    CopyItem item;
    std::unique_ptr<guest::TreeSource> source;
    in_guest(from, [&](const SshTarget* target) {
      if (!target) {
        item = item_here(from.path, options_.deep);
        source = std::make_unique<guest::DiskSource>(from.path, item.kind != Kind::link);
        return;
      }
      auto remote = std::make_unique<guest::RemoteTreeSource>(open_session(*target, signals_),
                                                              from.path, options_.deep, signals_);
      item = {remote->kind(), name_of(from.path)};
      source = std::make_unique<GuestSource>(*target, in_.dirs, std::move(remote));
    });
    std::unique_ptr<guest::TreeSink> sink;
    in_guest(to, [&](const SshTarget* target) {
      if (!target) {
        sink = HereSink(to.path, item, options_, signals_, [this] { check(); }).open();
        return;
      }
      sink = std::make_unique<GuestSink>(
          *target, in_.dirs,
          std::make_unique<guest::RemoteTreeSink>(open_session(*target, signals_), to.path, item,
                                                  options_.into, signals_));
    });
    guest::copy_tree(*source, *sink, totals_, [&] {
      check();
      moved_(&totals_);
    });
    sink->finish();
    if (totals_.unread.count > 0) in_guest(from, [&](auto*) { throw not_all(from); });
    return totals_;
  }

private:
  Error not_all(const CopyPlace& from) const {
    const auto& [count, first] = totals_.unread;
    std::string what;
    for (const auto& one : first) what += (what.empty() ? "" : "; ") + one;
    if (count > first.size()) what += fmt::format("; and {} more", count - first.size());
    return failed("cannot read all of '{}': {}", from.path, what)
        .hint("what can be read has been copied");
  }

  // No work here, however much it is, keeps a signal waiting.
  void check() const {
    if (sys::is_readable(signals_)) throw guest::Interrupted();
  }

  // Runs `work` with the VM of a place (null: this machine); its errors name it.
  void in_guest(const CopyPlace& place, const std::function<void(const SshTarget*)>& work) {
    if (!place.vm) return work(nullptr);
    SshTarget target = find_ssh_target(in_, *place.vm);
    with_guest(target, in_.dirs, [&] { work(&target); });
  }

  void count(size_t bytes) {
    totals_.bytes += static_cast<int64_t>(bytes);
    moved_(&totals_);
  }

  void stream(Fd input, const CopyPlace& from, const CopyPlace& to) {
    in_guest(from.vm ? from : to, [&](const SshTarget* target) {
      Fd vm = watch_vm(*target);
      if (input)
        guest::write_remote_file(open_session(*target, signals_), to.path, signals_,
                                 [&](std::span<char> buffer) {
                                   size_t n = read_input(input.get(), buffer, vm.get(), signals_);
                                   count(n);
                                   return n;
                                 });
      else
        stream_out(*target, from.path);
      totals_.files = 1;
    });
  }

  void stream_out(const SshTarget& target, const std::string& path) {
    try {
      guest::read_remote_file(
          open_session(target, signals_), path, signals_, [&](std::string_view bytes) {
            guest::write_waiting(STDOUT_FILENO, bytes, "standard output", signals_);
            count(bytes.size());
          });
    } catch (Error& e) {
      if (e.error_number() == EISDIR)
        e.default_hint(fmt::format("as a tar: banger ssh {} -- tar c {}", target.vm.name,
                                   shell_quote(path.empty() ? "." : path)));
      throw;
    }
  }

  Reader& in_;
  CopyOptions options_;
  int signals_;
  const std::function<void(const CopyTotals*)>& moved_;
  CopyTotals totals_;
};

} // namespace

CopyPlace parse_copy_place(const std::string& word) {
  if (word.empty()) throw usage("an empty path is no place").hint("the home directory is 'NAME:'");
  size_t colon = word.find(':');
  if (colon == std::string::npos || word.find('/') < colon || colon == 0) return {{}, word};
  std::string path = word.substr(colon + 1);
  // As a shell there would read it; paths of a guest start at home.
  if (path == "~" || path.starts_with("~/")) {
    path.erase(0, 1);
    path.erase(0, path.find_first_not_of('/'));
  }
  return {word.substr(0, colon), path};
}

CopyTotals ssh_copy(Reader& in, const CopyPlace& from, const CopyPlace& to,
                    const CopyOptions& options,
                    const std::function<void(const CopyTotals*)>& moved) {
  if (!from.vm && !to.vm)
    throw usage("neither '{}' nor '{}' is in a VM", from.path, to.path)
        .hint("a place in a VM is NAME:PATH");
  sys::Signals signals({SIGINT, SIGTERM, SIGHUP});
  try {
    CopyTotals totals = Copy(in, options, signals.fd(), moved).run(from, to);
    moved(nullptr);
    return totals;
  } catch (...) {
    moved(nullptr);
    throw;
  }
}

} // namespace banger::ops
