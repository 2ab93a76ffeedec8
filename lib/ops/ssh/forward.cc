#include "ops/ssh/forward.h"

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "guest/ssh/forward.h"
#include "ops/ssh/session.h"
#include "sys/listen.h"
#include "sys/signals.h"

namespace banger::ops {

LocalForward parse_forward(std::string_view word) {
  auto bad = [&] {
    return usage("invalid port '{}': it is not PORT, LOCAL:PORT or ADDRESS:LOCAL:PORT", word)
        .subject(std::string(word))
        .hint("8080:80 offers the guest's port 80 at 127.0.0.1:8080");
  };
  auto parts = split(word, ':');
  if (parts.size() > 3 || (parts.size() == 3 && parts[0].empty())) throw bad();
  auto number = [&](const std::string& text, int64_t least) {
    if (text.empty()) throw bad();
    return static_cast<int>(parse_number("port", text, least, 65535, word));
  };
  LocalForward f;
  f.guest = f.port = number(parts.back(), 1);
  if (parts.size() > 1) f.port = number(parts[parts.size() - 2], 0);
  if (parts.size() == 3 && parts[0] != "localhost") f.address = parts[0];
  return f;
}

void ssh_forward(
    Reader& in, const std::string& ref, std::vector<LocalForward> forwards,
    const std::function<void(const std::string& vm, const std::vector<LocalForward>&)>& ready) {
  SshTarget target = find_ssh_target(in, ref);
  sys::Signals signals({SIGINT, SIGTERM, SIGHUP});
  std::vector<guest::ForwardedPort> ports;
  for (auto& f : forwards) {
    Fd listener = sys::listen_tcp(f.address, f.port);
    f.port = sys::port_of(listener.get());
    ports.push_back({std::move(listener), f.guest});
  }
  with_guest(target, in.dirs, [&] {
    auto session = open_session(target, signals.fd());
    ready(target.vm.name, forwards);
    guest::forward_ports(session, ports, signals.fd());
    // Asked to end, it has done what it was for.
    sys::read_signal(signals.fd());
    session.leave();
  });
}

} // namespace banger::ops
