#include "sys/copy.h"

#include <algorithm>
#include <limits>

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
#include "sys/sparse.h"

namespace banger::sys {

namespace {

// Whether the errno says that this file system, or this pair of them, cannot share extents.
bool means_no_clone(int err) {
  return err == EOPNOTSUPP || err == EXDEV || err == EINVAL || err == ENOTTY || err == ENOSYS;
}

// The data of `in` into the empty `out`; holes stay holes.
void fill_sparse(int in, int out, const std::string& from, const std::string& to,
                 const std::function<void()>& between) {
  // A second of a slow disk, for who may be interrupted.
  const off_t most = between ? off_t{64} << 20 : std::numeric_limits<off_t>::max();
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
      if (between) between();
      auto piece = static_cast<size_t>(std::min(hole - read_at, most));
      ssize_t n = ::copy_file_range(in, &read_at, out, &write_at, piece, 0);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && means_no_clone(errno)) {
        // Two file systems that do not know each other.
        if (::lseek(out, read_at, SEEK_SET) < 0) throw sys_error(errno, "cannot seek '{}'", to);
        n = ::sendfile(out, in, &read_at, piece);
        if (n < 0 && errno == EINTR) continue;
        write_at = read_at;
      }
      if (n < 0) throw sys_error(errno, "cannot copy '{}' to '{}'", from, to);
      if (n == 0) throw failed("cannot copy '{}': it became shorter meanwhile", from);
    }
    at = hole;
  }
}

// The same with `size` bytes from `offset` on, of a file or a block device.
void fill_part(int in, SparseFile& out, int64_t offset, int64_t size, const std::string& from,
               Original original, const std::function<void()>& between) {
  constexpr int64_t step = int64_t{1} << 20;
  auto cut_short = [&] { return failed("'{}' is truncated", from); };
  out.set_size(size);
  for (int64_t at = 0; at < size;) {
    off_t data = ::lseek(in, offset + at, SEEK_DATA);
    if (data < 0 && errno == EINVAL) data = offset + at; // a device knows of no holes
    if (data < 0 && errno != ENXIO) throw sys_error(errno, "cannot read '{}'", from);
    if (data < 0) break; // only a hole is left
    at = std::max<int64_t>(at, data - offset);
    if (at >= size) break;
    if (between) between();
    std::string block = read_at(in, offset + at, static_cast<size_t>(std::min(step, size - at)));
    if (block.empty()) throw cut_short();
    failpoint(Point::clone);
    out.write(at, block);
    auto n = static_cast<int64_t>(block.size());
    if (original == Original::given_back) {
      failpoint(Point::truncate);
      // Where the file system cannot, it is only room that is lost, until the file is removed.
      ::fallocate(in, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset + at, n);
    }
    at += n;
  }
  off_t end = ::lseek(in, 0, SEEK_END);
  if (end < 0) throw sys_error(errno, "cannot look at '{}'", from);
  if (end < offset + size) throw cut_short();
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

void copy_sparse(const std::string& from, const std::string& to,
                 const std::function<void()>& between) {
  Fd in = open_file(from, O_RDONLY);
  Fd out = open_file(to, O_WRONLY | O_CREAT | O_EXCL);
  make_or_remove(to, [&] { fill_sparse(in.get(), out.get(), from, to, between); });
}

void copy_part(int in, const std::string& from, int64_t offset, int64_t size, const std::string& to,
               Original original, const std::function<void()>& between) {
  SparseFile out(to);
  make_or_remove(to, [&] { fill_part(in, out, offset, size, from, original, between); });
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
  constexpr int64_t longest = int64_t{1} << 30;
  struct stat st;
  if (::fstat(fd, &st) != 0) throw sys_error(errno, "cannot look at a log");
  int64_t block = st.st_blksize > 0 ? st.st_blksize : 4096;
  int64_t cut = (st.st_size - keep) / block * block;
  if (cut <= 0) return 0;
  failpoint(Point::truncate);
  if (::fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, cut) == 0) return cut;
  if (errno != EOPNOTSUPP && errno != EINVAL) throw sys_error(errno, "cannot cut a log");
  failpoint(Point::truncate);
  if (st.st_size > longest) {
    if (::ftruncate(fd, 0) != 0) throw sys_error(errno, "cannot cut a log");
    return st.st_size;
  }
  if (::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, cut) != 0 &&
      errno != EOPNOTSUPP)
    throw sys_error(errno, "cannot cut a log");
  return 0;
}

} // namespace banger::sys
