#include "sys/process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "core/text.h"
#include "sys/file.h"
#include "sys/keeper.h"
#include "sys/signals.h"
#include "sys/socket.h"
#include "sys/wait.h"

extern char** environ;

namespace banger::sys {

namespace {

// envp for a child: ours with the command's additions in place of what they name.
struct Environment {
  std::vector<std::string> text;
  std::vector<char*> pointers;

  explicit Environment(const std::map<std::string, std::string>& extra) {
    for (char** e = environ; *e; e++) {
      std::string_view entry(*e);
      if (!extra.contains(std::string(entry.substr(0, entry.find('='))))) text.emplace_back(entry);
    }
    for (const auto& [k, v] : extra) text.push_back(k + "=" + v);
    for (std::string& t : text) pointers.push_back(t.data());
    pointers.push_back(nullptr);
  }
};

std::vector<char*> argv_of(const Command& command) {
  std::vector<char*> argv;
  for (const std::string& a : command.argv) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  return argv;
}

Error cannot_run(int err, const std::string& program) {
  Error e = sys_error(err, "cannot run '{}'", program);
  if (err == ENOENT) e.default_hint(fmt::format("install {} or add it to PATH", program));
  return e;
}

// Of a program that find_program() does not find.
int why_not_found(const std::string& name) {
  return name.find('/') != std::string::npos && ::access(name.c_str(), X_OK) != 0 ? errno : ENOENT;
}

ExitStatus status_of(int raw) {
  if (WIFEXITED(raw)) return {true, WEXITSTATUS(raw), 0};
  return {false, 0, WTERMSIG(raw)};
}

struct FileActions {
  posix_spawn_file_actions_t actions;
  FileActions() { ::posix_spawn_file_actions_init(&actions); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions); }
};

struct Attributes {
  posix_spawnattr_t attributes;
  explicit Attributes(const Command& command) {
    ::posix_spawnattr_init(&attributes);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (command.new_session) flags |= POSIX_SPAWN_SETSID;
    sigset_t none, defaults;
    ::sigemptyset(&none);
    ::sigfillset(&defaults);
    for (int s = 1; command.keep_ignored && s < NSIG; s++) {
      struct sigaction now {};
      if (s != SIGPIPE && s != SIGXFSZ && ::sigaction(s, nullptr, &now) == 0 &&
          now.sa_handler == SIG_IGN)
        ::sigdelset(&defaults, s);
    }
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    ::posix_spawnattr_setflags(&attributes, flags);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes); }
};

} // namespace

std::string ExitStatus::text() const {
  if (exited) return fmt::format("exit status {}", code);
  return fmt::format("signal {} ({})", signal, ::strsignal(signal));
}

std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (::access(name.c_str(), X_OK) == 0) return name;
    return {};
  }
  const char* path = std::getenv("PATH");
  for (const std::string& dir : split(path ? path : "/usr/bin:/bin", ':')) {
    std::string full = (dir.empty() ? "." : dir) + "/" + name;
    // A directory of PATH that may not be entered is passed over, like one that is not there.
    if (::access(full.c_str(), X_OK) != 0) continue;
    if (auto info = find_info(full); info && info->is_file) return full;
  }
  return {};
}

