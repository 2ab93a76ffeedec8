#include "ops/dns/background.h"

#include <array>
#include <csignal>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "model/message.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "sys/process.h"
#include "sys/service.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::ops {

namespace {

constexpr Millis time_to_begin{20'000}, time_to_end{5'000};

// The error of a daemon that has ended: its own last line, where there is one.
Error why_it_ended(int err, const sys::ExitStatus& status) {
  std::string said;
  while (sys::is_readable(err) && said.size() < 65536) {
    std::string more = sys::read_some(err, 65536);
    if (more.empty()) break;
    said += more;
  }
  Json last = Json::parse(last_lines(trim(said), 1), nullptr, false);
  return told_error(last, fmt::format("the DNS daemon ended: {}", status.text()));
}

// The state's daemon, also where it does not answer: its port then tells the process.
std::optional<ProcessId> process_of(const Settings& settings, const Dirs& dirs) {
  try {
    if (auto daemon = find_dns_daemon(dirs)) return daemon->process;
    return {};
  } catch (const Error& e) {
    if (e.code() != Code::timeout) throw;
    auto holder = find_port_holder(settings.dns_listen);
    if (!holder || holder->state != dirs.state) throw;
    return holder->process;
  }
}

sys::Child spawn_daemon(const Dirs& dirs, const DnsStart::How& how,
                        const std::vector<std::string>& common, const std::string& ear, int err) {
  sys::Command command{{dirs.bin + "/banger-dns", "serve"}, {{"NOTIFY_SOCKET", ear}}, "/", true};
  auto add = [&](std::initializer_list<std::string> words) {
    command.argv.insert(command.argv.end(), words);
  };
  add({"--state-dir", dirs.state});
  command.argv.insert(command.argv.end(), common.begin(), common.end());
  add({"--background", "--json"}); // an error then comes back whole, with code and hint
  if (how.replace) add({"--replace"});
  if (how.idle) add({"--idle", fmt::format("{}ms", how.idle->count())});
  return sys::spawn(command, {-1, -1, err, {}});
}

} // namespace

DnsStart::DnsStart(const Settings& settings, const Dirs& dirs, const How& how,
                   const std::vector<std::string>& common)
    : dirs_(dirs), listen_(settings.dns_listen), replace_(how.replace), err_(sys::make_pipe()),
      child_(spawn_daemon(dirs, how, common, ear_.name(), err_.write.get())) {
  child_.leave();
  err_.write.reset();
}

void DnsStart::end() {
  child_.kill(SIGKILL);
  child_.wait();
}

std::optional<StartedDns> DnsStart::wait(Millis patience) {
  std::array<pollfd, 2> polled{{{ear_.fd(), POLLIN, 0}, {child_.pidfd(), POLLIN, 0}}};
  Deadline until(patience);
  for (;;) {
    if (sys::wait_any(polled, until) == 0) return {};
    if (ear_.heard_ready()) {
      if (auto daemon = find_dns_daemon(dirs_)) return StartedDns{std::move(*daemon), true};
      throw failed("the DNS daemon has ended").log(dirs_.log_file());
    }
    if (polled[1].revents == 0) continue;
    Error why = why_it_ended(err_.read.get(), child_.wait());
    // Another command may have been first, or systemd waits for a question.
    if (why.code() == Code::conflict && !replace_) {
      auto there = find_dns_daemon(dirs_);
      if (auto holder = there ? std::nullopt : find_port_holder(listen_);
          holder && is_systemd(*holder)) {
        wake_dns_service(listen_);
        there = find_dns_daemon(dirs_);
      }
      if (there) return StartedDns{std::move(*there), false};
    }
    throw std::move(why).within("cannot start the DNS daemon");
  }
}

StartedDns start_dns(const Settings& settings, const Dirs& dirs, bool replace,
                     const std::vector<std::string>& common) {
  auto started = [&]() -> std::optional<StartedDns> {
    if (auto there = replace ? std::nullopt : find_dns_daemon(dirs))
      return StartedDns{std::move(*there), false};
    DnsStart start(settings, dirs, {replace, {}}, common);
    auto begun = start.wait(time_to_begin);
    if (!begun) start.end();
    return begun;
  }();
  if (started && started->daemon.idle) keep_dns_daemon(dirs); // it began with a VM
  if (started) return std::move(*started);
  throw timed_out("the DNS daemon did not begin to answer in {}", format_duration(time_to_begin))
      .log(dirs.log_file());
}

bool stop_dns(const Settings& settings, const Dirs& dirs) {
  auto process = process_of(settings, dirs);
  if (!process || !sys::send_signal(*process, SIGTERM)) return false;
  if (!sys::await_end(*process, time_to_end)) sys::end_process(*process, time_to_end);
  return true;
}

} // namespace banger::ops
