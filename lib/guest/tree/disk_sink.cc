#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "guest/tree/tree_disk.h"
#include "sys/at.h"
#include "sys/file.h"
#include "sys/umask.h"

namespace banger::guest {

namespace {

// Modes and times of directories are kept in memory until the end, so their number is bounded.
constexpr size_t most_directories = 2'000'000, most_path_bytes = size_t{64} << 20;

// A name that nothing has, beside the one it is for; the longest name must stay one.
std::string temporary_name(const std::string& name) {
  uint32_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random)
    throw sys_error(errno, "cannot get random bytes");
  return fmt::format(".{}.banger-{:08x}", name.substr(0, longest_name - 20), random);
}

std::string base_of(const std::string& path) {
  return path.substr(path.find_last_of('/') + 1); // npos + 1 is 0
}

} // namespace

DiskSink::DiskSink(const std::string& dir, std::string name, Way way, std::function<void()> check)
    : dir_path_(dir), name_(std::move(name)), way_(way), check_(std::move(check)),
      mask_(sys::file_mask()), dir_(sys::open_file(dir, O_RDONLY | O_DIRECTORY)) {
  if (way_ == Way::merge)
    // The user's own path to it may lead over links.
    root_ = sys::open_file(dir + "/" + name_, O_RDONLY | O_DIRECTORY);
  else
    temporary_ = temporary_name(name_);
}

DiskSink::~DiskSink() {
  if (finished_) return;
  file_.reset();
  try {
    if (way_ == Way::fresh && begun_) sys::remove_tree(dir_path_ + "/" + temporary_);
  } catch (const Error&) {
    // A copy that cannot be removed is known by its temporary name.
  }
}

std::string DiskSink::shown(const std::string& path) const {
  std::string root = dir_path_ == "/" ? "/" + name_ : dir_path_ + "/" + name_;
  return path.empty() ? root : root + "/" + path;
}

