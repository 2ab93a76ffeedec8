#include "vmm/launch.h"

#include <algorithm>
#include <climits>

#include <fcntl.h>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "sys/cell.h"
#include "sys/file.h"
#include "sys/lines.h"
#include "sys/own_file.h"
#include "sys/socket.h"
#include "sys/wait.h"
#include "vmm/machine.h"
#include "vmm/program.h"

namespace banger::vmm {

namespace {

constexpr const char* plain_devices[] = {"/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"};
constexpr Millis time_to_enter{10'000};

std::string name_in(const std::string& dir, const std::string& name) { return dir + "/" + name; }

// The paths of what it is to reach come from values alone, never from a name that an earlier VMM
// may have put into its directory.
void add_reaches(std::vector<std::string>& step, const Inside& inside, const Launch& launch,
                 const std::string& runtime_dir) {
  auto add = [&](const char* use, const std::string& path) {
    step.emplace_back(use);
    step.push_back(path);
  };
  add("--confine", launch.tcp ? "tcp" : "no-tcp");
  for (const char* path : plain_devices) add("--device", path);
  if (auto program = sys::find_program(launch.command.argv[0])) {
    add("--read", *program); // the links that lead to it
    for (const std::string& path : needs_of(sys::real_path(*program))) add("--read", path);
  }
  // Its monitor, and commands after it, go by the names there.
  add("--read", runtime_dir);
  if (!launch.made.empty()) add("--sockets", name_in(runtime_dir, made_dir));
  for (const std::string& fifo : {launch.log, launch.metrics})
    if (!fifo.empty()) add("--write", name_in(runtime_dir, fifo));
  if (launch.saves_itself && !inside.saving.empty()) add("--directory", inside.saving);
  for (const Disk& link : launch.links) {
    if (link.target.empty()) continue;
    if (auto info = sys::find_info(link.target))
      add(info->is_disk    ? "--device" // a VMM asks it for its size
          : link.read_only ? "--read"
                           : "--write",
          link.target);
  }
  for (const sys::Reach& reach : launch.reaches)
    add(reach.use == sys::Use::device ? "--device" : "--read", reach.path);
}

// The longest file that it has reason to write: a disk, a guest's memory with all that goes with
// it, or a log. What it writes beyond that fills no disk of the host's.
int64_t longest_file(const Launch& launch) {
  constexpr int64_t least = int64_t{4} << 30; // logs are cut long before
  int64_t longest = std::max(least, 2 * launch.memory);
  for (const Disk& link : launch.links)
    if (!link.read_only && !link.target.empty())
      if (auto info = sys::find_info(link.target);
          info && info->is_file && link.file != console_file)
        longest = std::max(longest, info->size);
  return longest;
}

// The process that was started is the VMM, unless it has made another one in a cell.
void follow_into_cell(Started& started, int report) {
  sys::LineReader lines(report, 64);
  auto line = lines.next(time_to_enter);
  if (!line && lines.ended()) return;
  if (!line) throw timed_out("cannot start the VMM: it was not in its namespaces in time");
  started.child.wait();
  auto pid_in = [](const std::string& text) {
    return static_cast<int>(parse_number("process", text, 1, INT_MAX));
  };
  started.child = sys::take_child(pid_in(*line));
  started.is_in_cell = true;
  // An older banger-enter tells of the first process nothing. That ends with the VMM or soon after.
  if (auto first = lines.next(time_to_enter)) started.first = sys::open_end(pid_in(*first));
}

void put_link(const std::string& runtime_dir, const std::string& name, const std::string& target) {
  std::string path = name_in(runtime_dir, name);
  if (target.empty() || sys::read_link(path) == target) return;
  sys::remove_tree(path);
  sys::make_symlink(target, path);
}

Fd make_fifo(const std::string& path, int flags) {
  sys::remove_tree(path); // unread lines of an earlier VMM are not this one's
  sys::make_fifo(path);
  return sys::open_own(path, sys::OwnKind::fifo, flags);
}

// Who types keeps it open from one VMM to the next.
Fd keep_fifo(const std::string& path) {
  try {
    if (auto fifo = sys::find_own(path, sys::OwnKind::fifo, O_RDWR)) return std::move(*fifo);
  } catch (const Error&) { // something else stands there
  }
  return make_fifo(path, O_RDWR);
}

} // namespace

sys::Command step_into(const Inside& inside, const Launch& launch, const std::string& runtime_dir,
                       int first_fd) {
  sys::Command command = launch.command;
  std::vector<std::string> step{inside.step};
  auto add_fd = [&](const char* option, int fd) {
    step.emplace_back(option);
    step.push_back(fmt::format("{}", fd));
  };
  if (inside.confined && !inside.cell.empty()) {
    step.emplace_back(sys::cell_word); // where others look for it
    step.push_back(inside.cell);
  }
  if (inside.net >= 0) add_fd("--net", first_fd);
  if (inside.user >= 0) add_fd("--user", first_fd + 1);
  if (inside.confined) {
    add_reaches(step, inside, launch, runtime_dir);
    add_fd("--report", first_fd + 2);
    step.emplace_back("--file-size");
    step.push_back(fmt::format("{}", longest_file(launch)));
  }
  step.emplace_back("--");
  command.argv.insert(command.argv.begin(), step.begin(), step.end());
  return command;
}

Started start(const Launch& launch, const std::string& runtime_dir, int log_fd,
              const std::optional<Inside>& inside) {
  sys::Stdio stdio{-1, log_fd, log_fd, {}};
  Fd typed, console, log;
  for (const Disk& link : launch.links) put_link(runtime_dir, link.file, link.target);
  if (!launch.log.empty()) log = make_fifo(name_in(runtime_dir, launch.log), O_RDWR | O_NONBLOCK);
  if (!launch.metrics.empty()) make_fifo(name_in(runtime_dir, launch.metrics), O_RDWR | O_NONBLOCK);
  if (launch.serial.kind == SerialLine::Kind::stdio) {
    put_link(runtime_dir, console_file, launch.console);
    // Open for writing too: the VMM sees no end of its input when a writer closes the FIFO.
    typed = keep_fifo(name_in(runtime_dir, launch.serial.file));
    console =
        sys::open_file(launch.console.empty() ? name_in(runtime_dir, console_file) : launch.console,
                       O_WRONLY | O_APPEND);
    stdio.in = typed.get();
    stdio.out = console.get();
  }
  if (!launch.made.empty()) {
    std::string made = name_in(runtime_dir, made_dir);
    sys::remove_tree(made);
    sys::make_dir(made);
    for (const std::string& name : launch.made)
      put_link(runtime_dir, name, fmt::format("{}/{}", made_dir, name));
  }
  std::vector<Fd> listeners;
  for (const std::string& name : launch.handed) {
    sys::remove_tree(name_in(runtime_dir, name));
    listeners.push_back(sys::listen_unix(name_in(runtime_dir, name)));
    stdio.more.emplace_back(listeners.back().get(), 2 + static_cast<int>(listeners.size()));
  }
  sys::Command command = launch.command;
  sys::Pipe report;
  if (inside) {
    int first_fd = 3 + static_cast<int>(listeners.size());
    command = step_into(*inside, launch, runtime_dir, first_fd);
    if (inside->net >= 0) stdio.more.emplace_back(inside->net, first_fd);
    if (inside->user >= 0) stdio.more.emplace_back(inside->user, first_fd + 1);
    if (inside->confined) {
      report = sys::make_pipe();
      stdio.more.emplace_back(report.write.get(), first_fd + 2);
    }
  }
  command.cwd = runtime_dir;
  command.new_session = true; // a terminal's ^C is not for the VMM
  Started started{sys::spawn(command, stdio), std::move(log)};
  report.write.reset();
  if (report.read) follow_into_cell(started, report.read.get());
  return started;
}

} // namespace banger::vmm
