#include "helper/caller.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/error.h"
#include "core/failpoint.h"
#include "core/text.h"
#include "net/rule_text.h"
#include "sys/file.h"
#include "sys/owner.h"

namespace banger::helper {

namespace {

constexpr unsigned longest_seconds = 60;
constexpr gid_t nobodys = 65534;  // of a user without a group: never root's
constexpr size_t most_tags = 256; // of a user; those that have nothing are given up then

void must(int result, const char* what) {
  if (result != 0) throw sys_error(errno, "cannot {}", what);
}

Error no_rights() { return preflight("it was not started with root's rights"); }

// sudo sets these itself, whatever was in them; who is root already may set them as he likes.
template <typename N>
N number_in(const char* variable, N otherwise) {
  const char* text = std::getenv(variable);
  if (!text) return otherwise;
  std::string_view digits = text;
  N number{};
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size())
    throw usage("invalid {} '{}'", variable, digits);
  return number;
}

Caller find_caller() {
  if (::getuid() == 0) {
    auto uid = number_in<uid_t>("SUDO_UID", 0);
    Caller caller{uid, number_in<gid_t>("SUDO_GID", uid == 0 ? 0 : nobodys)};
    if (uid != 0) caller.groups = sys::groups_of(uid); // sudo does not say which he has
    return caller;
  }
  Caller caller{::getuid(), ::getgid()};
  caller.groups.resize(static_cast<size_t>(std::max(::getgroups(0, nullptr), 0)));
  if (::getgroups(static_cast<int>(caller.groups.size()), caller.groups.data()) < 0)
    throw no_rights();
  return caller;
}

// Who may signal, trace and stop this process is told by its users, and by no capability.
void become_root() {
  bool is_roots = ::getuid() == 0; // a container's root may not be let change groups
  if ((!is_roots && ::setgroups(0, nullptr) != 0) || ::setresgid(0, 0, 0) != 0 ||
      ::setresuid(0, 0, 0) != 0)
    throw no_rights();
}

void forget_environment(bool by_root) {
  std::vector<std::pair<std::string, std::string>> kept;
  if (failpoints_built_in && by_root) // they name a file that is written
    for (const char* name : {"BANGER_FAILPOINT", "BANGER_FAILPOINT_TRACE", "BANGER_FAILPOINT_IN"})
      if (const char* value = std::getenv(name)) kept.emplace_back(name, value);
  ::clearenv();
  ::setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1); // the programs of firewalls
  for (const auto& [name, value] : kept) ::setenv(name.c_str(), value.c_str(), 1);
}

void forget_signals() {
  for (int signal = 1; signal < NSIG; signal++) std::signal(signal, SIG_DFL); // as far as it may be
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGTTIN, SIGTTOU, SIGQUIT, SIGUSR1, SIGUSR2,
                     SIGPIPE, SIGIO, SIGXFSZ, SIGXCPU, SIGPROF, SIGVTALRM})
    std::signal(signal, SIG_IGN);
  ::alarm(longest_seconds); // the last resort; in the place of a timer that he set
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void forget_limits() {
  auto limit = [](auto which, rlim_t most) {
    rlimit l{most, most};
    ::setrlimit(which, &l);
  };
  limit(RLIMIT_NOFILE, 256);
  limit(RLIMIT_STACK, 8 << 20);
  limit(RLIMIT_CORE, 0);
  for (auto which : {RLIMIT_FSIZE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_NPROC, RLIMIT_CPU, RLIMIT_RSS,
                     RLIMIT_MEMLOCK, RLIMIT_SIGPENDING, RLIMIT_LOCKS})
    limit(which, RLIM_INFINITY);
  // Others wait for whoever holds the lock, however slow that one was made.
  sched_param usual{};
  ::sched_setscheduler(0, SCHED_OTHER, &usual);
  ::setpriority(PRIO_PROCESS, 0, 0);
  constexpr int of_process = 1;
  ::syscall(SYS_ioprio_set, of_process, 0, 0);
  cpu_set_t all;
  std::fill_n(reinterpret_cast<unsigned char*>(&all), sizeof all, static_cast<unsigned char>(~0u));
  ::sched_setaffinity(0, sizeof all, &all);
}

// A user may own the group that his processes are in, and freeze it.
void leave_control_group() {
  for (const char* top : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) try {
      auto file = sys::find_file(fmt::format("{}/cgroup.procs", top), O_WRONLY);
      if (file) sys::write_all(file->get(), "0");
    } catch (const Error&) { // a container's root may not
    }
}

bool is_member(const Caller& caller, const std::string& group) {
  // By its number: a host may have several names for one.
  auto gid = sys::group_id(group);
  if (!gid) return false;
  auto has = [&](const std::vector<gid_t>& all) { return std::ranges::count(all, *gid) > 0; };
  return caller.gid == *gid || has(caller.groups) || has(sys::groups_of(caller.uid));
}

