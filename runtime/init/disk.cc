#include "init/init.h"

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <poll.h>

#include <linux/netlink.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace banger::init {

namespace {

constexpr int device_deadline_ms = 10'000;

int64_t now_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// The kernel makes the node before it sends the event, and the socket is bound before the first
// look: no device can be missed.
bool await_device(const char* path) {
  int events = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  kernel.nl_groups = 1;
  if (events < 0 || bind(events, reinterpret_cast<sockaddr*>(&kernel), sizeof kernel) < 0)
    return fail("cannot listen for devices: %m");
  int64_t deadline = now_ms() + device_deadline_ms;
  bool found;
  while (!(found = access(path, F_OK) == 0)) {
    int64_t left = deadline - now_ms();
    pollfd wait{.fd = events, .events = POLLIN, .revents = 0};
    if (left <= 0 || poll(&wait, 1, static_cast<int>(left)) == 0) break;
    char event[4096];
    [[maybe_unused]] ssize_t n = recv(events, event, sizeof event, 0);
  }
  close(events);
  return found || fail("no device '%s' in %d s", path, device_deadline_ms / 1000);
}

bool mount_ext4(const char* device, const char* target, unsigned long flags,
                const char* options = nullptr) {
  if (!await_device(device)) return false;
  mkdir(target, 0755);
  // The kernel counts a file system's groups before it replays the journal (Linux 6.1,
  // ext4_fill_super), and a growth upon the old count is a kernel BUG. So what is to be grown is
  // mounted anew then.
  bool again = !(flags & MS_RDONLY) && needs_recovery(device);
  if (mount(device, target, "ext4", flags, options) == 0 &&
      (!again || (umount(target) == 0 && mount(device, target, "ext4", flags, options) == 0)))
    return true;
  if (errno == EINVAL) return fail("cannot mount '%s': it holds no usable ext4", device);
  return fail("cannot mount '%s': %m", device);
}

// One that is written to: as large as its disk. A guest whose file system cannot grow is still one,
// and its console tells.
bool mount_own(const char* device, const char* target, const char* options = nullptr) {
  if (!mount_ext4(device, target, 0, options)) return false;
  bool grew = false;
  if (!grow_ext4(device, target, grew))
    say_failure("grow");
  else if (grew)
    say_stage("grow");
  return true;
}

// Binds or moves what is at `from` to `place` in the root, whatever links the root has there.
bool put_at(const char* from, const char* target, const char* place, mode_t mode,
            unsigned long how) {
  int root = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int dir = root < 0 ? -1 : make_dirs_in_root(root, place, mode, 0);
  if (dir < 0) return fail("cannot make '/%s': %m", place);
  char at[32];
  snprintf(at, sizeof at, "/proc/self/fd/%d", dir);
  if (mount(from, at, nullptr, how, nullptr) < 0) return fail("cannot mount on '/%s': %m", place);
  close(dir);
  close(root);
  return true;
}

// overlayfs cannot be the upper layer of another one, which container engines would try: their
// places are given the plain ext4 below.
bool bind_plain(const char* plain, const char* target, const char* place) {
  mkdir(plain, 0711);
  return put_at(plain, target, place, 0711, MS_BIND);
}

bool mount_overlay(const Seed& seed, std::string_view module_list, const char* target) {
  // No tool can trim a file system below an overlay: it tells by itself what became free.
  if (!load_modules(module_list, true) || !mount_ext4(seed.root, "/lower", MS_RDONLY) ||
      !mount_own(seed.upper, "/upper", "discard"))
    return false;
  mkdir("/upper/root", 0755);
  mkdir("/upper/work", 0755);
  mkdir(target, 0755);
  if (mount("overlay", target, "overlay", 0,
            "lowerdir=/lower,upperdir=/upper/root,workdir=/upper/work,redirect_dir=on") < 0)
    return fail("cannot mount the overlay: %m");
  return bind_plain("/upper/docker", target, "var/lib/docker") &&
         bind_plain("/upper/containers", target, "var/lib/containers");
}

} // namespace

bool mount_root(const Seed& seed, std::string_view module_list, const char* target) {
  if (seed.overlay) return mount_overlay(seed, module_list, target);
  return mount_own(seed.root, target);
}

bool mount_work(const Seed& seed, const char* target) {
  if (!*seed.work) return true;
  // Not in its place from the first: a descriptor of that place leads to what it covers.
  if (!mount_own(seed.work, "/work")) return false;
  return put_at("/work", target, seed.work_mount + 1, 0755, MS_MOVE);
}

} // namespace banger::init
