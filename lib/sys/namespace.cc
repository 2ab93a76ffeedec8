#include "sys/namespace.h"

#include <algorithm>
#include <cstring>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/failpoint.h"
#include "core/text.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace banger::sys {

namespace {

constexpr const char* tun_device = "/dev/net/tun";

uint64_t inode_of(int fd) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) throw sys_error(errno, "cannot look at a namespace");
  return st.st_ino;
}

void write_own(const char* file, const std::string& text) {
  Fd fd = open_file(std::string("/proc/self/") + file, O_WRONLY);
  write_all(fd.get(), text);
}

} // namespace

Error no_namespace(int err, const char* what, const char* limits) {
  // "No space left on device" is how the kernel says that a limit is reached.
  if (err == ENOSPC) return failed("cannot make {}: the limit {} is reached", what, limits);
  return sys_error(err, "cannot make {}", what);
}

void map_own_user(unsigned uid, unsigned gid) {
  write_own("setgroups", "deny"); // user_namespaces(7): else gid_map may not be written
  write_own("uid_map", fmt::format("{} {} 1", uid, uid));
  write_own("gid_map", fmt::format("{} {} 1", gid, gid));
}

std::vector<std::string> links_of(const ProcessId& id) {
  std::optional<std::string> table;
  try {
    table = find_content(fmt::format("/proc/{}/net/dev", id.pid));
  } catch (const Error&) {
    return {};
  }
  if (!table || !is_alive(id)) return {}; // afterwards: the pid may be another's
  std::vector<std::string> names;
  for (const std::string& line : split(*table, '\n'))
    if (size_t colon = line.find(':'); colon != std::string::npos)
      names.emplace_back(trim(std::string_view(line).substr(0, colon)));
  return names;
}

bool has_link(const ProcessId& id, const std::string& name) {
  std::vector<std::string> names = links_of(id);
  return std::ranges::find(names, name) != names.end();
}

std::optional<Namespaces> open_namespaces(const ProcessId& id) {
  std::string dir = fmt::format("/proc/{}/ns/", id.pid);
  Namespaces n;
  try {
    n.net = open_file(dir + "net", O_RDONLY);
    n.user = open_file(dir + "user", O_RDONLY);
  } catch (const Error& e) {
    if (!is_alive(id)) return {};
    throw;
  }
  // Opened first, looked at after: a recycled pid would show here.
  if (!is_alive(id)) return {};
  n.net_id = inode_of(n.net.get());
  Fd own = open_file("/proc/self/ns/user", O_RDONLY);
  if (inode_of(own.get()) == inode_of(n.user.get())) n.user.reset();
  return n;
}

void make_network_namespace() {
  constexpr const char* limits = "user.max_user_namespaces or user.max_net_namespaces";
  if (is_root()) {
    if (::unshare(CLONE_NEWNET) != 0) throw no_namespace(errno, "a network namespace", limits);
    return;
  }
  unsigned uid = ::geteuid(), gid = ::getegid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
    throw no_namespace(errno, "a user and network namespace", limits);
  map_own_user(uid, gid);
}

void enter(const Namespaces& where) {
  // The user namespace first: it gives the right to enter the other.
  if (where.user && ::setns(where.user.get(), CLONE_NEWUSER) != 0)
    throw sys_error(errno, "cannot enter a user namespace");
  if (::setns(where.net.get(), CLONE_NEWNET) != 0)
    throw sys_error(errno, "cannot enter a network namespace");
}

void enter(int net, int user) { enter({Fd(net), Fd(user), 0}); }

void make_tap(const std::string& name, std::optional<unsigned> owner) {
  Fd fd = open_file(tun_device, O_RDWR);
  ifreq request{};
  if (name.empty() || name.size() >= sizeof request.ifr_name)
    throw failed("invalid name of a tap '{}'", name);
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  failpoint(Point::tap);
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0 ||
      ::ioctl(fd.get(), TUNSETOWNER, owner.value_or(::geteuid())) != 0 ||
      ::ioctl(fd.get(), TUNSETPERSIST, 1) != 0)
    throw sys_error(errno, "cannot make the tap '{}'", name);
}

int tun_fault() {
  Fd fd(::open(tun_device, O_RDWR | O_CLOEXEC));
  return fd ? 0 : errno;
}

} // namespace banger::sys
