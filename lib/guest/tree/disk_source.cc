#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "guest/tree/tree_disk.h"
#include "sys/file.h"

namespace banger::guest {

namespace {

// Where the file has data; all of it where its file system does not tell.
std::vector<Extent> extents_of(int fd, int64_t size) {
  std::vector<Extent> extents;
  if (size == 0) return extents;
  for (off_t at = 0; at < size && extents.size() <= most_extents;) {
    off_t data = ::lseek(fd, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) return extents;
    if (data < 0) return {{0, size}};
    if (data >= size) return extents;
    off_t hole = ::lseek(fd, data, SEEK_HOLE);
    if (hole < 0 || hole > size) hole = size;
    extents.push_back({data, hole - data});
    at = hole;
  }
  if (extents.size() > most_extents) return {{0, size}};
  return extents;
}

} // namespace

DiskSource::DiskSource(std::string path, bool follow)
    : root_(std::move(path)), follow_(follow), to_come_{""} {}

std::string DiskSource::full(const std::string& path) const {
  return path.empty() ? root_ : root_ + "/" + path;
}

std::optional<TreeEntry> DiskSource::next() {
  while (!to_come_.empty()) {
    std::string path = std::move(to_come_.back());
    to_come_.pop_back();
    if (auto entry = entry_at(path)) return entry;
  }
  return {};
}

std::optional<TreeEntry> DiskSource::entry_at(const std::string& path) {
  file_.reset();
  std::string place = full(path);
  struct stat st {};
  int result = follow_ && path.empty() ? ::stat(place.c_str(), &st) : ::lstat(place.c_str(), &st);
  // What went while the tree was read is no part of it.
  if (result != 0 && errno == ENOENT && !path.empty()) return {};
  if (result != 0) throw sys_error(errno, "cannot read '{}'", place);
  TreeEntry entry;
  entry.path = path;
  entry.mode = st.st_mode;
  entry.mtime = st.st_mtim.tv_sec;
  entry.mtime_ns = static_cast<uint32_t>(st.st_mtim.tv_nsec);
  if (S_ISDIR(st.st_mode)) {
    auto names = sys::list_dir(place);
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
      std::string below = path.empty() ? *name : path + "/" + *name;
      if (below.size() > longest_path)
        throw failed("cannot copy '{}': its path is too long", below);
      to_come_.push_back(std::move(below));
    }
    return entry;
  }
  if (S_ISLNK(st.st_mode)) {
    entry.target = sys::read_link(place).value_or("");
    if (entry.target.empty()) throw failed("cannot read link '{}'", place);
    return entry;
  }
  if (!S_ISREG(st.st_mode)) {
    left_out_++;
    return {};
  }
  if (st.st_nlink > 1) {
    auto [first, fresh] = linked_.try_emplace({st.st_dev, st.st_ino}, path);
    if (!fresh) {
      entry.hard_link = true;
      entry.target = first->second;
      return entry;
    }
  }
  file_ = sys::open_file(place, O_RDONLY | (follow_ && path.empty() ? 0 : O_NOFOLLOW) | O_NONBLOCK);
  file_path_ = place;
  // Of what was opened, which is what is read.
  if (::fstat(file_.get(), &st) != 0 || !S_ISREG(st.st_mode))
    throw failed("cannot read '{}': it was replaced meanwhile", place);
  entry.size = st.st_size;
  entry.data = extents_ = extents_of(file_.get(), st.st_size);
  extent_ = 0;
  within_ = 0;
  return entry;
}

size_t DiskSource::read(std::span<char> buffer) {
  if (!file_ || extent_ == extents_.size()) return 0;
  Extent e = extents_[extent_];
  auto want = std::min<int64_t>(e.length - within_, static_cast<int64_t>(buffer.size()));
  ssize_t n = 0;
  do n = ::pread(file_.get(), buffer.data(), static_cast<size_t>(want), e.offset + within_);
  while (n < 0 && errno == EINTR);
  if (n < 0) throw sys_error(errno, "cannot read '{}'", file_path_);
  if (n == 0) throw failed("cannot read '{}': it shrank meanwhile", file_path_);
  within_ += n;
  if (within_ == e.length) extent_++, within_ = 0;
  return static_cast<size_t>(n);
}

} // namespace banger::guest
