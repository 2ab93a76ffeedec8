#include "guest/service/service.h"

#include <functional>

#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "guest/boot/protocol.h"
#include "guest/identity/keygen.h"
#include "guest/service/ready.h"
#include "guest/ssh/session.h"
#include "sys/file.h"
#include "sys/lines.h"

namespace banger::guest {

namespace {

constexpr size_t kept_output = 4096;
// A server that has as many logins under way as it takes turns others away, and has room again in
// seconds.
constexpr Millis patience{20'000};

Error no_request() { return usage("no request on standard input"); }

std::string read_request(int in) {
  sys::LineReader reader(in);
  if (auto line = reader.next()) return *line;
  throw no_request();
}

void reply(int out, const std::string& line) { sys::write_all(out, line + "\n"); }

// Writes an Error of `work` as a reply.
int answered(int out, const std::function<int()>& work) {
  try {
    return work();
  } catch (const Error& e) {
    reply(out, to_line(e));
    return exit_status(e.code());
  }
}

Deadline in_seconds(double seconds) {
  return Deadline(std::chrono::ceil<Millis>(Seconds(std::clamp(seconds, 0.0, 1e9))));
}

int done_in(int out, Session& session, const std::string& command, const Deadline& deadline) {
  auto done = session.run(command, {-1, -1, -1, kept_output}, deadline);
  std::string shown = done.tail;
  if (shown.size() > kept_output) shown.erase(0, shown.size() - kept_output);
  reply(out, to_line(CommandReply{done.status, escape_for_terminal(shown)}));
  return 0;
}

// A clock that is right to the second keeps its pace.
std::string set_clock(WallTime now) {
  int64_t ms = now.ns / 1'000'000;
  // Not every date takes parts of a second.
  return fmt::format(
      "sh -c '[ \"$(date +%s)\" = {0} ] || date -u -s @{0}.{1:03} >/dev/null 2>&1 || "
      "date -u -s @{0} >/dev/null'",
      ms / 1000, ms % 1000);
}

} // namespace

int GuestService::keygen(const std::string& keys_dir) {
  return answered(out, [&] {
    auto key = ensure_state_key(keys_dir);
    reply(out, to_line(KeygenReply{key.identity, key.public_line}));
    return 0;
  });
}

int GuestService::await() {
  return answered(out, [&] {
    sys::LineReader requests(in);
    bool asked = false;
    while (auto line = requests.next()) {
      asked = true;
      auto request = parse_await_request(*line);
      if (std::holds_alternative<HostKeyRequest>(request)) {
        reply(out, to_line(generate_key()));
        continue;
      }
      const auto& wish = std::get<AwaitRequest>(request);
      auto stage = await_ready(
          wish.endpoint, in_seconds(wish.seconds),
          [&](const StageReport& report) { reply(out, to_line(report)); }, out);
      if (stage == Stage::ready) return 0;
      return exit_status(stage == Stage::mismatch ? Code::failed : Code::timeout);
    }
    if (!asked) throw no_request();
    return 0;
  });
}

int GuestService::run() {
  return answered(out, [&] {
    auto request = parse_command_request(read_request(in));
    Deadline deadline = in_seconds(request.seconds);
    auto session = Session::connect(request.endpoint, deadline, patience);
    return done_in(out, session, request.command, deadline);
  });
}

int GuestService::clock() {
  return answered(out, [&] {
    auto request = parse_clock_request(read_request(in));
    Deadline deadline = in_seconds(request.seconds);
    auto session = Session::connect(request.endpoint, deadline, patience);
    return done_in(out, session, set_clock(wall_now()), deadline);
  });
}

} // namespace banger::guest
