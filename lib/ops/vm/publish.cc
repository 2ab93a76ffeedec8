#include "ops/vm/publish.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "model/port.h"
#include "model/words.h"
#include "ops/common/places.h"
#include "ops/link/client.h"
#include "ops/net/host_ports.h"
#include "ops/net/nature.h"
#include "ops/net/open_place.h"
#include "ops/vm/hold.h"
#include "sys/lock.h"

namespace banger::ops {

namespace {

constexpr Millis monitor_patience{20'000};

// A VM whose ports may be changed.
HeldVm hold(Context& ctx, const std::string& ref) {
  HeldVm held = hold_vm(ctx, ref, "change the ports of");
  switch (held.vm.state) {
  case VmState::stopped:
  case VmState::failed:
  case VmState::running:
  case VmState::paused:
    return held;
  default:
    // Its monitor is about to choose its ports, or to give them back.
    throw conflict("cannot change the ports of '{}': {}", held.vm.name, is_now(held.vm.state))
        .subject(held.vm.name)
        .hint("try again when it is running or stopped");
  }
}

// Ports of the VMM's own network are changed by the monitor: it alone speaks to the VMM.
void ask_for(Context& ctx, const Vm& vm, const char* verb, const Port& port) {
  try {
    ask_monitor(places_of(ctx.dirs, ctx.state.tag(), vm), vm, {verb, Millis(0), to_text(port)},
                {monitor_patience}, [&](const Report& r) { ctx.stage(vm.name, r.text); });
  } catch (Error& e) {
    throw std::move(e.default_subject(vm.name));
  }
}

void open_port(Context& ctx, const Vm& vm, const Port& port) {
  if (nature_of(vm.net_mode).vmm_forwards)
    ask_for(ctx, vm, "publish", port);
  else
    open_place(ctx, vm.net_mode)->add_forward(vm, port);
}

void close_port(Context& ctx, const Vm& vm, const Port& port) {
  if (nature_of(vm.net_mode).vmm_forwards)
    ask_for(ctx, vm, "unpublish", port);
  else
    open_place(ctx, vm.net_mode)->remove_forward(vm, port);
}

// Records the ports whose change begins: if this verb dies, the next command makes the host forward
// them as the row has them.
void begin_change(Context& ctx, const std::string& id, const std::vector<Port>& ports) {
  ctx.state.begin_port_change(id, ports);
}

void end_change(Context& ctx, const std::string& id) { ctx.state.end_port_change(id); }

using Also = void (*)(Context&, const std::string& id, const std::vector<Port>& changed);
constexpr Also nothing_else = [](Context&, const std::string&, const std::vector<Port>&) {};

// Changes the row; `also` is done in the same transaction.
Vm set_ports(Context& ctx, const Vm& vm, const std::vector<Port>& ports, const char* event,
             const std::vector<Port>& changed, Also also = nothing_else) {
  Vm now;
  ctx.state.transaction([&] {
    also(ctx, vm.id, changed);
    check_ports(ctx, vm, ports); // again: another VM may have taken one meanwhile
    now = ctx.state.change_vm(vm.id, [&](Vm& v) { v.ports = ports; });
    Json list = Json::array();
    for (const Port& p : changed) list.push_back(to_text(p));
    record(ctx, vm.name, event, {{"ports", list}});
  });
  return now;
}

} // namespace

Published publish_ports(Context& ctx, const std::string& ref, std::vector<Port> ports) {
  HeldVm held = hold(ctx, ref);
  const Vm& vm = held.vm;
  bool way_out =
      is_live(vm.state) ? vm.run && vm.run->outbound_open : ctx.settings.net_isolated_outbound;
  check_answers(vm.name, vm.net_mode, way_out, ports);
  for (Port& p : ports)
    if (p.host_address.empty()) p.host_address = vm.reach;
  std::vector<Port> fresh = ports;
  std::erase_if(fresh, [&](const Port& p) { return std::ranges::count(vm.ports, p) > 0; });
  if (fresh.empty()) return {vm, ports, false};
  ports = std::move(fresh);
  std::vector<Port> all = vm.ports;
  all.insert(all.end(), ports.begin(), ports.end());
  check_ports(ctx, vm, all);
  bool live = is_live(vm.state);
  if (live)
    choose_ports(vm, ports, Asked::now);
  else
    require_addresses(vm, ports);
  all = vm.ports;
  all.insert(all.end(), ports.begin(), ports.end());
  Vm now = set_ports(ctx, vm, all, "vm.published", ports, live ? begin_change : nothing_else);
  if (!live) return {now, ports};
  for (size_t done = 0; done < ports.size(); done++) {
    try {
      open_port(ctx, now, ports[done]);
    } catch (Error& e) {
      set_ports(ctx, vm, vm.ports, "vm.unpublished", ports);
      for (size_t i = 0; i < done; i++) close_port(ctx, now, ports[i]);
      // A monitor that did not answer may have made the change.
      if (e.code() != Code::unreachable && e.code() != Code::timeout) end_change(ctx, vm.id);
      throw std::move(e.within(fmt::format("cannot publish {}", to_text(ports[done])))
                          .default_subject(vm.name));
    }
  }
  end_change(ctx, vm.id);
  return {now, ports};
}

namespace {

// The ports of `asked` that the VM has. A port that was typed without an address is there twice, at
// 127.0.0.1 and at the VM's own, and may be published at one of them only.
std::vector<Port> require_published(const Vm& vm, const std::vector<Port>& asked) {
  std::vector<Port> there;
  auto is_there = [&](const Port& p) { return std::ranges::count(vm.ports, p) > 0; };
  for (const Port& p : asked) {
    if (std::ranges::count(there, p) == 0 && is_there(p)) {
      there.push_back(p);
      continue;
    }
    const Port* twin = find_twin(vm, p, asked);
    if (!twin || !is_there(*twin))
      throw not_found("'{}' does not publish {}", vm.name, as_typed(vm, p, asked))
          .subject(vm.name)
          .hint(fmt::format("banger net publish {} shows what it does publish", vm.name));
  }
  return there;
}

} // namespace

Published unpublish_ports(Context& ctx, const std::string& ref, std::vector<Port> ports) {
  HeldVm held = hold(ctx, ref);
  const Vm& vm = held.vm;
  for (Port& p : ports)
    if (p.host_address.empty()) p.host_address = vm.reach;
  ports = require_published(vm, ports);
  std::vector<Port> rest = vm.ports;
  for (const Port& p : ports) std::erase(rest, p);
  // Closed first: a port that is still in the row can be removed by another call.
  if (is_live(vm.state)) {
    begin_change(ctx, vm.id, ports);
    for (const Port& p : ports) close_port(ctx, vm, p);
  }
  Vm now = set_ports(
      ctx, vm, rest, "vm.unpublished", ports,
      [](Context& c, const std::string& id, const std::vector<Port>&) { end_change(c, id); });
  return {now, ports};
}

namespace {

// Makes the host forward the row's ports. A port that cannot be had any more leaves the row.
void settle(Context& ctx, Vm vm, const std::vector<Port>& changed) {
  for (const Port& port : changed) {
    close_port(ctx, vm, port);
    if (std::find(vm.ports.begin(), vm.ports.end(), port) == vm.ports.end()) continue;
    try {
      open_port(ctx, vm, port);
    } catch (const Error& e) {
      if (e.code() != Code::conflict) throw;
      std::vector<Port> rest = vm.ports;
      std::erase(rest, port);
      vm = set_ports(ctx, vm, rest, "vm.unpublished", {port});
    }
  }
}

} // namespace

void settle_ports(Context& ctx) {
  for (const auto& [id, ports] : ctx.state.changing_ports()) {
    std::optional<sys::FileLock> lock;
    auto vm = ctx.state.find_vm_by_id(id);
    if (vm && is_live(vm->state)) {
      lock = sys::FileLock::try_take(places_of(ctx.dirs, ctx.state.tag(), *vm).op_lock);
      if (!lock) continue; // a verb is at work on it
      vm = ctx.state.find_vm_by_id(id);
      if (!ctx.state.changing_ports().contains(id)) continue;
    }
    // The end of a VMM was the end of its forwards.
    if (vm && is_live(vm->state)) settle(ctx, *vm, ports);
    end_change(ctx, id);
  }
}

} // namespace banger::ops
