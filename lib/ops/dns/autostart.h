// The DNS daemon beside VMs that are started: there when they are, and in nobody's way where it
// cannot be.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "ops/common/context.h"
#include "ops/dns/background.h"

namespace banger::ops {

// One for a verb, however many VMs it starts. Nothing is thrown for a daemon that does not come up.
class DnsAutostart {
public:
  // `ctx` is used by settle() alone. `common` as for DnsStart.
  DnsAutostart(Context& ctx, std::vector<std::string> common)
      : ctx_(ctx), common_(std::move(common)) {}
  DnsAutostart(const DnsAutostart&) = delete;
  DnsAutostart& operator=(const DnsAutostart&) = delete;

  // Starts one where there is none (unless dns.autostart says no), or in the place of one in the
  // background whose banger was replaced since; it ends when no VM has run for a minute. Returns
  // without waiting for it. On any thread; the first call counts.
  void begin();
  // After what was started: waits for the daemon if it is late, two seconds at most, and says what
  // is wrong with it. The same is said once a state, until it is well again.
  void settle();

private:
  void look();

  Context& ctx_;
  std::vector<std::string> common_;
  std::once_flag once_;
  std::unique_ptr<DnsStart> start_;
  std::optional<DnsDaemon> outdated_; // that another keeps
  std::optional<Error> fault_;
};

// Whether the program of a daemon is not that of this banger any more: it is of an older version,
// or another file lies in its place.
bool is_outdated(const DnsDaemon& daemon, const Dirs& dirs);

} // namespace banger::ops
