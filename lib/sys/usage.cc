#include "sys/usage.h"

#include <charconv>
#include <ctime>

#include <unistd.h>

#include "core/error.h"
#include "core/text.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace banger::sys {

namespace {

constexpr size_t most = size_t{1} << 20;

// A process may end between any two looks at it.
std::optional<std::string> content(const std::string& path) {
  try {
    return find_content(path, most);
  } catch (const Error&) {
    return {};
  }
}

std::optional<int64_t> number(std::string_view text) {
  text = trim(text);
  int64_t n = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  return ec == std::errc{} && end != text.data() ? std::optional(n) : std::nullopt;
}

// The number behind "KEY" at the begin of a line.
std::optional<int64_t> value_of(const std::optional<std::string>& text, std::string_view key) {
  if (!text) return {};
  for (const std::string& line : split(*text, '\n'))
    if (line.starts_with(key)) return number(std::string_view(line).substr(key.size()));
  return {};
}

std::optional<int64_t> kib(std::optional<int64_t> n) {
  return n ? std::optional(*n * 1024) : std::nullopt;
}

} // namespace

std::optional<Usage> find_usage(const ProcessId& id) {
  if (!is_alive(id)) return {};
  std::string dir = fmt::format("/proc/{}/", id.pid);
  Usage u;
  // The clock of the process has nanoseconds where /proc/PID/stat has hundredths.
  clockid_t clock{};
  timespec ts{};
  if (::clock_getcpuclockid(id.pid, &clock) != 0 || ::clock_gettime(clock, &ts) != 0) return {};
  u.cpu_ns = int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
  auto statm = content(dir + "statm");
  if (!statm) return {};
  auto fields = split(*statm, ' ');
  if (fields.size() > 1) u.rss = number(fields[1]).value_or(0) * ::sysconf(_SC_PAGESIZE);
  auto rollup = content(dir + "smaps_rollup");
  u.pss = kib(value_of(rollup, "Pss:"));
  // Of one moment, so that one is never larger than the other.
  if (auto rss = kib(value_of(rollup, "Rss:"))) u.rss = *rss;
  auto io = content(dir + "io");
  u.read = value_of(io, "read_bytes:");
  u.written = value_of(io, "write_bytes:");
  // Everything above is by pid: was it the same process until now?
  if (!is_alive(id)) return {};
  return u;
}

std::optional<InterfaceBytes> find_interface_bytes(int pid, const std::string& interface) {
  auto text = content(fmt::format("/proc/{}/net/dev", pid));
  if (!text) return {};
  for (const std::string& line : split(*text, '\n')) {
    size_t colon = line.find(':');
    if (colon == std::string::npos || trim(line.substr(0, colon)) != interface) continue;
    // proc(5): bytes, packets and six more received, then the same sent.
    std::vector<int64_t> numbers;
    for (const std::string& f : split(line.substr(colon + 1), ' '))
      if (!f.empty()) numbers.push_back(number(f).value_or(0));
    if (numbers.size() > 8) return InterfaceBytes{numbers[0], numbers[8]};
  }
  return {};
}

std::optional<Cgroup> find_cgroup(int pid) {
  auto text = content(fmt::format("/proc/{}/cgroup", pid));
  if (!text) return {};
  for (const std::string& line : split(*text, '\n')) {
    if (!line.starts_with("0::")) continue;
    Cgroup group;
    group.path = line.substr(3);
    std::string dir = "/sys/fs/cgroup" + group.path;
    auto members = content(dir + "/cgroup.procs");
    if (!members) return {};
    for (const std::string& m : split(*members, '\n'))
      if (auto n = number(m)) group.members.push_back(static_cast<int>(*n));
    if (auto usec = value_of(content(dir + "/cpu.stat"), "usage_usec")) group.cpu_ns = *usec * 1000;
    if (auto current = content(dir + "/memory.current")) group.memory = number(*current);
    return group;
  }
  return {};
}

} // namespace banger::sys
