// Starts the DNS daemon beside the VMs of a verb. A daemon that cannot start never keeps a VM from
// starting.
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

// One object serves a verb, however many VMs it starts. A daemon that does not come up is no Error.
class DnsAutostart {
public:
  // `ctx` is used by settle() alone. `common` as for DnsStart.
  DnsAutostart(Context& ctx, std::vector<std::string> common)
      : ctx_(ctx), common_(std::move(common)) {}
  DnsAutostart(const DnsAutostart&) = delete;
  DnsAutostart& operator=(const DnsAutostart&) = delete;

  // Starts the daemon where there is none (unless dns.autostart says no), or in the place of one in
  // the background whose banger was replaced since. It ends when no VM has run for a minute. This
  // returns without waiting for it. May be called on any thread; the first call counts.
  void begin();
  // Called after the VMs were started: waits for a late daemon, two seconds at most, and tells its
  // fault. The same fault is told once a state, until the daemon is well again.
  void settle();

private:
  void look();

  Context& ctx_;
  std::vector<std::string> common_;
  std::once_flag once_;
  std::unique_ptr<DnsStart> start_;
  std::optional<DnsDaemon> outdated_; // not begun by a command: its keeper must start it again
  std::optional<Error> fault_;
};

// Whether the program of a daemon is not that of this banger any more: it is of an older version,
// or another file lies in its place.
bool is_outdated(const DnsDaemon& daemon, const Dirs& dirs);

} // namespace banger::ops
