#include "ops/dns/host_resolver.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"
#include "sys/proc.h"
#include "sys/process.h"

namespace banger::ops {

namespace {

// A resolver that asks somewhere else may wait for that longer, and would not have asked us.
constexpr Millis patience{1'500};

// Of digits: some resolvers change the case of letters.
std::string nonce() {
  return fmt::format("{:010}{:019}", sys::this_process().pid,
                     steady_now().time_since_epoch().count());
}

} // namespace

HostResolver look_at_resolver(const Dirs& dirs, const DnsDaemon& daemon) {
  std::string digits = nonce();
  try {
    count_dns_questions(dirs, digits);
    // With a dot at its end: nobody goes on to look for it in other domains.
    sys::RunResult r = sys::run(
        {{"getent", "ahostsv4", fmt::format("banger-{}.{}.", digits, daemon.zone)}, {}, "/", false},
        {}, patience);
    auto count = count_dns_questions(dirs, digits);
    if (!count)
      return {{}, "the daemon does not tell what it is asked; banger dns restart mends it"};
    if (*count > 0) return {true, "a look-up by libc (getent) came to the daemon"};
    if (r.timed_out)
      return {
          {},
          fmt::format("a look-up by libc (getent) took longer than {}", format_duration(patience))};
    return {false, "a look-up by libc (getent) did not come to the daemon"};
  } catch (const Error& e) {
    return {{}, escape_for_terminal(e.message())};
  }
}

} // namespace banger::ops
