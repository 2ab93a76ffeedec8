#include "ops/ssh/sync.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "ops/ssh/session.h"
#include "sys/file.h"
#include "sys/signals.h"
#include "sys/umask.h"
#include "sys/wait.h"
#include "sys/watch_tree.h"

namespace banger::ops {

namespace {

constexpr Millis quiet{100}, at_latest{1000}; // after a change, before all of it is sent
constexpr size_t kept = size_t{16} << 10;

// A path that is neither an option nor a place elsewhere to rsync, and means a directory's content.
std::string content_of(const std::string& path) {
  std::string p = path.starts_with('/') ? path : "./" + path;
  return p.ends_with('/') ? p : p + "/";
}

std::string pipe_text(int fd) {
  std::string text;
  std::array<char, 4096> block;
  for (ssize_t n = 0; (n = ::read(fd, block.data(), block.size())) > 0;)
    text.append(block.data(), static_cast<size_t>(n));
  return text;
}

struct RsyncResult {
  sys::ExitStatus status;
  std::string said;
};

// None when a signal is there; it is not read.
std::optional<RsyncResult> run_rsync(const sys::Command& command, int signals) {
  auto [said, to] = sys::make_pipe(true);
  sys::Child child = sys::spawn(command, {-1, to.get(), to.get(), {}});
  to.reset();
  RsyncResult result;
  bool interrupted = false, ended = false;
  while (!ended) {
    std::array<pollfd, 3> polled{{{child.pidfd(), POLLIN, 0},
                                  {said.get(), POLLIN, 0},
                                  {interrupted ? -1 : signals, POLLIN, 0}}};
    sys::wait_any(polled);
    if (polled[1].revents) {
      std::string text = pipe_text(said.get());
      if (text.empty()) said.reset();
      result.said += text;
      if (result.said.size() > kept) result.said.erase(0, result.said.size() - kept);
    }
    if (polled[2].revents) {
      interrupted = true;
      child.kill(SIGTERM);
    }
    ended = polled[0].revents != 0;
  }
  result.status = child.wait();
  if (said) result.said += pipe_text(said.get());
  if (interrupted) return {};
  return result;
}

// rsync's status does not tell a guest without rsync from one that is gone: it depends on whether
// rsync saw transport or stream end first. So the guest is asked, and one that is gone throws.
bool has_rsync(const SshTarget& target, int signals) {
  Deadline deadline{std::chrono::seconds(30)};
  auto session = open_session(target, signals);
  return session.run("command -v rsync >/dev/null", {-1, -1, -1, 0, signals}, deadline).status == 0;
}

void check_result(const RsyncResult& result, const SshTarget& target, int signals) {
  if (result.status.ok()) return;
  constexpr std::array no_stream{12, 126, 127, status_own_failure}; // 12: rsync(1), "EXIT VALUES"
  const auto* found = std::ranges::find(no_stream, result.status.code);
  if (result.status.exited && found != no_stream.end() && !has_rsync(target, signals))
    throw preflight("cannot sync: there is no rsync in the guest")
        .hint(fmt::format("apt install rsync there, or copy: banger ssh cp -r … {}:",
                          target.vm.name));
  std::string last = escape_for_terminal(last_lines(trim(result.said), 4));
  throw failed("rsync failed ({}): {}", result.status.text(), last);
}

// Waits for a change, and then until there is none for a moment. Throws when the VM ends. False
// when a signal is there.
bool await_change(sys::TreeWatch& watch, int vm, int signals) {
  std::optional<Deadline> latest;
  for (;;) {
    std::array<pollfd, 3> polled{{{watch.fd(), POLLIN, 0}, {signals, POLLIN, 0}, {vm, POLLIN, 0}}};
    int wait = latest ? std::min(static_cast<int>(quiet.count()), latest->poll_ms()) : -1;
    size_t n = sys::wait_any(polled, wait);
    if (polled[1].revents) return false;
    if (polled[2].revents) throw Error(Code::unreachable, "the VM has ended");
    if (n == 0) return true;
    if (polled[0].revents && watch.take() && !latest) latest.emplace(at_latest);
  }
}

} // namespace

void check_sync(const SyncRequest& r) {
  if (r.from.is_stream() || r.to.is_stream()) throw usage("'-' is no directory");
  if (r.from.vm && r.to.vm)
    throw usage("both places are in VMs").hint("banger ssh cp -r copies between two");
  if (!r.from.vm && !r.to.vm)
    throw usage("neither '{}' nor '{}' is in a VM", r.from.path, r.to.path)
        .hint("a place in a VM is NAME:PATH");
  if (r.watch && r.from.vm)
    throw usage("--watch goes with a directory here as the source")
        .hint("changes in a guest cannot be followed from here");
}

namespace {

// For rsync's --chmod: a file that came from a guest gets no more rights here than a new one would.
std::string masked(mode_t mask) {
  std::string changes = "ug-s";
  constexpr std::array classes{std::pair{'u', 6}, std::pair{'g', 3}, std::pair{'o', 0}};
  for (auto [who, shift] : classes)
    for (auto [what, bit] : {std::pair{'r', 4}, std::pair{'w', 2}, std::pair{'x', 1}})
      if ((mask >> shift) & static_cast<mode_t>(bit)) changes += fmt::format(",{}-{}", who, what);
  return changes;
}

} // namespace

sys::Command rsync_command(const SyncRequest& r, const Dirs& dirs, mode_t mask) {
  // rsync splits the command at spaces outside of quotes; a quote inside of them is doubled.
  std::string self;
  for (char c : dirs.bin + "/banger-ssh") self += c == '"' ? "\"\"" : std::string(1, c);
  sys::Command command;
  // Times to the nanosecond: else what changes twice within a second is taken for unchanged.
  command.argv = {"rsync",      "-aHS",           "--no-owner",
                  "--no-group", "--protect-args", "--modify-window=-1"};
  // Devices and modes that the guest's root made give nobody rights here, least of all where root
  // fetches them. rsync keeps this to itself: the guest has no say in it.
  if (r.from.vm)
    command.argv.insert(command.argv.end(),
                        {"--no-devices", "--no-specials", "--chmod=" + masked(mask)});
  if (r.remove) command.argv.emplace_back("--delete");
  for (const auto& pattern : r.exclude) command.argv.push_back("--exclude=" + pattern);
  // rsync puts its host and its own command after this; the host "exec" makes the guest's shell
  // become that command.
  command.argv.push_back(
      fmt::format("--rsh=\"{}\" {} --", self, r.from.vm ? *r.from.vm : *r.to.vm));
  for (const CopyPlace* place : {&r.from, &r.to})
    command.argv.push_back((place->vm ? "exec:" : "") + content_of(place->path));
  command.env = {{"BANGER_STATE_DIR", dirs.state}};
  return command;
}

void ssh_sync(Reader& in, const SyncRequest& request,
              const std::function<void(double seconds)>& done) {
  check_sync(request);
  SshTarget target = find_ssh_target(in, request.from.vm ? *request.from.vm : *request.to.vm);
  if (!sys::find_program("rsync"))
    throw preflight("cannot sync: there is no rsync on this machine").hint("apt install rsync");
  if (!request.from.vm) {
    auto info = sys::find_info(request.from.path);
    if (!info) throw not_found("cannot sync '{}': no such directory", request.from.path);
    if (!info->is_dir) throw failed("cannot sync '{}': it is not a directory", request.from.path);
  }
  sys::Command command = rsync_command(request, in.dirs, sys::file_mask());
  sys::Signals signals({SIGINT, SIGTERM, SIGHUP});
  // Watched before it is read, so that nothing falls between.
  std::optional<sys::TreeWatch> watch;
  if (request.watch) watch.emplace(request.from.path);
  Fd vm;
  with_guest(target, in.dirs, [&] { vm = watch_vm(target); });
  for (;;) {
    auto begun = steady_now();
    auto result = run_rsync(command, signals.fd());
    if (!result) break;
    with_guest(target, in.dirs, [&] { check_result(*result, target, signals.fd()); });
    done(Seconds(steady_now() - begun).count());
    if (!watch) break;
    bool again = false;
    with_guest(target, in.dirs, [&] { again = await_change(*watch, vm.get(), signals.fd()); });
    if (!again) break;
  }
  // Asked to end, a watch has done what it was for.
  if (watch) sys::read_signal(signals.fd());
}

} // namespace banger::ops
