#include "ops/vm/lease.h"

#include "core/error.h"
#include "core/text.h"
#include "ops/host/net_support.h"
#include "ops/net/bridge.h"
#include "ops/net/host_ports.h"
#include "ops/net/lease.h"
#include "ops/net/nature.h"
#include "ops/net/open_place.h"

namespace banger::ops {

namespace {

void tell_once(Context& ctx, const std::string& text) {
  constexpr const char* key = "net.told";
  if (ctx.state.fact(key) == text) return;
  ctx.notice(text);
  if (ctx.state.mode() == state::Mode::write) ctx.state.set_fact(key, text);
}

} // namespace

NetMode choose_network(Context& ctx, const VmSpec& spec) {
  auto want = spec.net ? spec.net : ctx.settings.net_mode;
  if (!want && bridge_is_default(ctx.state)) want = automatic_mode(true, false);
  if (!want || nature_of(*want).is_private) {
    UserNetFault fault = user_net_fault(ctx.dirs, &ctx.state);
    bool allowed = fault.missing.empty();
    if (want && !allowed)
      throw preflight("cannot use network mode '{}': {}", name_of(*want), join(fault.missing, "; "))
          .hint(join(fault.mends, "; "));
    if (!allowed)
      tell_once(ctx, fmt::format("VMs are isolated, alone in their network, because this host has "
                                 "{}; to mend it: {}",
                                 join(fault.missing, "; "), join(fault.mends, "; ")));
    if (!want) want = automatic_mode(false, allowed);
  }
  NetMode mode = *want;
  if (nature_of(mode).is_host && !bridge_is_wanted(ctx.state))
    throw preflight("cannot use network mode '{}': it is down", name_of(mode))
        .hint("banger net up");
  check_ports(ctx, spec, spec.publish);
  check_answers(spec.name, mode, ctx.settings.net_isolated_outbound, spec.publish);
  if (spec.ip && !nature_of(mode).shared)
    throw usage("cannot give '{}' the address {}: it is isolated, alone in its network", spec.name,
                *spec.ip)
        .hint("--ip goes with --net user");
  return mode;
}

void require_address(Context& ctx, const VmSpec& spec, NetMode mode) {
  if (!nature_of(mode).shared) return;
  Vm trial;
  trial.name = spec.name;
  trial.net_mode = mode;
  open_place(ctx, mode)->lease("create", spec.ip, trial);
}

void require_mode(Context& ctx, const Vm& vm, NetMode mode) {
  VmSpec as;
  as.name = vm.name;
  as.net = mode;
  choose_network(ctx, as);
  check_answers(vm.name, mode, ctx.settings.net_isolated_outbound, vm.ports);
}

void move_to(Context& ctx, NetMode mode, Vm& vm) {
  vm.net_mode = mode;
  open_place(ctx, mode)->lease("change", {}, vm);
  settle_reach(ctx, vm);
}

Vm add_vm_with_address(Context& ctx, const VmSpec& spec, Vm vm) {
  ctx.state.transaction([&] {
    open_place(ctx, vm.net_mode)->lease("create", spec.ip, vm);
    check_ports(ctx, spec, spec.publish);
    vm.reach.clear(); // a transaction's body may run again
    settle_reach(ctx, vm);
    vm.ports = spec.publish;
    vm = ctx.state.add_vm(vm);
    if (vm.ports.empty()) return;
    vm = ctx.state.change_vm(vm.id, [](Vm& v) {
      for (Port& p : v.ports)
        if (p.host_address.empty()) p.host_address = v.reach;
    });
  });
  return vm;
}

} // namespace banger::ops
