#include "ops/monitor/guest_shell.h"

#include "guest/boot/protocol.h"
#include "ops/monitor/preparation.h"

namespace banger::ops {

namespace {

// Nobody waits for the answer: a fault is told to the log alone.
void tell_fault(Log& log, const std::string& verb, const std::expected<std::string, Error>& line) {
  try {
    if (!line) throw Error(line.error());
    int status = guest::parse_command_reply(*line).status;
    if (status != 0) throw failed("status {}", status);
  } catch (const Error& e) {
    log.warn("monitor.guest." + verb, e);
  }
}

// `ask` has its endpoint and time set here.
template <typename Request>
std::unique_ptr<Helper> ask_guest(
    Context& ctx, sys::Loop& loop, const Guest& guest, const std::string& verb, Request ask,
    Millis time, std::function<void()> then = [] {}) {
  try {
    ask.endpoint = endpoint_of(ctx.dirs, guest.places, guest.vm);
    ask.seconds = Seconds(time).count();
    return std::make_unique<Helper>(
        loop, sys::Command{{ctx.dirs.libexec + "/banger-guest", verb}, {}, {}, false},
        guest::to_line(ask) + "\n", guest.errors, time,
        [&log = ctx.log, verb, then = std::move(then)](const auto& line) {
          tell_fault(log, verb, line);
          then();
        });
  } catch (const Error& e) {
    ctx.log.warn("monitor.ask_guest", e);
    return nullptr;
  }
}

} // namespace

std::unique_ptr<Helper> run_in_guest(Context& ctx, sys::Loop& loop, const Guest& guest,
                                     const std::string& command, Millis time) {
  return ask_guest(ctx, loop, guest, "run", guest::CommandRequest{{}, command}, time);
}

std::unique_ptr<Helper> set_clock(Context& ctx, sys::Loop& loop, const Guest& guest, Millis time,
                                  std::function<void()> then) {
  return ask_guest(ctx, loop, guest, "clock", guest::ClockRequest{}, time, std::move(then));
}

} // namespace banger::ops
