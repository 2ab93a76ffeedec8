#include "ops/query/net_status.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "helper/client.h"
#include "model/subnet.h"
#include "net/holder.h"
#include "net/slirp.h"
#include "ops/common/rights.h"
#include "ops/host/bridge_support.h"
#include "ops/host/net_support.h"
#include "ops/net/bridge.h"
#include "ops/net/nature.h"
#include "ops/net/record.h"
#include "ops/net/way_out.h"
#include "ops/release/seen.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

void add_mode(NetStatus& s, Reader& in) {
  if (in.settings.net_mode) {
    s.mode = name_of(*in.settings.net_mode);
    return;
  }
  if (bridge_is_default(in.state)) {
    s.mode = name_of(automatic_mode(true, true));
    return;
  }
  UserNetFault fault;
  if (!s.up) fault = user_net_fault(in.dirs, nullptr); // one that is up proves itself
  s.mode = name_of(automatic_mode(false, fault.missing.empty()));
  s.why = join(fault.missing, "; ");
  s.mend = join(fault.mends, "; ");
}

// A holder or slirp4netns that is just dying does not answer: its part is left out.
template <typename F>
void ask(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    if (e.code() != Code::unreachable) throw;
  }
}

// `slirps`: the sockets of those that live.
void add_forwards(NetStatus& s, const NetRecord& record, const std::set<std::string>& slirps) {
  std::map<std::string, std::string> by_address;
  for (const NetStatus::Lease& l : s.leases)
    if (nature_of(l.vm.net_mode).is_private) by_address[l.vm.address] = l.vm.name;
  auto add = [&](const net::Forward& f) {
    auto vm = by_address.find(f.guest);
    s.forwards.push_back({f.port, f.guest, vm == by_address.end() ? "" : vm->second});
  };
  for (const std::string& slirp : slirps)
    ask([&] {
      for (const auto& [id, f] : net::list_forwards(slirp)) add(f);
    });
  if (s.holder)
    ask([&] {
      for (const net::Forward& f : net::list_relays(record.holder_socket())) add(f);
    });
  // Those that are a VMM's own are there for as long as it runs.
  for (const NetStatus::Lease& l : s.leases) {
    if (!nature_of(l.vm.net_mode).vmm_forwards || !l.vm.vmm_process() || !is_live(l.vm.state))
      continue;
    s.forwards.push_back({{"tcp", l.vm.reach, l.vm.ssh_port, 22}, l.vm.address, l.vm.name});
    for (const Port& p : l.vm.ports) s.forwards.push_back({p, l.vm.address, l.vm.name});
  }
}

// A tap tells of a VM that runs alone: of one that just starts or ends it says nothing.
void add_fault(NetStatus::HostNet& host, const NetStatus& s, const NetRecord& record,
               const net::BridgeFault& fault, state::State& state) {
  auto add = [&](const std::string& vm) {
    auto [text, mend] = told(fault, vm, &state);
    host.faults.push_back({text, mend, vm, fault.outward});
  };
  if (fault.tap == 0) return add({});
  for (const NetStatus::Lease& l : s.leases) {
    auto tap = record.taps.find(l.vm.id);
    if (tap == record.taps.end() || tap->second != fault.tap || l.vm.state != VmState::running)
      continue;
    add(l.vm.name);
  }
}

// The host's network, and what only root sees of it.
void add_host(NetStatus& s, Reader& in) {
  NetRecord record = read_net(in.state, NetMode::bridge);
  if (record.dir.empty()) return;
  const std::string& tag = in.state.tag();
  Subnet subnet = Subnet::parse(record.subnet);
  NetStatus::HostNet host{.up = record.guard != 0,
                          .bridge = net::bridge_name(tag),
                          .subnet = record.subnet,
                          .gateway = to_text(subnet.bridge()),
                          .uplinks = {},
                          .resolver = {},
                          .faults = {},
                          .blind = {}};
  if (sys::is_alive(record.resolver)) host.resolver = record.resolver;
  net::BridgeCounts counts;
  try {
    helper::Client::Seen seen = helper::Client(helper_command(in.dirs)).look(tag);
    host.up = seen.up;
    host.uplinks = seen.uplinks;
    counts = std::move(seen.counts);
    for (const net::BridgeFault& f : seen.faults) add_fault(host, s, record, f, in.state);
    if (auto lost = lost_guests(in.state, seen))
      host.faults.push_back({lost->text, net::mend_of(*lost)});
  } catch (const Error& e) {
    host.blind = e.message();
    if (!e.hint().empty())
      host.faults.push_back({"what is there cannot be looked at", e.hint(), {}, true});
  }
  for (NetStatus::Lease& l : s.leases) {
    auto tap = record.taps.find(l.vm.id);
    if (l.vm.net_mode != NetMode::bridge || tap == record.taps.end()) continue;
    l.tap = net::tap_name(tag, tap->second);
    for (const auto& d : counts.drops)
      if (d.tap == tap->second || d.address == l.vm.address) {
        l.dropped[d.reason] += d.packets;
        s.dropped[d.reason] += d.packets;
      }
    for (const auto& out : counts.out)
      if (out.address == l.vm.address) l.out_packets = out.packets, l.out_bytes = out.bytes;
    for (const Port& p : l.vm.ports) s.forwards.push_back({p, l.vm.address, l.vm.name});
  }
  s.host = std::move(host);
}

