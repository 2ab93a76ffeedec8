#include "ops/dns/background.h"

#include <array>
#include <csignal>

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

// What a daemon that has ended said.
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

// Of a daemon that does not answer, too.
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

} // namespace

StartedDns start_dns(const Dirs& dirs, bool replace, const std::vector<std::string>& common) {
  if (!replace)
    if (auto there = find_dns_daemon(dirs)) return {std::move(*there), false};
  sys::ServiceEar ear;
  sys::Pipe err = sys::make_pipe();
  sys::Command command{
      {dirs.bin + "/banger-dns", "serve"}, {{"NOTIFY_SOCKET", ear.name()}}, "/", true};
  command.argv.insert(command.argv.end(), {"--state-dir", dirs.state});
  command.argv.insert(command.argv.end(), common.begin(), common.end());
  command.argv.push_back("--json");
  if (replace) command.argv.push_back("--replace");
  sys::Child child = sys::spawn(command, {-1, -1, err.write.get(), {}});
  err.write.reset();
  std::array<pollfd, 2> polled{{{ear.fd(), POLLIN, 0}, {child.pidfd(), POLLIN, 0}}};
  Deadline until(time_to_begin);
  for (;;) {
    if (sys::wait_any(polled, until) == 0)
      throw timed_out("the DNS daemon did not begin to answer in {}",
                      format_duration(time_to_begin))
          .log(dirs.log_file());
    if (ear.heard_ready()) {
      child.leave();
      if (auto daemon = find_dns_daemon(dirs)) return {std::move(*daemon), true};
      throw failed("the DNS daemon has ended").log(dirs.log_file());
    }
    if (polled[1].revents == 0) continue;
    Error why = why_it_ended(err.read.get(), child.wait());
    // Another command may have been first.
    if (why.code() == Code::conflict && !replace)
      if (auto there = find_dns_daemon(dirs)) return {std::move(*there), false};
    throw std::move(why).within("cannot start the DNS daemon");
  }
}

bool stop_dns(const Settings& settings, const Dirs& dirs) {
  auto process = process_of(settings, dirs);
  if (!process || !sys::send_signal(*process, SIGTERM)) return false;
  if (!sys::await_end(*process, time_to_end)) sys::end_process(*process, time_to_end);
  return true;
}

} // namespace banger::ops
