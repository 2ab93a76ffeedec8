#include "sys/keeper.h"

#include <charconv>
#include <csignal>
#include <map>
#include <set>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/units.h"
#include "sys/file.h"
#include "sys/wait.h"

namespace banger::sys {

namespace {

constexpr Millis patience{5000}, look_again{50};

// Processes that come and go while this looks are found, or gone, the next time.
std::map<int, int> parents() {
  std::map<int, int> parent_of;
  for (const std::string& name : list_dir("/proc")) {
    int pid = 0, parent = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    auto stat = find_content("/proc/" + name + "/stat");
    size_t at = stat ? stat->rfind(") ") : std::string::npos; // the name before may be anything
    if (at == std::string::npos || stat->size() < at + 5) continue;
    const char* text = stat->data() + at + 4; // behind the state
    std::from_chars(text, stat->data() + stat->size(), parent);
    parent_of[pid] = parent;
  }
  return parent_of;
}

void signal_descendants(int signal) {
  auto parent_of = parents();
  std::set<int> ours{::getpid()};
  for (size_t before = 0; before != ours.size();) {
    before = ours.size();
    for (auto [pid, parent] : parent_of)
      if (ours.contains(parent)) ours.insert(pid);
  }
  ours.erase(::getpid());
  for (int pid : ours) {
    ::kill(pid, signal);
    ::kill(pid, SIGCONT); // a stopped process hears nothing
  }
}

// Until there is no child left: by then the processes that the program left behind are this one's
// children. Gives the status of the program.
int keep(int program, int lifeline) {
  sigset_t child;
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  int ends = ::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  int status = 0;
  bool ended = false, cut = false;
  std::optional<Deadline> until; // they end by themselves
  for (;;) {
    signalfd_siginfo info;
    while (::read(ends, &info, sizeof info) > 0) {
    }
    int raw = 0, pid = 0;
    while ((pid = ::waitpid(-1, &raw, WNOHANG)) > 0)
      if (pid == program) status = raw, ended = true;
    if (pid < 0 && errno == ECHILD) return status;
    if (!until && (ended || cut)) {
      signal_descendants(SIGTERM);
      until.emplace(patience);
    }
    if (until && until->has_passed()) signal_descendants(SIGKILL);
    // A process that dies below others is told to its parent alone.
    pollfd fds[] = {{ends, POLLIN, 0}, {cut ? -1 : lifeline, POLLIN, 0}};
    wait_any(fds, until ? static_cast<int>(look_again.count()) : -1);
    cut = cut || fds[1].revents != 0;
  }
}

[[noreturn]] void end_like(int status) {
  if (WIFEXITED(status)) ::_exit(WEXITSTATUS(status));
  int signal = WTERMSIG(status);
  rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::signal(signal, SIG_DFL);
  sigset_t all;
  ::sigemptyset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::raise(signal);
  ::_exit(128 + signal);
}

// In the keeper. Nothing of the process that it was forked from is destroyed here.
[[noreturn]] void be_keeper(const std::function<int()>& start, int lifeline, int report) {
  int error = EIO;
  try {
    ::setsid();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::prctl(PR_SET_NAME, "banger-keeper");
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    ::signal(SIGCHLD, SIG_DFL);
    int program = start();
    // The keeper must not hold a pipe or a lock of the process that started this one.
    ::dup2(lifeline, 0);
    ::syscall(SYS_close_range, 1u, ~0u, 0u);
    end_like(keep(program, 0));
  } catch (const Error& e) {
    error = e.error_number() != 0 ? e.error_number() : EIO;
  } catch (const std::exception&) {
  }
  [[maybe_unused]] ssize_t told = ::write(report, &error, sizeof error);
  ::_exit(127);
}

} // namespace

Keeper start_keeper(const std::function<int()>& start, const std::string& what) {
  Pipe line = make_pipe(), report = make_pipe();
  int pid = ::fork();
  if (pid < 0) throw sys_error(errno, "{}", what);
  if (pid == 0) {
    ::close(line.write.get());
    be_keeper(start, line.read.get(), report.write.get());
  }
  report.write.reset();
  int error = 0;
  ssize_t n = 0;
  do n = ::read(report.read.get(), &error, sizeof error);
  while (n < 0 && errno == EINTR);
  if (n == static_cast<ssize_t>(sizeof error)) {
    ::waitpid(pid, nullptr, 0);
    throw sys_error(error, "{}", what);
  }
  return {pid, std::move(line.write)};
}

} // namespace banger::sys