Json host_json(const NetStatus::HostNet& h) {
  Json uplinks = Json::array();
  for (const std::string& name : h.uplinks) uplinks.push_back(name);
  Json faults = Json::array();
  for (const auto& f : h.faults) faults.push_back({{"text", f.text}, {"fix", f.mend}});
  return {{"up", h.up},         {"bridge", h.bridge},
          {"subnet", h.subnet}, {"gateway", h.gateway},
          {"uplinks", uplinks}, {"resolver_pid", h.resolver ? Json(h.resolver.pid) : Json()},
          {"faults", faults},   {"blind", h.blind.empty() ? Json() : Json(h.blind)}};
}

Json drops_json(const NetStatus::Drops& drops) {
  Json j = Json::object();
  for (std::string_view reason : net::drop_reasons) {
    auto found = drops.find(std::string(reason));
    j[std::string(reason)] = found == drops.end() ? 0 : found->second;
  }
  return j;
}

// There was one for all once, and a program that reads this object may look for a pid here.
ProcessId first_way(const NetStatus& s) {
  for (const NetStatus::Lease& l : s.leases)
    if (l.slirp) return l.slirp;
  return {};
}

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }
Json or_null(const ProcessId& id) { return id ? Json(id.pid) : Json(); }

} // namespace

NetStatus net_status(Reader& in) {
  NetStatus s;
  NetRecord record = read_net(in.state);
  if (sys::is_alive(record.holder)) s.holder = record.holder;
  s.up = s.holder && !record.taps.empty();
  Subnet subnet = in.settings.net_subnet;
  std::map<std::string, ProcessId> ways = all_ways(in.state);
  std::set<std::string> slirps;
  for (const Vm& row : in.state.vms()) {
    NetStatus::Lease lease;
    lease.vm = as_seen(in.dirs, in.state.tag(), row);
    if (is_gone(in.dirs, in.state.tag(), lease.vm)) continue;
    // The VMs' own says more than the settings: they may have been changed since.
    if (nature_of(row.net_mode).is_private) subnet = Subnet::around(row.address, row.prefix);
    if (auto tap = record.taps.find(row.id); s.up && tap != record.taps.end()) {
      lease.tap = net::tap_name(in.state.tag(), tap->second);
      auto own = ways.find(row.id);
      lease.slirp = own == ways.end() ? record.slirp : own->second;
      if (!sys::is_alive(lease.slirp)) lease.slirp = {};
      if (lease.slirp)
        slirps.insert(own == ways.end() ? record.slirp_socket()
                                        : way_socket(in.dirs, in.state.tag(), row));
    }
    s.leases.push_back(std::move(lease));
  }
  s.subnet = subnet.text();
  s.gateway = to_text(subnet.way_out());
  s.resolver = to_text(resolver_of(record, subnet));
  if (sys::is_alive(record.resolver)) s.resolver_process = record.resolver;
  if (s.up) {
    s.bridge = net::bridge_name(in.state.tag());
    s.table = net::table_name(in.state.tag());
    s.dir = record.dir;
    s.net_id = record.net_id;
    ask([&] {
      for (const net::Drop& d : net::ask_drops(record.holder_socket(), s.table)) {
        s.dropped[d.reason] += d.packets;
        for (NetStatus::Lease& l : s.leases)
          if (l.tap == d.link) l.dropped[d.reason] += d.packets;
      }
    });
  }
  add_forwards(s, record, slirps);
  add_host(s, in);
  add_mode(s, in);
  return s;
}

Json to_json(const Vm& vm, const Port& p) {
  return {{"vm", vm.name},
          {"proto", p.proto},
          {"host_address", p.host_address},
          {"host", p.host},
          {"guest", p.guest}};
}

Json to_json(const NetStatus& s) {
  Json leases = Json::array(), forwards = Json::array();
  for (const NetStatus::Lease& l : s.leases)
    leases.push_back({{"vm", l.vm.name},
                      {"id", l.vm.id},
                      {"state", name_of(l.vm.state)},
                      {"mode", name_of(l.vm.net_mode)},
                      {"address", l.vm.address},
                      {"mac", l.vm.mac},
                      {"tap", or_null(l.tap)},
                      {"slirp", or_null(l.slirp)},
                      {"out_packets", l.out_packets},
                      {"out_bytes", l.out_bytes},
                      {"dropped", drops_json(l.dropped)}});
  for (const NetStatus::LivePort& f : s.forwards)
    forwards.push_back({{"vm", or_null(f.vm)},
                        {"proto", f.port.proto},
                        {"host_address", f.port.host_address},
                        {"host", f.port.host},
                        {"guest_address", f.guest},
                        {"guest", f.port.guest}});
  return {{"place", s.up ? "private" : "none"},
          {"mode", s.mode},
          {"why", or_null(s.why)},
          {"fix", or_null(s.mend)},
          {"subnet", s.subnet},
          {"gateway", s.gateway},
          {"resolver", s.resolver},
          {"bridge", or_null(s.bridge)},
          {"table", or_null(s.table)},
          {"dir", or_null(s.dir)},
          {"namespace", s.net_id ? Json(s.net_id) : Json()},
          {"holder", or_null(s.holder)},
          {"resolver_pid", or_null(s.resolver_process)},
          {"slirp", or_null(first_way(s))},
          {"dropped", drops_json(s.dropped)},
          {"host", s.host ? host_json(*s.host) : Json()},
          {"leases", leases},
          {"forwards", forwards}};
}

} // namespace banger::ops
