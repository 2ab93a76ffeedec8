#include "guest/tree/standing.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/at.h"
#include "sys/file.h"

namespace banger::guest {

namespace {

// Content that has no room beside its place: unlinked from the beginning.
Fd nameless_file() {
  const char* dir = std::getenv("TMPDIR");
  return sys::open_file(dir && *dir ? dir : "/tmp", O_TMPFILE | O_RDWR);
}

bool has_access_list(int dir, const std::string& name) {
  std::string path = fmt::format("/proc/self/fd/{}/{}", dir, name);
  return ::lgetxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0;
}

// Before the old content is given up for one that may not have room.
void check_room(int file, const struct stat& old, const struct stat& fresh,
                const std::string& shown) {
  struct statvfs fs {};
  if (::fstatvfs(file, &fs) != 0) return;
  auto block = static_cast<int64_t>(fs.f_frsize);
  int64_t room = static_cast<int64_t>(fs.f_bavail) * block + old.st_blocks * 512;
  if (fs.f_blocks > 0 && room < fresh.st_blocks * 512)
    throw sys_error(ENOSPC, "cannot write '{}'", shown);
}

} // namespace

std::optional<struct stat> find_standing(int dir, const std::string& name,
                                         const std::string& shown) {
  struct stat st {};
  if (::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return st;
  if (errno == ENOENT) return {};
  throw sys_error(errno, "cannot look at '{}'", shown);
}

void check_replaceable(const std::optional<struct stat>& there, const std::string& shown) {
  if (!there || S_ISREG(there->st_mode) || S_ISLNK(there->st_mode)) return;
  if (S_ISDIR(there->st_mode)) throw sys_error(EISDIR, "cannot replace '{}'", shown);
  throw failed("cannot replace '{}': it is no regular file", shown)
      .hint("what is copied to a device or a FIFO is written into it where it is named as the "
            "target");
}

NewContent::NewContent(int dir, std::string name, std::string temporary, std::string shown)
    : dir_(dir), name_(std::move(name)), temporary_(std::move(temporary)),
      shown_(std::move(shown)) {
  auto there = find_standing(dir_, name_, shown_);
  check_replaceable(there, shown_);
  if (there && S_ISREG(there->st_mode)) there_ = there;
  if (there_ && there_->st_blocks == 0) {
    file_.reset(
        ::openat(dir_, name_.c_str(), O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file_) way_ = Way::into;
  }
  if (file_) return;
  try {
    file_ = sys::create_at(dir_, temporary_, 0600, shown_);
  } catch (const Error& e) {
    bool may = e.error_number() == EACCES || e.error_number() == EPERM ||
               e.error_number() == EROFS || e.error_number() == ENOENT;
    if (!there_ || !may || ::faccessat(dir_, name_.c_str(), W_OK, AT_EACCESS) != 0) throw;
    file_ = nameless_file();
    way_ = Way::elsewhere;
  }
}

NewContent::~NewContent() {
  if (settled_) return;
  try {
    if (way_ == Way::beside) sys::remove_at(dir_, temporary_);
    // A file that cannot be emptied was not empty before: it is one of /proc or /sys.
    if (way_ == Way::into && ::ftruncate(file_.get(), 0) != 0) return;
  } catch (const Error&) {
    // A new file that cannot be removed is known by its temporary name.
  }
}

void NewContent::write(int64_t offset, std::string_view data) {
  sys::write_at(file_.get(), offset, data, shown_);
}

// Whether the new file now has what the old one keeps, so that it can take its place.
bool NewContent::takes_over() {
  if (there_->st_nlink != 1 || has_access_list(dir_, name_)) return false;
  struct stat own {};
  if (::fstat(file_.get(), &own) != 0) return false;
  if (own.st_uid == there_->st_uid && own.st_gid == there_->st_gid) return true;
  return ::fchown(file_.get(), there_->st_uid, there_->st_gid) == 0;
}

void NewContent::settle(int64_t size, mode_t mode, int64_t mtime_ns,
                        const std::function<void()>& check) {
  if (way_ == Way::into) {
    // Those of /proc and /sys take neither size nor time.
    if (::ftruncate(file_.get(), size) != 0 && errno != EINVAL && errno != EPERM)
      throw sys_error(errno, "cannot write '{}'", shown_);
    sys::keep_time(file_.get(), mtime_ns);
    settled_ = true;
    return;
  }
  sys::set_size(file_.get(), size, shown_); // a hole at the end
  if (!there_ || (way_ == Way::beside && takes_over())) {
    sys::set_mode_and_time(file_.get(), (there_ ? there_->st_mode : mode) & 0777, mtime_ns, shown_);
    try {
      sys::rename_at(dir_, temporary_, dir_, name_, shown_);
      settled_ = true;
      return;
    } catch (const Error& e) {
      if (!there_ || e.error_number() != EBUSY) throw; // something is mounted on it
    }
  }
  write_into_old(size, mtime_ns, check);
}

void NewContent::write_into_old(int64_t size, int64_t mtime_ns,
                                const std::function<void()>& check) {
  Fd old(::openat(dir_, name_.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat now {
  }, fresh{};
  if (!old || ::fstat(old.get(), &now) != 0 || ::fstat(file_.get(), &fresh) != 0)
    throw sys_error(errno, "cannot write '{}'", shown_);
  if (now.st_dev != there_->st_dev || now.st_ino != there_->st_ino)
    throw failed("cannot write '{}': it was replaced meanwhile", shown_);
  check_room(old.get(), now, fresh, shown_);
  sys::set_size(old.get(), 0, shown_);
  std::vector<char> block(size_t{1} << 20);
  for (off_t at = 0; at < size;) {
    off_t data = ::lseek(file_.get(), at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break; // only a hole is left
    at = std::max(at, data);
    ssize_t n = ::pread(file_.get(), block.data(), block.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw sys_error(errno, "cannot write '{}'", shown_);
    if (n == 0) break;
    sys::write_at(old.get(), at, {block.data(), static_cast<size_t>(n)}, shown_);
    at += n;
    if (check) check();
  }
  sys::set_size(old.get(), size, shown_);
  if (now.st_mode & (S_ISUID | S_ISGID)) ::fchmod(old.get(), now.st_mode & 0777);
  sys::keep_time(old.get(), mtime_ns);
  if (way_ == Way::beside) sys::remove_at(dir_, temporary_);
  settled_ = true;
}

} // namespace banger::guest
