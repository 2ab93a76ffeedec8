#include "ops/net/bridge_net.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "net/plan.h"
#include "ops/common/places.h"
#include "ops/common/rights.h"
#include "ops/net/bridge.h"
#include "ops/net/host_ports.h"
#include "ops/net/lease.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

constexpr Millis time_to_die{10'000};

Error is_down(const Vm& vm) {
  return preflight("the network 'bridge' is down").subject(vm.name).hint("banger net up");
}

} // namespace

BridgeNet::BridgeNet(Context& ctx)
    : ctx_(ctx), resolver_(ctx, {mode,
                                 [this](NetRecord&) {
                                   const std::string& tag = ctx_.state.tag();
                                   return net::NameSockets{helper().name_socket(tag, "udp"),
                                                           helper().name_socket(tag, "tcp")};
                                 },
                                 [this](const NetRecord& r) { end_strays(r); },
                                 [this] { return helper().rule_changes(ctx_.state.tag()); }}) {}

helper::Client BridgeNet::helper() const { return helper::Client(helper_command(ctx_.dirs)); }

// Every process in its directory is its resolver.
void BridgeNet::end_strays(const NetRecord& r) {
  sys::end_all_in(r.dir, {r.resolver}, time_to_die);
}

void BridgeNet::lease(std::string_view doing, const std::optional<std::string>& ip, Vm& vm) {
  auto subnet = bridge_subnet(ctx_.state);
  if (!subnet)
    throw preflight("cannot {} '{}' on the network 'bridge': it was not made yet", doing, vm.name)
        .subject(vm.name)
        .hint("banger net up");
  lease_shared(ctx_, doing, *subnet, ip, vm);
  vm.gateway = to_text(subnet->bridge());
}

void BridgeNet::join(NetRecord& r, const Vm& vm) {
  if (r.dir.empty()) throw is_down(vm);
  if (const Subnet subnet = Subnet::parse(r.subnet);
      !subnet.contains(parse_address("address", vm.address)))
    throw of_another_subnet(vm.address, vm.prefix, subnet).subject(vm.name);
  sys::make_dirs(r.dir);
  if (!r.taps.contains(vm.id)) {
    r.taps[vm.id] = free_tap(ctx_.state);
    write_net(ctx_.state, r);
  }
  const std::string& tag = ctx_.state.tag();
  const net::BridgeGuest guest = guest_of(vm, r.taps[vm.id]);
  try {
    return note_link(r, helper().join(tag, guest));
  } catch (const Error& e) {
    if (e.code() != Code::not_found) throw;
  }
  make_bridge(ctx_, r, Subnet::parse(r.subnet), vm.id); // the host was started anew
  note_link(r, helper().join(tag, guest));
}

// The sockets of a resolver belong to the link that they were opened at.
void BridgeNet::note_link(NetRecord& r, int link) {
  auto id = static_cast<uint64_t>(link);
  if (r.net_id == id) return;
  if (r.net_id) resolver_.end(r);
  r.net_id = id;
  write_net(ctx_.state, r);
}

void BridgeNet::attach(Vm& vm) {
  auto held = lock();
  NetRecord r = read_net(ctx_.state, mode);
  if (r.dir.empty()) throw is_down(vm);
  leave_locked(r, {vm.id}); // what an earlier start left is not kept
  // Between the look and the helper's own another program may take a port.
  for (int tries = 1;; tries++) {
    Vm chosen = vm;
    choose_ports(chosen);
    try {
      join(r, chosen);
    } catch (const Error& e) {
      if (e.code() != Code::conflict || tries == 3) throw;
      continue;
    }
    record_ports(ctx_, vm, chosen);
    break;
  }
  resolver_.find(r, true);
}

void BridgeNet::bring(const Vm& vm) {
  auto held = lock();
  NetRecord r = read_net(ctx_.state, mode);
  join(r, vm);
  resolver_.find(r, false);
}

void BridgeNet::repair(const Vm& vm) {
  if (read_net(ctx_.state, mode).taps.contains(vm.id)) bring(vm);
}

void BridgeNet::leave_locked(NetRecord& r, const std::vector<std::string>& vms) {
  std::vector<int> taps;
  for (const std::string& vm : vms)
    if (auto mine = r.taps.find(vm); mine != r.taps.end()) taps.push_back(mine->second);
  if (taps.empty()) return;
  helper().leave(ctx_.state.tag(), taps);
  for (const std::string& vm : vms) r.taps.erase(vm);
  if (r.taps.empty()) {
    resolver_.end(r);
    r.resolver = {};
    r.resolver_known = false;
    end_strays(r);
    resolver_.reap();
    sys::remove_tree(r.dir);
  }
  write_net(ctx_.state, r);
  if (r.taps.empty() && is_loan_over(ctx_.state)) take_bridge_down(ctx_, r);
}

void BridgeNet::leave(const Vm& vm) {
  if (!read_net(ctx_.state, mode).taps.contains(vm.id)) return;
  auto held = lock();
  NetRecord r = read_net(ctx_.state, mode);
  leave_locked(r, {vm.id});
}

void BridgeNet::tidy() {
  NetRecord seen = read_net(ctx_.state, mode);
  if (seen.dir.empty() || (seen.taps.empty() && !is_loan_over(ctx_.state))) return;
  auto held = sys::FileLock::try_take(net_lock(ctx_.dirs));
  if (!held) return; // another process is at work on the network
  NetRecord r = read_net(ctx_.state, mode);
  std::vector<std::string> gone; // one by one, a host that ran a hundred would take seconds
  for (const auto& [id, n] : r.taps)
    if (!is_at_work(ctx_, ctx_.state.find_vm_by_id(id))) gone.push_back(id);
  leave_locked(r, gone);
  // Its borrower died before a VM was on it.
  if (r.taps.empty() && !r.dir.empty() && is_loan_over(ctx_.state)) take_bridge_down(ctx_, r);
}

NetPlace::Attachment BridgeNet::attachment(const Vm& vm, bool) {
  NetRecord r = read_net(ctx_.state, mode);
  auto mine = r.taps.find(vm.id);
  if (mine == r.taps.end()) throw failed("the network 'bridge' went away");
  return {vmm::TapNet{net::tap_name(ctx_.state.tag(), mine->second), net::usual_mtu}};
}

std::string BridgeNet::resolver(const Vm& vm) {
  return to_text(Subnet::around(vm.address, vm.prefix).bridge());
}

std::vector<ProcessId> BridgeNet::keepers(const Vm&) {
  NetRecord r = read_net(ctx_.state, mode);
  if (!r.resolver) return {}; // none could be begun
  return {r.resolver_ready ? r.resolver : ProcessId{}};
}

void BridgeNet::add_forward(const Vm& vm, const Port& port) {
  auto held = lock();
  NetRecord r = read_net(ctx_.state, mode);
  auto mine = r.taps.find(vm.id);
  if (mine == r.taps.end()) return; // it is on its way: its start reads the row
  helper().publish(ctx_.state.tag(), mine->second, port, true);
}

void BridgeNet::remove_forward(const Vm& vm, const Port& port) {
  auto held = lock();
  NetRecord r = read_net(ctx_.state, mode);
  auto mine = r.taps.find(vm.id);
  if (mine == r.taps.end()) return;
  helper().publish(ctx_.state.tag(), mine->second, port, false);
}

} // namespace banger::ops