// Why a directory below the root could not be opened, where something else is in its place.
Error DiskSink::not_its_own(const std::string& path, const Error& why) const {
  int error = why.error_number();
  if (error != ENOTDIR && error != ELOOP && error != EXDEV) return why;
  // The first name on the way that is none.
  size_t end = 0;
  do {
    end = path.find('/', end + 1);
    std::string part = path.substr(0, end);
    struct stat st {};
    if (::fstatat(root_.get(), part.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
      continue;
    return failed("cannot write '{}': '{}' is not a directory of its own", shown(path), part)
        .hint("a link or file is in the way; remove it, or copy to another place");
  } while (end != std::string::npos);
  return why;
}

// One call, however deep the parent is, or one name from the last one's: the cost grows with the
// length of the path alone.
int DiskSink::parent_of(const std::string& path) {
  size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return root_.get();
  std::string parent = path.substr(0, slash);
  if (parent_ && parent == parent_path_) return parent_.get();
  size_t above = parent.find_last_of('/');
  bool is_next = parent_ && above != std::string::npos && parent_path_.size() == above &&
                 parent.starts_with(parent_path_);
  try {
    parent_ = is_next ? sys::open_dir_at(parent_.get(), parent.substr(above + 1), shown(parent))
                      : sys::open_below(root_.get(), parent, O_RDONLY | O_DIRECTORY, shown(parent));
  } catch (const Error& e) {
    throw not_its_own(parent, e);
  }
  parent_path_ = parent;
  return parent_.get();
}

DiskSink::Place DiskSink::place_of(const std::string& path) {
  if (path.empty()) return {dir_.get(), temporary_};
  if (!root_) throw failed("cannot write '{}': '{}' is not a directory", shown(path), shown(""));
  return {parent_of(path), base_of(path)};
}

void DiskSink::entry(const TreeEntry& entry) {
  end_file();
  std::string what = shown(entry.path);
  if (entry.is_dir()) {
    if (entry.path.empty() && way_ == Way::merge) return;
    Place place = place_of(entry.path);
    bool made = sys::make_dir_at(place.dir, place.name, 0700, what);
    if (entry.path.empty()) {
      begun_ = true;
      root_ = sys::open_dir_at(place.dir, place.name, what);
    }
    if (made || directories_.contains(entry.path)) keep_for_end(entry);
    return;
  }
  if (entry.path.empty() && way_ == Way::merge)
    throw failed("cannot replace directory '{}' by a file", what);
  Place place = place_of(entry.path);
  begun_ |= entry.path.empty();
  if (entry.is_file()) return begin_file(entry, place);
  // The root has a temporary name already.
  std::string name = entry.path.empty() ? place.name : temporary_name(place.name);
  check_replaceable(find_standing(place.dir, entry.path.empty() ? name_ : place.name, what), what);
  if (entry.is_symlink()) {
    sys::symlink_at(entry.target, place.dir, name, what);
    sys::set_link_time_at(place.dir, name, entry.time_ns());
  } else {
    if (entry.path.empty() || entry.target.empty() || entry.target == entry.path)
      throw failed("cannot make hard link '{}': it has no other name", what);
    Fd kept(::fcntl(place.dir, F_DUPFD_CLOEXEC, 3)); // parent_of may let go of it
    int from = parent_of(entry.target);
    sys::link_at(from, base_of(entry.target), kept.get(), name, what);
    place.dir = parent_of(entry.path);
  }
  if (entry.path.empty()) return;
  try {
    sys::rename_at(place.dir, name, place.dir, place.name, what);
    // Renaming one name of a file to another of it does nothing at all.
    if (entry.hard_link) sys::remove_at(place.dir, name);
  } catch (const Error&) {
    sys::remove_at(place.dir, name);
    throw;
  }
}

void DiskSink::begin_file(const TreeEntry& entry, const Place& place) {
  bool root = entry.path.empty();
  file_ = std::make_unique<NewContent>(place.dir, root ? name_ : place.name,
                                       root ? temporary_ : temporary_name(place.name),
                                       shown(entry.path));
  current_ = entry;
  extent_ = 0;
  within_ = 0;
}

void DiskSink::data(std::string_view bytes) {
  while (!bytes.empty()) {
    Extent e = current_.data.at(extent_);
    auto n = std::min<int64_t>(e.length - within_, static_cast<int64_t>(bytes.size()));
    file_->write(e.offset + within_, bytes.substr(0, static_cast<size_t>(n)));
    bytes.remove_prefix(static_cast<size_t>(n));
    within_ += n;
    if (within_ == e.length) extent_++, within_ = 0;
  }
}

// Named again, a directory gets what was said last, and takes no more room.
void DiskSink::keep_for_end(const TreeEntry& directory) {
  auto [kept, is_new] = directories_.try_emplace(directory.path);
  kept->second = {directory.mode & 0777 & ~mask_, directory.time_ns()};
  if (is_new) path_bytes_ += directory.path.size();
  if (directories_.size() <= most_directories && path_bytes_ <= most_path_bytes) return;
  throw failed("cannot copy '{}': too many directories", shown(directory.path))
      .hint(fmt::format("at most {}, whose paths take at most {}: copy them in parts",
                        most_directories, format_size(most_path_bytes)));
}

void DiskSink::end_file() {
  if (!file_) return;
  if (extent_ != current_.data.size())
    throw failed("cannot write '{}': its content is not whole", shown(current_.path));
  // The root takes its place when its source is to be believed.
  if (!current_.path.empty()) settle_file();
}

void DiskSink::settle_file() {
  file_->settle(current_.size, current_.mode & ~mask_, current_.time_ns(), check_);
  file_.reset();
}

void DiskSink::finish_directories() {
  // The innermost first: making a file in a directory changes its time, and its mode may forbid it.
  // Paths sort behind those that they begin with.
  for (auto d = directories_.rbegin(); d != directories_.rend(); ++d) {
    if (check_) check_();
    const auto& [path, directory] = *d;
    std::string what = shown(path);
    if (path.empty()) {
      sys::set_mode_and_time(root_.get(), directory.mode, directory.mtime_ns, what);
      continue;
    }
    Fd fd = sys::open_dir_at(parent_of(path), base_of(path), what);
    sys::set_mode_and_time(fd.get(), directory.mode, directory.mtime_ns, what);
  }
}

void DiskSink::finish() {
  end_file();
  if (!begun_ && way_ == Way::fresh) throw failed("cannot write '{}': nothing came", shown(""));
  finish_directories();
  if (file_)
    settle_file();
  else if (way_ == Way::fresh)
    sys::rename_at(dir_.get(), temporary_, dir_.get(), name_, shown(""));
  finished_ = true;
}

} // namespace banger::guest
