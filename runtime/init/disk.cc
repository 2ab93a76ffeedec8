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

bool mount_ext4(const char* device, const char* target, unsigned long flags) {
  if (!await_device(device)) return false;
  mkdir(target, 0755);
  if (mount(device, target, "ext4", flags, nullptr) == 0) return true;
  if (errno == EINVAL) return fail("cannot mount '%s': it holds no usable ext4", device);
  return fail("cannot mount '%s': %m", device);
}

// overlayfs cannot be the upper layer of another one, which container engines would try: their
// places are given the plain ext4 below.
bool bind_plain(const char* plain, const char* target, const char* place) {
  mkdir(plain, 0711);
  int root = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int dir = root < 0 ? -1 : make_dirs_in_root(root, place, 0711, 0);
  if (dir < 0) return fail("cannot make '%s': %m", place);
  char at[32];
  snprintf(at, sizeof at, "/proc/self/fd/%d", dir);
  if (mount(plain, at, nullptr, MS_BIND, nullptr) < 0) return fail("cannot bind '%s': %m", place);
  close(dir);
  close(root);
  return true;
}

bool mount_overlay(const Seed& seed, std::string_view module_list, const char* target) {
  if (!load_modules(module_list, true) || !mount_ext4(seed.root, "/lower", MS_RDONLY) ||
      !mount_ext4(seed.upper, "/upper", 0))
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
  return mount_ext4(seed.root, target, 0);
}

} // namespace banger::init