struct flock one_byte(off_t at) {
  struct flock l {};
  l.l_type = F_WRLCK;
  l.l_whence = SEEK_SET;
  l.l_start = at;
  l.l_len = 1;
  return l;
}

} // namespace

Caller settle_in() {
  Caller caller = find_caller();
  become_root();
  ::close_range(3, ~0u, 0);
  for (int fd : {1, 2}) {
    Fd null = sys::open_file("/dev/null", O_RDWR);
    ::dup2(null.get(), fd);
  }
  forget_environment(caller.uid == 0);
  forget_limits();
  forget_signals();
  ::umask(022);
  must(::chdir("/"), "enter '/'");
  ::setsid();
  if (caller.uid != 0) leave_control_group();
  return caller;
}

void require_allowed(const Caller& caller, const Limits& limits) {
  if (caller.uid == 0 || (limits.users.empty() && limits.groups.empty())) return;
  std::string number = std::to_string(caller.uid);
  auto user = sys::user_name(caller.uid).value_or(number);
  if (std::ranges::count(limits.users, user) || std::ranges::count(limits.users, number)) return;
  if (std::ranges::any_of(limits.groups, [&](auto& group) { return is_member(caller, group); }))
    return;
  throw preflight("'{}' may not use banger's helper", user)
      .hint(fmt::format("{} says who may; see man banger-helper.toml", limits_file));
}

AsCaller::AsCaller(const Caller& caller) : other_(caller.uid != 0) {
  if (!other_) return;
  must(::setgroups(caller.groups.size(), caller.groups.data()), "work as its user");
  must(::setegid(caller.gid), "work as its user");
  must(::seteuid(caller.uid), "work as its user");
}

AsCaller::~AsCaller() {
  if (other_ && (::seteuid(0) != 0 || ::setegid(0) != 0 || ::setgroups(0, nullptr) != 0))
    std::abort();
}

Turn::Turn(const Caller& caller, size_t most)
    : file_(sys::open_file(sys::HostRecords("user", 0).path_of(std::to_string(caller.uid)),
                           O_RDWR | O_CREAT)) {
  // Byte 0 is the line's head, each of the others a place in it.
  for (size_t place = 1; place <= most; place++) {
    struct flock l = one_byte(static_cast<off_t>(place));
    if (::fcntl(file_.get(), F_OFD_SETLK, &l) == 0) return;
    if (errno != EAGAIN && errno != EACCES) throw sys_error(errno, "cannot stand in line");
  }
  throw conflict("this user has {} requests at work already", most)
      .hint("wait until some of them have ended");
}

void Turn::await() {
  struct flock l = one_byte(0);
  while (::fcntl(file_.get(), F_OFD_SETLKW, &l) != 0)
    if (errno != EINTR) throw sys_error(errno, "cannot stand in line");
}

void Turn::leave() {
  struct flock l = one_byte(0);
  l.l_type = F_UNLCK;
  if (::fcntl(file_.get(), F_OFD_SETLK, &l) != 0) throw sys_error(errno, "cannot leave a line");
}

Tags::Tags() : owners_("owner", 64) {}

// A number and the end of its line, so that a part of it is none.
std::optional<uid_t> Tags::find_owner(const std::string& tag) const {
  return owners_.find(
      tag, fmt::format("echo UID | sudo tee {}, with whose it is", owners_.path_of(tag)),
      [](const std::string& text) {
        uid_t uid = 0;
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), uid);
        if (error != std::errc() || std::string_view(end, text.data() + text.size()) != "\n")
          throw failed("it does not say whose the tag is");
        return uid;
      });
}

void Tags::require_own(const Caller& caller, const std::string& tag) const {
  if (!net::is_tag(tag)) throw usage("invalid tag '{}'", tag);
  if (caller.uid == 0) return;
  auto owner = find_owner(tag);
  if (owner && *owner != caller.uid)
    throw conflict("the tag '{}' belongs to another user of this host", tag)
        .hint("a state gets another tag where it is made anew");
}

void Tags::claim(const Caller& caller, const std::string& tag) {
  auto held = owners_.lock();
  require_own(caller, tag);
  if (find_owner(tag)) return;
  std::vector<std::string> own;
  for (const std::string& other : owners_.names()) try {
      if (find_owner(other) == caller.uid) own.push_back(other);
    } catch (const Error&) { // nobody's
    }
  if (own.size() >= most_tags)
    for (const std::string& other : own)
      if (!sys::HostRecords("bridge", 0).has(other) && !sys::HostRecords("disks", 0).has(other))
        owners_.remove(other);
  owners_.write(tag, std::to_string(caller.uid) + "\n");
}

} // namespace banger::helper
