#include "sys/proc.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <ctime>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

#include "core/error.h"
#include "core/failpoint.h"
#include "core/text.h"
#include "core/units.h"
#include "sys/file.h"
#include "sys/memory.h"
#include "sys/wait.h"

namespace banger::sys {

namespace {

struct Stat {
  std::string comm;
  char state = '?';
  uint64_t start_time = 0;
};

// /proc/PID/stat: pid (comm) state … field 22 is the start time. comm may hold anything, so it ends
// at the last parenthesis. See proc(5).
std::optional<Stat> read_stat(int pid) {
  std::optional<std::string> text;
  try {
    text = find_content(fmt::format("/proc/{}/stat", pid), 4096);
  } catch (const Error& e) {
    if (e.error_number() == ESRCH) return {}; // it died between open and read
    throw;
  }
  if (!text) return {};
  size_t open = text->find('('), close = text->rfind(')');
  if (open == std::string::npos || close == std::string::npos || close + 2 >= text->size())
    return {};
  auto fields = split(std::string_view(*text).substr(close + 2), ' ');
  if (fields.size() < 20) return {};
  Stat s;
  s.comm = text->substr(open + 1, close - open - 1);
  s.state = fields[0].empty() ? '?' : fields[0][0];
  const std::string& start = fields[19];
  std::from_chars(start.data(), start.data() + start.size(), s.start_time);
  return s;
}

bool is_dead(char state) { return state == 'Z' || state == 'X' || state == 'x'; }

} // namespace

WallTime boot_time() {
  timespec since{};
  ::clock_gettime(CLOCK_BOOTTIME, &since);
  return {wall_now().ns - (int64_t{since.tv_sec} * 1'000'000'000 + since.tv_nsec)};
}

const std::string& boot_id() {
  static const std::string id(trim(read_file("/proc/sys/kernel/random/boot_id", 256)));
  return id;
}

std::optional<ProcessId> find_process(int pid) {
  auto s = read_stat(pid);
  if (!s || is_dead(s->state)) return {};
  return ProcessId{pid, s->start_time, boot_id()};
}

ProcessId this_process() { return find_process(::getpid()).value(); }

bool is_alive(const ProcessId& id) {
  if (!id || id.boot_id != boot_id()) return false;
  auto now = find_process(id.pid);
  return now && now->start_time == id.start_time;
}

std::optional<Fd> open_process(const ProcessId& id) {
  if (!id || id.boot_id != boot_id()) return {};
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, id.pid, 0)));
  if (!fd) {
    if (errno == ESRCH || errno == EINVAL) return {};
    throw sys_error(errno, "cannot open process {}", id.pid);
  }
  if (!is_alive(id)) return {};
  return fd;
}

bool send_signal(const ProcessId& id, int signal) {
  auto fd = open_process(id);
  if (!fd) return false;
  failpoint(Point::kill);
  if (::syscall(SYS_pidfd_send_signal, fd->get(), signal, nullptr, 0) == 0) return true;
  if (errno == ESRCH) return false;
  throw sys_error(errno, "cannot send signal {} to process {}", signal, id.pid);
}

bool await_end(const ProcessId& id, Millis patience) {
  auto fd = open_process(id);
  return !fd || wait_readable(fd->get(), patience);
}

void end_process(const ProcessId& id, Millis patience) {
  if (send_signal(id, SIGKILL) && !await_end(id, patience))
    throw failed("cannot end process {}: it does not die", id.pid);
}

namespace {

std::vector<int> list_pids() {
  std::vector<int> all;
  for (const std::string& name : list_dir("/proc")) {
    int pid = 0;
    auto [end, ec] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (ec == std::errc{} && end == name.data() + name.size()) all.push_back(pid);
  }
  return all;
}

// Empty where it may not be read, of a process that is dead, and where the name is another's in
// this process's file systems.
std::string cwd_of(int pid) {
  std::string link = fmt::format("/proc/{}/cwd", pid);
  auto text = read_link(link);
  struct stat there {
  }, here{};
  // A directory that was removed has no name any more.
  bool is_named = text && ::stat(text->c_str(), &here) == 0;
  if (is_named && ::stat(link.c_str(), &there) == 0 &&
      (there.st_dev != here.st_dev || there.st_ino != here.st_ino))
    return {};
  return text.value_or("");
}

} // namespace

std::vector<ProcessInfo> list_processes() {
  std::vector<ProcessInfo> all;
  for (int pid : list_pids()) {
    auto s = read_stat(pid);
    auto info = find_info(fmt::format("/proc/{}", pid));
    if (!s || is_dead(s->state) || !info) continue;
    all.push_back({{pid, s->start_time, boot_id()}, s->comm, cwd_of(pid), info->uid});
  }
  return all;
}

void end_all_in(const std::string& dir, const std::vector<ProcessId>& except, Millis patience) {
  if (!exists(dir)) return;
  std::string real = real_path(dir);
  // One look at each process of the host; only those that work there cost more. A pid that was
  // given again meanwhile belongs to a process that works elsewhere.
  for (int pid : list_pids()) {
    if (cwd_of(pid) != real) continue;
    auto id = find_process(pid);
    if (id && cwd_of(pid) == real && std::ranges::find(except, *id) == except.end())
      end_process(*id, patience);
  }
}

bool is_root() { return ::geteuid() == 0; }

int64_t available_memory() { return meminfo("MemAvailable:"); }

int64_t total_memory() { return meminfo("MemTotal:"); }

int64_t most_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw sys_error(errno, "cannot read a limit");
  constexpr rlim_t most = 1 << 30; // RLIM_INFINITY does not fit
  return static_cast<int64_t>(std::min(limit.rlim_cur, most));
}

namespace {

struct Tick {
  int64_t ns;
  uint64_t tsc;
};

// A reading of both clocks at one moment: the try with the least time between two readings of the
// counter, so that being descheduled in between does not count.
Tick read_both() {
  Tick best{};
  uint64_t least = ~uint64_t{0};
  for (int i = 0; i < 16; i++) {
    timespec ts{};
    uint64_t before = __rdtsc();
    ::clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
    uint64_t after = __rdtsc();
    if (after - before >= least) continue;
    least = after - before;
    best = {int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec, before + least / 2};
  }
  return best;
}

} // namespace

int64_t measure_tsc_khz() {
  Tick a = read_both();
  sleep_for(Millis(20));
  Tick b = read_both();
  return static_cast<int64_t>(static_cast<double>(b.tsc - a.tsc) * 1e6 /
                              static_cast<double>(b.ns - a.ns));
}

} // namespace banger::sys