namespace {

int start(const Command& command, const std::string& program, const Stdio& stdio) {
  // Our ends are moved above every number the child will use, so that no dup2 below overwrites a
  // descriptor that a later one still needs.
  int floor = 3;
  for (auto [ours, theirs] : stdio.more) floor = std::max(floor, theirs + 1);
  std::vector<Fd> held;
  FileActions files;
  auto place = [&](int ours, int theirs) {
    if (ours < 0) {
      held.emplace_back(
          ::open("/dev/null", theirs == 0 ? O_RDONLY | O_CLOEXEC : O_WRONLY | O_CLOEXEC));
      ours = held.back().get();
    }
    held.emplace_back(::fcntl(ours, F_DUPFD_CLOEXEC, floor));
    if (!held.back()) throw sys_error(errno, "cannot run '{}'", command.argv[0]);
    ::posix_spawn_file_actions_adddup2(&files.actions, held.back().get(), theirs);
  };
  place(stdio.in, 0);
  place(stdio.out, 1);
  place(stdio.err, 2);
  for (auto [ours, theirs] : stdio.more) place(ours, theirs);
  // The child gets no other descriptor that is open, close-on-exec or not. Closing a number that is
  // not open is no error here.
  for (int fd = 3; fd < floor; fd++)
    if (std::ranges::none_of(stdio.more, [&](const auto& m) { return m.second == fd; }))
      ::posix_spawn_file_actions_addclose(&files.actions, fd);
  ::posix_spawn_file_actions_addclosefrom_np(&files.actions, floor);
  if (!command.cwd.empty())
    ::posix_spawn_file_actions_addchdir_np(&files.actions, command.cwd.c_str());

  Attributes attributes(command);
  Environment environment(command.env);
  auto argv = argv_of(command);
  pid_t pid = 0;
  // glibc's posix_spawn shares memory until the exec (no page table is copied) and gives back the
  // errno of whatever failed in the child.
  int err = ::posix_spawn(&pid, program.c_str(), &files.actions, &attributes.attributes,
                          argv.data(), environment.pointers.data());
  if (err == 0) return pid;
  if (!command.cwd.empty() && ::access(command.cwd.c_str(), X_OK) != 0)
    throw sys_error(errno, "cannot run '{}' in '{}'", command.argv[0], command.cwd);
  throw cannot_run(err, command.argv[0]);
}

} // namespace

Child spawn(const Command& command, const Stdio& stdio) {
  failpoint(Point::spawn);
  auto program = find_program(command.argv.at(0));
  if (!program) throw cannot_run(why_not_found(command.argv[0]), command.argv[0]);
  Keeper keeper;
  if (command.kept)
    keeper = start_keeper([&] { return start(command, *program, stdio); },
                          fmt::format("cannot run '{}'", command.argv[0]));
  else
    keeper.pid = start(command, *program, stdio);
  // Ours and not yet reaped, so the pid cannot be another's.
  Fd pidfd = open_end(keeper.pid);
  if (!pidfd) {
    int open_error = errno;
    keeper.lifeline.reset();
    if (!command.kept) ::kill(keeper.pid, SIGKILL);
    ::waitpid(keeper.pid, nullptr, 0);
    throw sys_error(open_error, "cannot follow '{}'", command.argv[0]);
  }
  if (!command.kept) return {keeper.pid, std::move(pidfd)};
  return {keeper.pid, std::move(pidfd), std::move(keeper.lifeline)};
}

