#include "sys/copy.h"

#include <algorithm>
#include <string_view>

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/error.h"
#include "core/failpoint.h"
#include "sys/file.h"

namespace banger::sys {

namespace {

// What a file system says that cannot share extents, or not between these two.
bool means_no_clone(int err) {
  return err == EOPNOTSUPP || err == EXDEV || err == EINVAL || err == ENOTTY || err == ENOSYS;
}

// The data of `in` into the empty `out`; holes stay holes.
void fill_sparse(int in, int out, const std::string& from, const std::string& to) {
  struct stat st;
  if (::fstat(in, &st) != 0) throw sys_error(errno, "cannot look at '{}'", from);
  set_size(out, st.st_size, to);
  for (off_t at = 0; at < st.st_size;) {
    off_t data = ::lseek(in, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break; // only a hole is left
    if (data < 0) throw sys_error(errno, "cannot read '{}'", from);
    off_t hole = ::lseek(in, data, SEEK_HOLE);
    if (hole < 0) throw sys_error(errno, "cannot read '{}'", from);
    off_t read_at = data, write_at = data;
    failpoint(Point::clone);
    while (read_at < hole) {
      ssize_t n =
          ::copy_file_range(in, &read_at, out, &write_at, static_cast<size_t>(hole - read_at), 0);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && means_no_clone(errno)) {
        // Two file systems that do not know each other.
        if (::lseek(out, read_at, SEEK_SET) < 0) throw sys_error(errno, "cannot seek '{}'", to);
        n = ::sendfile(out, in, &read_at, static_cast<size_t>(hole - read_at));
        if (n < 0 && errno == EINTR) continue;
        write_at = read_at;
      }
      if (n < 0) throw sys_error(errno, "cannot copy '{}' to '{}'", from, to);
      if (n == 0) throw failed("cannot copy '{}': it became shorter meanwhile", from);
    }
    at = hole;
  }
}

// The same with `size` bytes from `offset` on.
void fill_part(int in, int out, int64_t offset, int64_t size, const std::string& from,
               const std::string& to) {
  constexpr int64_t step = int64_t{1} << 20, run = 4096;
  set_size(out, size, to);
  for (int64_t at = 0; at < size;) {
    off_t data = ::lseek(in, offset + at, SEEK_DATA);
    if (data < 0 && errno != ENXIO) throw sys_error(errno, "cannot read '{}'", from);
    if (data < 0) data = offset + size; // only a hole is left
    at = std::max<int64_t>(at, data - offset);
    if (at >= size) break;
    std::string block = read_at(in, offset + at, static_cast<size_t>(std::min(step, size - at)));
    if (block.empty()) break;
    failpoint(Point::clone);
    for (std::string_view rest = block; !rest.empty();) {
      auto n = std::min<size_t>(rest.size(), run);
      std::string_view part = rest.substr(0, n);
      bool zero = part.find_first_not_of('\0') == std::string_view::npos;
      if (!zero && ::lseek(out, at, SEEK_SET) < 0) throw sys_error(errno, "cannot seek '{}'", to);
      if (!zero) write_all(out, part);
      rest.remove_prefix(n);
      at += static_cast<int64_t>(n);
    }
  }
  struct stat st;
  if (::fstat(in, &st) != 0) throw sys_error(errno, "cannot look at '{}'", from);
  if (st.st_size < offset + size) throw failed("'{}' is truncated", from);
}

} // namespace

bool clone_file(const std::string& from, const std::string& to) {
  Fd in = open_file(from, O_RDONLY);
  Fd out = open_file(to, O_WRONLY | O_CREAT | O_EXCL);
  bool cloned = false;
  make_or_remove(to, [&] {
    failpoint(Point::clone);
    cloned = ::ioctl(out.get(), FICLONE, in.get()) == 0;
    if (!cloned && !means_no_clone(errno))
      throw sys_error(errno, "cannot clone '{}' to '{}'", from, to);
  });
  if (!cloned) remove_file(to); // it would be in the way of the copy
  return cloned;
}

void copy_sparse(const std::string& from, const std::string& to) {
  Fd in = open_file(from, O_RDONLY);
  Fd out = open_file(to, O_WRONLY | O_CREAT | O_EXCL);
  make_or_remove(to, [&] { fill_sparse(in.get(), out.get(), from, to); });
}

void copy_part(const std::string& from, int64_t offset, int64_t size, const std::string& to) {
  Fd in = open_file(from, O_RDONLY);
  Fd out = open_file(to, O_WRONLY | O_CREAT | O_EXCL);
  make_or_remove(to, [&] { fill_part(in.get(), out.get(), offset, size, from, to); });
}

bool can_clone(const std::string& sample, const std::string& dir) {
  // The two that most states are on never can; ext4 takes long over new files where many have just
  // been removed.
  struct statfs fs {};
  if (::statfs(dir.c_str(), &fs) != 0) return false;
  if (fs.f_type == EXT4_SUPER_MAGIC || fs.f_type == TMPFS_MAGIC) return false;
  auto in = find_file(sample, O_RDONLY);
  int fd = ::open(dir.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (!in || fd < 0) return false;
  Fd out(fd);
  return ::ioctl(out.get(), FICLONE, in->get()) == 0;
}

int64_t cut_front(int fd, int64_t keep) {
  struct stat st;
  if (::fstat(fd, &st) != 0) throw sys_error(errno, "cannot look at a log");
  int64_t block = st.st_blksize > 0 ? st.st_blksize : 4096;
  int64_t cut = (st.st_size - keep) / block * block;
  if (cut <= 0) return 0;
  failpoint(Point::truncate);
  if (::fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, cut) == 0) return cut;
  if (errno != EOPNOTSUPP && errno != EINVAL) throw sys_error(errno, "cannot cut a log");
  failpoint(Point::truncate);
  if (::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, cut) != 0 &&
      errno != EOPNOTSUPP)
    throw sys_error(errno, "cannot cut a log");
  return 0;
}

} // namespace banger::sys
