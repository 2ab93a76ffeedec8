#include "init/init.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>

#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace banger::init {

namespace {

// The usual places, in the kernel's order, with systemd's own for roots without /sbin/init.
constexpr const char* inits[] = {"/sbin/init", "/lib/systemd/systemd", "/etc/init", "/bin/init",
                                 "/init"};

bool move_into(const char* mount_point, int root, const char* place) {
  int target = make_dirs_in_root(root, place, 0755, 0);
  if (target < 0) return fail("cannot make '/%s' in the root: %m", place);
  bool ok = syscall(SYS_move_mount, AT_FDCWD, mount_point, target, "",
                    MOVE_MOUNT_F_SYMLINKS | MOVE_MOUNT_T_EMPTY_PATH) == 0;
  if (!ok) fail("cannot move '%s' into the root: %m", mount_point);
  close(target);
  return ok;
}

// Gives the initramfs's memory back. Never leaves its file system: what is mounted in it stays.
void remove_below(int dir_fd, dev_t device) {
  DIR* dir = fdopendir(dir_fd);
  if (!dir) return;
  while (dirent* entry = readdir(dir)) {
    const char* name = entry->d_name;
    struct stat info;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) < 0 || info.st_dev != device)
      continue;
    if (!S_ISDIR(info.st_mode)) {
      unlinkat(dir_fd, name, 0);
      continue;
    }
    int below = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below >= 0) remove_below(below, device);
    unlinkat(dir_fd, name, AT_REMOVEDIR);
  }
  closedir(dir);
}

void remove_initramfs() {
  int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat info;
  if (root >= 0 && fstat(root, &info) == 0) remove_below(root, info.st_dev);
}

const char* find_init(const char* wanted) {
  if (*wanted) return access(wanted, X_OK) == 0 ? wanted : nullptr;
  for (const char* path : inits)
    if (access(path, X_OK) == 0) return path;
  return nullptr;
}

} // namespace

bool switch_root(const char* new_root, const char* init, void (*ready)()) {
  int root = open(new_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return fail("cannot open the root: %m");
  if (!move_into("/dev", root, "dev") || !move_into("/sys", root, "sys") ||
      !move_into("/proc", root, "proc"))
    return false;
  remove_initramfs();
  if (fchdir(root) < 0 || mount(".", "/", nullptr, MS_MOVE, nullptr) < 0 || chroot(".") < 0 ||
      chdir("/") < 0)
    return fail("cannot enter the root: %m");
  const char* program = find_init(init);
  if (!program)
    return *init ? fail("the root's init '%s' cannot be run: %m", init)
                 : fail("the root has no init");
  int console = open("/dev/console", O_RDWR | O_NOCTTY);
  for (int fd = 0; console >= 0 && fd <= 2; fd++) dup2(console, fd);
  if (console > 2) close(console);
  ready();
  const char* argv[] = {program, nullptr};
  const char* env[] = {"HOME=/", "TERM=linux", nullptr};
  execve(program, const_cast<char**>(argv), const_cast<char**>(env));
  return fail("cannot run '%s': %m", program);
}

} // namespace banger::init
