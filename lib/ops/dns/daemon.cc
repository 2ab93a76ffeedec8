#include "ops/dns/daemon.h"

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "model/message.h"
#include "sys/file.h"
#include "sys/inet.h"
#include "sys/lines.h"
#include "sys/lock.h"
#include "sys/port_owner.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::ops {

namespace {

constexpr Millis time_to_wake{2'000};
constexpr std::string_view lock_file = "/run/dns.lock";

DnsDaemon parse_daemon(std::string_view line) {
  return read_message(line, [](const Json& j) {
    DnsDaemon d;
    d.process.pid = j.at("pid");
    d.process.start_time = j.at("start_time");
    d.process.boot_id = j.at("boot_id");
    d.version = j.at("version");
    d.listen = parse_endpoint("listen", j.at("listen").get<std::string>());
    d.zone = j.at("zone");
    d.reads_state = j.value("reads_state", true);
    d.hosts = j.value("hosts", uint64_t{0});
    d.queries = j.value("queries", uint64_t{0});
    d.generation = j.value("generation", uint64_t{0});
    d.background = j.value("background", false);
    if (auto idle = j.find("idle_ms"); idle != j.end() && !idle->is_null())
      d.idle = Millis(idle->get<int64_t>());
    return d;
  });
}

// The state directory that a process is the DNS daemon of; empty: the process is none.
std::string state_of(int pid) {
  std::string fds = fmt::format("/proc/{}/fd", pid);
  try {
    for (const std::string& fd : sys::list_dir(fds))
      if (auto file = sys::read_link(fds + "/" + fd); file && file->ends_with(lock_file))
        return file->substr(0, file->size() - lock_file.size());
  } catch (const Error&) { // it has just ended
  }
  return {};
}

// The daemon's answer. None where no process listens there, or the daemon ends before it answers.
std::optional<std::string> ask(const Dirs& dirs, Json what, Millis patience) {
  try {
    Fd fd = sys::connect_unix(dns_socket(dirs), patience);
    what["v"] = message_version;
    sys::send_all(fd.get(), message_line(what));
    return sys::LineReader(fd.get()).next(patience);
  } catch (const Error& e) {
    if (e.code() != Code::unreachable) throw;
  }
  return {};
}

} // namespace

std::string dns_lock(const Dirs& dirs) { return dirs.state + std::string(lock_file); }
std::string dns_socket(const Dirs& dirs) { return dirs.state + "/run/dns.sock"; }

std::string to_line(const DnsDaemon& d) {
  return message_line({{"v", message_version},
                       {"pid", d.process.pid},
                       {"start_time", d.process.start_time},
                       {"boot_id", d.process.boot_id},
                       {"version", d.version},
                       {"listen", to_text(d.listen)},
                       {"zone", d.zone},
                       {"reads_state", d.reads_state},
                       {"hosts", d.hosts},
                       {"queries", d.queries},
                       {"generation", d.generation},
                       {"background", d.background},
                       {"idle_ms", d.idle ? Json(d.idle->count()) : Json()}});
}

std::optional<DnsDaemon> find_dns_daemon(const Dirs& dirs, Millis patience) {
  Deadline until(patience);
  while (sys::FileLock::is_held(dns_lock(dirs))) {
    if (auto line = ask(dirs, {{"do", "status"}}, patience)) return parse_daemon(*line);
    if (until.has_passed())
      throw timed_out("the DNS daemon of the state '{}' does not answer", dirs.state)
          .subject(dirs.state);
    // The daemon has just begun, or is just ending: it has no socket yet that could be waited for.
    sys::sleep_for(Millis(5));
  }
  return {};
}

void keep_dns_daemon(const Dirs& dirs) { ask(dirs, {{"do", "stay"}}, usual_patience); }

std::optional<uint64_t> count_dns_questions(const Dirs& dirs, const std::string& digits) {
  auto line = ask(dirs, {{"do", "count"}, {"word", digits}}, usual_patience);
  if (!line) return {};
  return read_message(*line, [](const Json& j) -> std::optional<uint64_t> {
    auto count = j.find("count");
    if (count == j.end() || count->is_null()) return {};
    return count->get<uint64_t>();
  });
}

std::optional<PortHolder> find_port_holder(const Endpoint& at) {
  for (const char* proto : {"udp", "tcp"}) {
    std::optional<PortHolder> first;
    for (const auto& owner : sys::find_port_owners(proto, to_text(at.address), at.port)) {
      PortHolder holder{owner.id, owner.comm, state_of(owner.id.pid)};
      if (!holder.state.empty()) return holder;
      if (!first) first = std::move(holder);
    }
    if (first) return first;
  }
  return {};
}

bool is_systemd(const PortHolder& holder) { return holder.comm == "systemd"; }

void wake_dns_service(const Endpoint& at) {
  try {
    Fd fd = sys::connect_tcp(to_text(at.address), at.port, time_to_wake);
    sys::send_all(fd.get(), std::string_view("\0\x0c", 2));
    sys::send_all(fd.get(), std::string(12, '\0')); // a header alone: answered, by FORMERR
    sys::wait_readable(fd.get(), time_to_wake);
  } catch (const Error&) { // the port's owner does not answer
  }
}

std::string to_text(const PortHolder& holder) {
  std::string text =
      fmt::format("{} (process {})", escape_for_terminal(holder.comm), holder.process.pid);
  if (!holder.state.empty())
    text += fmt::format(", the DNS daemon of the state '{}'", holder.state);
  return text;
}

} // namespace banger::ops
