#include "ops/ssh_service.h"

#include <functional>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "guest/keygen.h"
#include "guest/protocol.h"
#include "guest/ready.h"
#include "guest/session.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {

constexpr size_t kept_output = 4096;

Error no_request() { return usage("no request on standard input"); }

std::string read_request(int in) {
  sys::LineReader reader(in);
  if (auto line = reader.next()) return *line;
  throw no_request();
}

void reply(int out, const std::string& line) { sys::write_all(out, line + "\n"); }

// What goes wrong is said as a reply.
int answered(int out, const std::function<int()>& work) {
  try {
    return work();
  } catch (const Error& e) {
    reply(out, guest::to_line(e));
    return exit_status(e.code());
  }
}

Deadline in_seconds(double seconds) {
  return Deadline(std::chrono::ceil<Millis>(Seconds(std::clamp(seconds, 0.0, 1e9))));
}

} // namespace

int GuestService::keygen(const std::string& keys_dir) {
  return answered(out, [&] {
    auto key = guest::ensure_state_key(keys_dir);
    reply(out, guest::to_line(guest::KeygenReply{key.identity, key.public_line}));
    return 0;
  });
}

int GuestService::await() {
  return answered(out, [&] {
    sys::LineReader requests(in);
    bool asked = false;
    while (auto line = requests.next()) {
      asked = true;
      auto request = guest::parse_await_request(*line);
      if (std::holds_alternative<guest::HostKeyRequest>(request)) {
        reply(out, guest::to_line(guest::generate_key()));
        continue;
      }
      const auto& wish = std::get<guest::AwaitRequest>(request);
      auto stage = guest::await_ready(
          wish.endpoint, in_seconds(wish.seconds),
          [&](const guest::StageReport& report) { reply(out, guest::to_line(report)); }, out);
      if (stage == guest::Stage::ready) return 0;
      return exit_status(stage == guest::Stage::mismatch ? Code::failed : Code::timeout);
    }
    if (!asked) throw no_request();
    return 0;
  });
}

int GuestService::run() {
  return answered(out, [&] {
    auto request = guest::parse_run_request(read_request(in));
    Deadline deadline = in_seconds(request.seconds);
    auto session = guest::Session::connect(request.endpoint, deadline);
    auto done = session.run(request.command, {-1, -1, -1, kept_output}, deadline);
    std::string shown = done.tail;
    if (shown.size() > kept_output) shown.erase(0, shown.size() - kept_output);
    reply(out, guest::to_line(guest::RunReply{done.status, escape_for_terminal(shown)}));
    return 0;
  });
}

} // namespace banger::ops
