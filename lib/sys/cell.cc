#include "sys/cell.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/text.h"
#include "sys/file.h"
#include "sys/namespace.h"
#include "sys/own_root.h"
#include "sys/process.h"
#include "sys/wait.h"

namespace banger::sys {

namespace {

constexpr unsigned long apart = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC;
constexpr int second = 2; // the pid in the cell of the process beside the first

// What the two processes tell each other, a datagram each; anything else is the text of a fault,
// which `forbidden` is put before where the host does not allow it.
constexpr std::string_view ready = "+ready", hardened = "+hardened", go_on = "+go",
                           there = "+there";
const std::string forbidden = "-";

// Whether that is how a kernel says that it has no such thing, or that this user may not have it:
// for AppArmor, or a container. A process that was taken over could bring about other faults, to
// have its successor less confined.
bool is_forbidden(int err) {
  return err == EPERM || err == EACCES || err == ENOSYS || err == EINVAL;
}
// A limit, of 0 where namespaces are turned off.
bool is_limited(int err) { return err == ENOSPC || err == EUSERS; }

struct Capabilities {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
};

// Whether this process may make the namespaces as it is.
bool has_rights() {
  Capabilities c;
  if (::syscall(SYS_capget, &c.header, c.data) != 0) return false;
  return c.data[0].effective & (1U << CAP_SYS_ADMIN);
}

// A copy of this process: as fork(), with the kernel's flags.
int copy_process(unsigned long flags) {
  return static_cast<int>(::syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, 0));
}

void say(int fd, std::string_view text) {
  while (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

// Empty: the other one has gone.
std::string hear(int fd) {
  char text[1024];
  ssize_t n = 0;
  while ((n = ::recv(fd, text, sizeof text, 0)) < 0 && errno == EINTR) {
  }
  return std::string(text, n > 0 ? static_cast<size_t>(n) : 0);
}

// The first process keeps nothing by which another in the cell could get out, or use it: no file,
// no right, and its memory is not to be looked at.
void harden() {
  ::setsid();
  ::prctl(PR_SET_NAME, cell_name);
  drop_capabilities(false);
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) throw sys_error(errno, "cannot close a process");
  confine({}, false);
}

struct User {
  bool is_new; // gets a user namespace, where he keeps these
  unsigned uid, gid;
};

[[noreturn]] void be_first(const std::vector<Reach>& reaches, const std::string& dir,
                           const User& user, int other) {
  try {
    if (user.is_new) map_own_user(user.uid, user.gid);
    make_own_root(reaches, dir);
    // Its only descriptor takes the place of standard input.
    if (::dup2(other, 0) < 0) throw sys_error(errno, "cannot keep a descriptor");
    other = 0;
    ::syscall(SYS_close_range, 1U, ~0U, 0U);
    say(0, ready);
    if (hear(0) != go_on) ::_exit(1);
    harden();
    say(0, hardened);
    if (hear(0) != there) ::_exit(1);
    Fd process = open_end(second);
    ::close(0);
    if (process) wait_readable(process.get(), {}); // else it has ended already
    ::_exit(0);
  } catch (const Error& e) {
    say(other, (is_forbidden(e.error_number()) ? forbidden : "") + e.message());
  } catch (const std::exception& e) {
    say(other, e.what());
  }
  ::_exit(1);
}

// The first process, as the one sees it that made it.
class First {
public:
  First(int pid, Fd socket) : pid_(pid), socket_(std::move(socket)) {}
  ~First() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  First(const First&) = delete;
  First& operator=(const First&) = delete;

  // Waits until it has said `word`. Gives why that is forbidden; throws what else it has said.
  std::optional<Error> await(std::string_view word) const {
    std::string said = hear(socket_.get());
    if (said == word) return {};
    if (said.starts_with(forbidden)) return failed("{}", said.substr(forbidden.size()));
    throw failed("{}", said.empty() ? "the first process of a cell has ended" : said);
  }
  void tell(std::string_view word) const { say(socket_.get(), word); }
  int pid() const { return pid_; }
  void leave() { pid_ = 0; }

private:
  int pid_;
  Fd socket_;
};

} // namespace

std::optional<Error> enter_cell(const std::vector<Reach>& reaches, const Fd& report) {
  std::string dir = real_path(".");
  User user{!has_rights(), ::geteuid(), ::getegid()};
  unsigned long flags = apart | (user.is_new ? CLONE_NEWUSER : 0);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw sys_error(errno, "cannot make a socket");
  Fd own(ends[0]), other(ends[1]);
  int pid = copy_process(flags);
  if (int err = pid < 0 ? errno : 0) {
    Error fault = no_namespace(err, "namespaces for a VMM",
                               "user.max_user_namespaces, user.max_pid_namespaces or the like");
    if (is_forbidden(err) || is_limited(err)) return fault;
    throw std::move(fault);
  }
  if (pid == 0) be_first(reaches, dir, user, other.get());
  other.reset();
  First first(pid, std::move(own));
  if (auto fault = first.await(ready)) return fault;
  Fd namespaces = open_end(pid);
  if (!namespaces || ::setns(namespaces.get(), static_cast<int>(flags)) != 0) {
    Error fault = sys_error(errno, "cannot enter the namespaces of a process");
    if (is_forbidden(fault.error_number())) return fault;
    throw std::move(fault);
  }
  first.tell(go_on);
  if (auto fault = first.await(hardened)) throw std::move(*fault);
  int child = copy_process(CLONE_PARENT);
  if (child < 0) throw sys_error(errno, "cannot make a process");
  if (child > 0) {
    // In this order: where this process is killed in between, the first one ends them both.
    write_all(report.get(), fmt::format("{}\n{}\n", child, first.pid()));
    first.tell(there);
    ::_exit(0);
  }
  first.leave();
  ::setsid();
  // The keys of its starter's session are not its own. Where the host has no keyrings, none is
  // left.
  ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
  if (::chdir(dir.c_str()) != 0) throw sys_error(errno, "cannot enter '{}'", dir);
  return {};
}

void drop_capabilities(bool ports) {
  Capabilities c;
  if (::syscall(SYS_capget, &c.header, c.data) != 0) throw sys_error(errno, "cannot read rights");
  uint32_t kept = ports ? c.data[0].permitted & (1U << CAP_NET_BIND_SERVICE) : 0;
  // Without the right to it there is nothing that a program could be given.
  for (unsigned n = 0; n < 64; n++) // a later kernel may have more than this one's header
    if (n >= 32 || !(kept & (1U << n))) ::prctl(PR_CAPBSET_DROP, n, 0, 0, 0);
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  c.data[0] = {kept, kept, 0};
  c.data[1] = {};
  if (::syscall(SYS_capset, &c.header, c.data) != 0 ||
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    throw sys_error(errno, "cannot give up rights");
}

} // namespace banger::sys
