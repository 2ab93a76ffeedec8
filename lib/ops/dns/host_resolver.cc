#include "ops/dns/host_resolver.h"

#include <array>
#include <functional>

#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"
#include "sys/datagram.h"
#include "sys/proc.h"
#include "sys/process.h"

namespace banger::ops {

namespace {

// Of digits: some resolvers change the case of letters.
std::string nonce() {
  return fmt::format("{:010}{:019}", sys::this_process().pid,
                     steady_now().time_since_epoch().count());
}

// `count`: how many questions with these digits came; none: the daemon does not tell.
HostResolver look(const std::string& digits, const std::string& zone, Millis patience,
                  const std::function<std::optional<uint64_t>()>& count) {
  // The dot at its end keeps libc from trying the name in the host's search domains.
  std::string name = fmt::format("banger-{}.{}.", digits, zone);
  sys::RunResult r = sys::run({{"getent", "ahostsv4", name}, {}, "/", false}, {}, patience);
  auto came = count();
  if (!came) return {{}, "the daemon does not tell what it is asked; banger dns restart mends it"};
  if (*came > 0) return {true, "a look-up by libc (getent) came to the daemon"};
  if (r.timed_out)
    return {
        {},
        fmt::format("a look-up by libc (getent) took longer than {}", format_duration(patience))};
  return {false, "a look-up by libc (getent) did not come to the daemon"};
}

uint64_t count_datagrams(int fd, const std::string& digits) {
  std::array<char, 1500> packet;
  uint64_t count = 0;
  while (auto size = sys::receive_datagram(fd, packet.data(), packet.size()))
    if (std::string_view(packet.data(), *size).find(digits) != std::string_view::npos) count++;
  return count;
}

} // namespace

HostResolver look_at_resolver(const Dirs& dirs, const DnsDaemon& daemon, Millis patience) {
  std::string digits = nonce();
  try {
    count_dns_questions(dirs, digits);
    return look(digits, daemon.zone, patience, [&] { return count_dns_questions(dirs, digits); });
  } catch (const Error& e) {
    return {{}, escape_for_terminal(e.message())};
  }
}

HostResolver look_for_questions(const Endpoint& at, const std::string& zone, const Dirs& dirs) {
  auto holder = find_port_holder(at);
  if (holder && is_systemd(*holder)) {
    wake_dns_service(at);
    holder = find_port_holder(at);
  }
  if (holder) {
    Dirs theirs = dirs;
    theirs.state = holder->state;
    auto daemon = holder->state.empty() ? std::nullopt : find_dns_daemon(theirs);
    if (!daemon)
      throw conflict("{} belongs to {}", to_text(at), to_text(*holder))
          .subject(to_text(at))
          .hint("set dns.listen to an address of 127.0.0.0/8 or a port that is free");
    return look_at_resolver(theirs, *daemon);
  }
  Fd fd = sys::bind_udp(to_text(at.address), at.port);
  std::string digits = nonce();
  return look(digits, zone, usual_look, [&] { return count_datagrams(fd.get(), digits); });
}

} // namespace banger::ops