Fd open_end(int pid) { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

Child take_child(int pid) {
  Fd pidfd = open_end(pid);
  if (!pidfd) {
    int err = errno;
    ::kill(pid, SIGKILL); // not reaped yet, so the number is its
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    throw sys_error(err, "cannot follow process {}", pid);
  }
  return {pid, std::move(pidfd)};
}

Child::~Child() {
  if (lifeline_)
    lifeline_->reset();
  else if (owned_)
    ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
  else
    return;
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

ExitStatus Child::wait() {
  int raw = 0;
  while (::waitpid(pid_, &raw, 0) < 0)
    if (errno != EINTR) throw sys_error(errno, "cannot wait for process {}", pid_);
  lifeline_.reset();
  owned_ = false;
  return status_of(raw);
}

std::optional<ExitStatus> Child::wait_for(Millis timeout) {
  if (!wait_readable(pidfd_.get(), timeout)) return {};
  return wait();
}

void Child::kill(int signal) {
  failpoint(Point::kill);
  if (lifeline_) return lifeline_->reset();
  ::syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0);
}

namespace {

// Holds SIGPIPE back from this thread, which alone is sent it for its own writes; the signal's
// handling in other threads and in the process stays as it is.
class WithoutSigpipe {
public:
  WithoutSigpipe() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    timespec now{};
    if (!was_pending_)
      while (::sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

private:
  sigset_t pipe_, before_;
  bool was_pending_ = false;
};

// Takes what is there; closes at the end. Output past the limit is read and dropped.
void drain(Fd& fd, std::string& to) {
  char buffer[65536];
  ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (n <= 0) return fd.reset();
  constexpr size_t limit = size_t{16} << 20;
  if (to.size() < limit) to.append(buffer, static_cast<size_t>(n));
}

void feed(Fd& fd, std::string_view& input) {
  ssize_t n = input.empty() ? 0 : ::write(fd.get(), input.data(), input.size());
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (n < 0) return fd.reset(); // the child does not want it
  input.remove_prefix(static_cast<size_t>(n));
  if (input.empty()) fd.reset();
}

} // namespace

RunResult run(const Command& command, std::string_view input, std::optional<Millis> timeout) {
  WithoutSigpipe without_sigpipe; // of a child that stops reading its input
  Pipe in = make_pipe(), out = make_pipe(), err = make_pipe();
  Child child = spawn(command, {in.read.get(), out.write.get(), err.write.get(), {}});
  in.read.reset();
  out.write.reset();
  err.write.reset();
  set_nonblocking(in.write.get());
  RunResult result;
  Deadline deadline(timeout);
  Fd interrupts = command.kept ? interruptions() : Fd();
  bool ended = false;
  // A grandchild may hold the pipes open; the child's own end is what counts.
  while (!ended) {
    pollfd fds[5] = {{in.write.get(), POLLOUT, 0},
                     {out.read.get(), POLLIN, 0},
                     {err.read.get(), POLLIN, 0},
                     {child.pidfd(), POLLIN, 0},
                     {interrupts.get(), POLLIN, 0}};
    if (deadline.has_passed() && !result.timed_out) {
      result.timed_out = true;
      child.kill(SIGKILL);
    }
    int wait_ms = result.timed_out ? -1 : deadline.poll_ms();
    wait_any(fds, wait_ms);
    if (fds[0].revents) feed(in.write, input);
    if (fds[1].revents) drain(out.read, result.out);
    if (fds[2].revents) drain(err.read, result.err);
    ended = fds[3].revents != 0;
    if (fds[4].revents) throw_if_interrupted();
  }
  result.status = child.wait();
  for (auto [fd, text] : {std::pair{&out.read, &result.out}, {&err.read, &result.err}}) {
    if (*fd) set_nonblocking(fd->get());
    while (*fd) {
      if (!is_readable(fd->get())) break;
      drain(*fd, *text);
    }
  }
  return result;
}

std::string run_ok(const Command& command, std::string_view input, std::optional<Millis> timeout) {
  RunResult r = run(command, input, timeout);
  if (r.timed_out) throw timed_out("{} did not end in time", command.argv[0]);
  if (!r.status.ok()) {
    std::string last = escape_for_terminal(last_lines(r.err, 1));
    throw failed("{} failed ({}){}{}", command.argv[0], r.status.text(), last.empty() ? "" : ": ",
                 last);
  }
  return r.out;
}

namespace {

// Marked, not closed: where the exec fails, this process goes on with them.
void close_on_exec() {
  for (const std::string& name : list_dir("/proc/self/fd")) {
    int fd = std::atoi(name.c_str());
    if (fd > 2) ::fcntl(fd, F_SETFD, FD_CLOEXEC); // the directory's own has gone by now
  }
}

} // namespace

void exec(const Command& command, Keep keep) {
  auto program = find_program(command.argv.at(0));
  if (!program) throw cannot_run(why_not_found(command.argv[0]), command.argv[0]);
  if (!command.cwd.empty() && ::chdir(command.cwd.c_str()) != 0)
    throw sys_error(errno, "cannot enter '{}'", command.cwd);
  Environment environment(command.env);
  auto argv = argv_of(command);
  if (keep == Keep::nothing) close_on_exec();
  // Signals that this program blocked, or ignored for itself, are not so for the next one.
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int s : {SIGPIPE, SIGXFSZ}) ::signal(s, SIG_DFL);
  ::execve(program->c_str(), argv.data(), environment.pointers.data());
  throw cannot_run(errno, command.argv[0]);
}

} // namespace banger::sys
