// Other programs. This is the only place in the tree that starts one (tests/lint holds it so).
//
// A command is a plain value; tests compare it. No shell is ever involved. A child has the
// descriptors that its Stdio names and no other, not even one that this process's starter left
// open: a lock or a pipe of a script must not be held for as long as a VM runs. Signals are at
// their defaults unless keep_ignored is set, and a program that cannot be executed throws Error
// with the errno and its name.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/handle.h"
#include "core/units.h"

namespace banger::sys {

struct Command {
  std::vector<std::string> argv;          // argv[0] is looked up in PATH unless it has a '/'
  std::map<std::string, std::string> env; // added to this process's environment
  std::string cwd;                        // empty: this process's
  bool new_session = false;               // setsid: outlives the terminal
  // Signals that this process ignores stay ignored in the child: a command in a script's
  // background, or under nohup, must not end by a signal that was kept from us. SIGPIPE and SIGXFSZ
  // are not kept: the tools ignore those for themselves.
  bool keep_ignored = false;
  // It and all that it starts end with this process, however that ends, and with its Child
  // (sys/keeper.h): for programs of others that write where this process has to tidy up.
  bool kept = false;
  bool operator==(const Command&) const = default;
};

// Where a child's descriptors come from; -1 is /dev/null for 0 to 2.
struct Stdio {
  int in = -1, out = -1, err = -1;
  std::vector<std::pair<int, int>> more; // {ours, the child's number}
};
inline constexpr Stdio inherit_stdio() { return {0, 1, 2, {}}; }

struct ExitStatus {
  bool exited = false;
  int code = 0;   // exit code, if exited
  int signal = 0; // else the signal that ended it
  bool ok() const { return exited && code == 0; }
  // "exit status 2", "signal 9 (Killed)".
  std::string text() const;
};

// A child of this process. The holder of this object owns it: the child is killed and waited for
// when this goes, unless it was waited for before, or may outlive its starter (leave()). One that
// is kept is asked to end, with all that it started.
class [[nodiscard]] Child {
public:
  Child(int pid, Fd pidfd, std::optional<Fd> lifeline = {})
      : pid_(pid), pidfd_(std::move(pidfd)), lifeline_(std::move(lifeline)) {}
  Child(Child&& other) noexcept
      : pid_(other.pid_), pidfd_(std::move(other.pidfd_)),
        lifeline_(std::exchange(other.lifeline_, {})), owned_(std::exchange(other.owned_, false)) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(pidfd_, other.pidfd_);
    std::swap(lifeline_, other.lifeline_);
    std::swap(owned_, other.owned_);
    return *this;
  }
  ~Child();
  int pid() const { return pid_; }
  // Readable when the child has ended; for a poll loop.
  int pidfd() const { return pidfd_.get(); }
  ExitStatus wait();
  std::optional<ExitStatus> wait_for(Millis timeout);
  // One that is kept is asked to end, and killed where it does not, whatever the signal.
  void kill(int signal);
  // From now on it may outlive this object and this process, and can still be signalled and waited
  // for; if nothing waits for it, init reaps it after this process. Not for one that is kept.
  void leave() { owned_ = false; }

private:
  int pid_;
  Fd pidfd_;
  std::optional<Fd> lifeline_; // of one that is kept and was not waited for yet
  bool owned_ = true;
};

Child spawn(const Command& command, const Stdio& stdio);
// A child of this process that another child has made for it (sys/cell.h), and that has not been
// waited for. Where it cannot be followed it is ended, and that is thrown.
Child take_child(int pid);
// Readable once a process that runs now, any one's child, has ended; empty: it has.
Fd open_end(int pid);

struct RunResult {
  ExitStatus status;
  std::string out, err; // each cut at 16 MiB
  bool timed_out = false;
};
// Runs to the end with `input` on its standard input. It is killed when `timeout` passes. One that
// is kept ends, too, when a signal comes that this thread holds back (sys/signals.h):
// Error(failed).
RunResult run(const Command& command, std::string_view input = {},
              std::optional<Millis> timeout = {});
// The same; anything but status 0 throws "PROGRAM failed (exit status N): LAST LINE OF STDERR".
std::string run_ok(const Command& command, std::string_view input = {},
                   std::optional<Millis> timeout = {});
// Which descriptors a program has that this process becomes, beside 0 to 2.
enum class Keep {
  nothing,
  // Those that are open across exec: for a program that acts for its caller (`banger` becomes
  // banger-image, which may be given /dev/fd/63), or that has only what the next one needs.
  inherited,
};
// Becomes that program; returns only by throwing, and then this process has what it had.
[[noreturn]] void exec(const Command& command, Keep keep);

// The absolute path of a program in PATH (or of `name` itself when it has a '/').
std::optional<std::string> find_program(const std::string& name);

} // namespace banger::sys
