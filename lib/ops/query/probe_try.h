// One thing that was tried of a VM's traffic, and who keeps it from arriving. A plain value.
#pragma once

#include <string>
#include <string_view>

#include "model/vm.h"
#include "model/wire.h"

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

Json to_json(const Vm& vm, const ProbeTry& t);

} // namespace banger::ops
