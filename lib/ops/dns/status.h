// The DNS of a state as it is now, and whether this host's programs ask it. Changes nothing.
#pragma once

#include <string>

#include "ops/dns/daemon.h"
#include "ops/dns/host_resolver.h"
#include "ops/host/check.h"

namespace banger::ops {

struct DnsStatus {
  std::optional<DnsDaemon> daemon;
  std::optional<PortHolder> holder; // of dns.listen, where there is no daemon
  std::optional<HostResolver> host; // where there is one
};
// Asks the host's resolver something (ops/dns/host_resolver.h), which takes `patience` at most.
DnsStatus dns_status(const Settings& settings, const Dirs& dirs, Millis patience = usual_look);
// Why programs of this host do not find VMs by their names; empty: they do.
std::string why_names_fail(const DnsStatus& status, const Settings& settings);
// The same as a check of this host: a warning at most, since VMs run without it.
Check check_names(const Settings& settings, const Dirs& dirs);
Json to_json(const DnsStatus& status, const Settings& settings, const Dirs& dirs);

} // namespace banger::ops
