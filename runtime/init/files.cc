#include "init/init.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>

#include <linux/openat2.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace banger::init {

namespace {

constexpr int max_depth = 16;
constexpr const char* temporary = ".banger-new";

// `dir` holds the file's directory in the root. The file is made whole beside its place and then
// renamed over it: a link there is replaced, never followed.
bool place_file(int source, int dir, const char* name, const char* path, uid_t owner) {
  struct stat info;
  if (fstat(source, &info) < 0) return fail("cannot read '%s': %m", path);
  if (unlinkat(dir, temporary, 0) < 0 && errno != ENOENT)
    return fail("cannot replace '%s': %m", path);
  int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return fail("cannot make '%s': %m", path);
  bool ok = true;
  for (off_t left = info.st_size; ok && left > 0;) {
    ssize_t n = sendfile(fd, source, nullptr, static_cast<size_t>(left));
    if (n == 0) errno = EIO; // shorter than it was
    ok = n > 0;
    left -= n;
  }
  ok = ok && fchown(fd, owner, owner) == 0 && fchmod(fd, info.st_mode & 07777) == 0 &&
       renameat(dir, temporary, dir, name) == 0;
  if (!ok) {
    fail("cannot write '%s': %m", path);
    unlinkat(dir, temporary, 0);
  }
  close(fd);
  return ok;
}

// `from` (closed here) stands at `path` below the root; `path` is grown and cut again as the walk
// goes.
bool place_below(int from, int root, char* path, size_t capacity, int depth, uid_t owner) {
  struct stat info;
  if (fstat(from, &info) < 0) return fail("cannot read '%s': %m", path);
  int target = make_dirs_in_root(root, path, info.st_mode & 07777, owner);
  if (target < 0) return fail("cannot make '%s': %m", path);
  DIR* dir = depth > max_depth ? (errno = ELOOP, nullptr) : fdopendir(from);
  if (!dir) {
    close(target);
    return fail("cannot read '%s': %m", path);
  }
  size_t length = strlen(path);
  bool ok = true;
  while (dirent* entry = ok ? readdir(dir) : nullptr) {
    const char* name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    int n = snprintf(path + length, capacity - length, "%s%s", length ? "/" : "", name);
    int source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (static_cast<size_t>(n) >= capacity - length) {
      ok = fail("'%s' is too long", path);
    } else if (source < 0 || fstat(source, &info) < 0) {
      ok = fail("cannot read '%s': %m", path);
    } else if (S_ISDIR(info.st_mode)) {
      ok = place_below(source, root, path, capacity, depth + 1, owner);
      source = -1;
    } else if (S_ISREG(info.st_mode)) {
      ok = place_file(source, target, name, path, owner);
    }
    if (source >= 0) close(source);
    path[length] = '\0';
  }
  close(target);
  closedir(dir);
  return ok;
}

} // namespace

int open_in_root(int root, const char* path, int flags) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(syscall(SYS_openat2, root, path, &how, sizeof how));
}

int make_dirs_in_root(int root, const char* path, mode_t mode, uid_t owner) {
  char part[512];
  size_t size = strlen(path);
  if (size >= sizeof part) return errno = ENAMETOOLONG, -1;
  int dir = open_in_root(root, ".", O_RDONLY | O_DIRECTORY);
  // Each prefix is resolved anew from the root, so that a link half-way stays inside it.
  for (size_t begin = 0; dir >= 0 && begin < size;) {
    size_t end = begin + strcspn(path + begin, "/");
    memcpy(part, path, end);
    part[end] = '\0';
    int next = open_in_root(root, part, O_RDONLY | O_DIRECTORY);
    if (next < 0 && errno == ENOENT) {
      const char* name = part + begin;
      mode_t wanted = end == size ? mode : 0755;
      if (mkdirat(dir, name, wanted) == 0) {
        next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        // The mode again, because of the umask.
        if (next >= 0 && (fchown(next, owner, owner) < 0 || fchmod(next, wanted) < 0)) {
          close(next);
          next = -1;
        }
      }
    }
    int saved = errno;
    close(dir);
    errno = saved;
    dir = next;
    begin = path[end] == '/' ? end + 1 : end;
  }
  return dir;
}

bool place_files(int from, int root, uid_t owner) {
  char path[512] = "";
  int copy = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return fail("cannot read the seed's files: %m");
  return place_below(copy, root, path, sizeof path, 0, owner);
}

} // namespace banger::init
