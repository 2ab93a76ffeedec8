#include "ops/monitor/guest_shell.h"

#include "guest/boot/protocol.h"
#include "ops/monitor/preparation.h"

namespace banger::ops {

std::unique_ptr<Helper> run_in_guest(Context& ctx, sys::Loop& loop, const Guest& guest,
                                     const std::string& command, Millis time) {
  try {
    guest::CommandRequest ask;
    ask.endpoint = endpoint_of(ctx.dirs, guest.places, guest.vm);
    ask.command = command;
    ask.seconds = Seconds(time).count();
    return std::make_unique<Helper>(
        loop, sys::Command{{ctx.dirs.libexec + "/banger-guest", "run"}, {}, {}, false},
        guest::to_line(ask) + "\n", guest.errors, time, [](auto) {});
  } catch (const Error& e) {
    ctx.log.warn("monitor.run_in_guest", e);
    return nullptr;
  }
}

std::string set_clock(WallTime now) {
  int64_t ms = now.ns / 1'000'000;
  // Not every date takes parts of a second.
  return fmt::format("date -u -s @{0}.{1:03} >/dev/null 2>&1 || date -u -s @{0} >/dev/null",
                     ms / 1000, ms % 1000);
}

} // namespace banger::ops
