// Whether the traffic of a VM that runs arrives, tried for real, and what stands in its way where
// it does not: between guest and host, from the guest outwards, names, published ports. On every
// network.
//
// The guest tries by its own tools, over ssh (bash, or busybox's nc and nslookup); this process
// tries the same from the host, so that an outside that is down is not held against the guest. On
// the network `bridge` the helper watches the packets meanwhile (net/flow_watch.h) and names the
// chain that drops them. Nothing is changed, and nothing is left behind.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/endpoint.h"
#include "model/vm.h"
#include "model/wire.h"
#include "ops/common/context.h"

namespace banger::ops {

// Who or what keeps traffic from arriving.
enum class Barrier {
  none,
  guest,      // no link, no address, no route, its own firewall, nobody listens, it does not answer
  setting,    // the VM's own: NAT is off, or its network has no way out
  rule,       // a rule of banger's, or that they are missing
  firewall,   // a chain of another owner
  forwarding, // this host forwards nothing from or to that link
  routing,    // this host has no route for it, or does not take it by that link
  process,    // a process of banger's has gone: a way out, a resolver, a forward
  outside,    // beyond this host, which does not reach it either
  unknown,
};
std::string_view name_of(Barrier by);

struct ProbeTry {
  // What is tried: "guest" (ssh), "link", "address", "route" (the guest's own), "outside", "name"
  // (the VM's own), "names" (those of the outside), "port".
  std::string test;
  // skipped: it could not be tried, or says nothing of this VM; `found` tells why.
  enum class Outcome { ok, lost, skipped } outcome = Outcome::skipped;
  std::string to = {}; // where it went, "192.0.2.53:53/tcp"; empty where that says nothing
  Barrier by = Barrier::none;
  std::string at = {};    // exactly where: "ip filter FORWARD, rule 7", a link, a setting; or empty
  std::string found = {}; // for people
  std::string fix = {};   // a command or a step; may be empty
  bool operator==(const ProbeTry&) const = default;
};
std::string_view name_of(ProbeTry::Outcome outcome);

struct Probe {
  Vm vm;
  std::vector<ProbeTry> tries; // in the order above
  // None of them was lost.
  bool arrives() const;
};

// `to`: where outside the guest is to get by TCP; else a name server of the host's, or the host's
// gateway. Takes seconds where something does not answer, a minute at most for each look at the
// guest. Throws Error(not_found), Error(conflict) for a VM that does not run; what is found in the
// way is never thrown.
Probe probe_vm(Reader& in, const std::string& ref, const std::optional<Endpoint>& to = {});

Json to_json(const Vm& vm, const ProbeTry& t);

} // namespace banger::ops
