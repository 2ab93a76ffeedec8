// What keeps traffic from arriving, told from what was seen of it. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/flow.h"
#include "ops/query/probe_guest.h"
#include "ops/query/probe_try.h"

namespace banger::ops {

// What was found to stand in the way.
struct Finding {
  Barrier by = Barrier::unknown;
  std::string at = {}, found = {}, fix = {}; // as in ProbeTry
  bool operator==(const Finding&) const = default;
};

// What of the host and of the VM's network decides.
struct ProbeScene {
  std::string vm;
  std::string table = {};                             // banger's own
  std::string bridge = {};                            // the host's; empty: the VM is not on it
  bool bridge_forwards = true;                        // the host forwards what comes from it
  std::vector<std::string> uplinks = {}, closed = {}; // all; those that it forwards nothing from
  bool nat = true, host_open = false;
  bool no_way_out = false;    // its network is not to have one (isolated)
  bool way_lost = false;      // it is to have one, and its process has gone
  bool resolver_lost = false; // the same of the process that answers for names
  std::string blind = {};     // why packets could not be watched; empty: they were
  // What this host has lost of the bridge or of the VM's tap, where it reaches the VM by them, and
  // what mends that.
  std::optional<Finding> lost = {};
  std::optional<net::FlowSeen> seen = {};
  std::map<std::string, uint64_t> dropped = {}; // by banger's rules meanwhile, by reason
};

// The guest's own faults, each a try: link, address, route.
std::vector<ProbeTry> judge_guest(const std::string& address, const std::string& gateway,
                                  const GuestLook& look);
// The guest tried to get outside, and this host itself got there.
Finding judge_outward(const ProbeScene& scene, const GuestLook& look);
// The guest asked for names at `server`.
Finding judge_names(const ProbeScene& scene, const std::string& server);
// This host tried to get to the guest.
Finding judge_inward(const ProbeScene& scene);

} // namespace banger::ops
