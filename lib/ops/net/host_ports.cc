#include "ops/net/host_ports.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "model/port.h"
#include "ops/common/places.h"
#include "ops/net/nature.h"
#include "sys/inet.h"
#include "sys/port_owner.h"

namespace banger::ops {

namespace {

constexpr size_t most_ports = 256; // each is a socket of the process that forwards it

bool can_bind(const PortsOf& vm, const Port& p, int* err = nullptr) {
  if (vm.reach_is_guests && p.host_address == vm.reach) return true;
  return p.proto == "tcp" ? sys::can_bind_tcp(p.host_address, p.host, err)
                          : sys::can_bind_udp(p.host_address, p.host, err);
}

// The host's side.
std::string text(const Port& p) {
  return fmt::format("{}:{}/{}", typed_address(p), p.host, p.proto);
}

// An own address that is not given yet is only taken by programs that listen everywhere. A loopback
// address that no VM has shows the same.
Port as_bound(Port p) {
  if (p.host_address.empty()) p.host_address = "127.255.255.254";
  return p;
}

std::string who_has(const Port& p) { return sys::tell_port_owner(p.proto, p.host_address, p.host); }

// How to have a port at the VM's own address alone, where it is taken at 127.0.0.1; empty for a
// port at another address.
std::string own_alone(const PortsOf& vm, const Port& p, Asked asked) {
  if (p.host_address != loopback) return {};
  Port typed = p;
  typed.host_address.clear();
  switch (asked) {
  case Asked::of_new_vm:
    return fmt::format("--publish {} has it at the VM's own address alone", to_text(typed));
  case Asked::now:
    return fmt::format("banger net publish {} {} has it at the VM's own address alone", vm.name,
                       to_text(typed));
  case Asked::recorded:
    break;
  }
  return fmt::format("banger net publish --remove {} {} leaves it at the VM's own address alone",
                     vm.name, to_text(p));
}

Error no_address(const PortsOf& vm, const Port& p, Asked asked) {
  return conflict("cannot publish {}: it is no address of this host", text(p))
      .subject(vm.name)
      .hint(asked == Asked::recorded
                ? fmt::format("banger net publish --remove {} {}", vm.name, to_text(p))
                : "publish it at an address that the host has");
}

Error taken(const PortsOf& vm, const Port& p, std::span<const Port> all, int err, Asked asked) {
  if (err == EADDRNOTAVAIL) return no_address(vm, p, asked);
  Error e = sys_error(err, "cannot publish {}", text(p));
  const Port* own = find_twin(vm, p, all);
  std::string way = own && can_bind(vm, as_bound(*own)) ? own_alone(vm, p, asked) : "";
  std::string hint = fmt::format("{} has that port; {}", who_has(as_bound(p)),
                                 way.empty() ? "publish another one" : way);
  return Error(err == EADDRINUSE ? Code::conflict : Code::failed, e.message())
      .subject(vm.name)
      .hint(hint);
}

// The guest's ssh gets port 22 where the host allows it, else its last number if that is still
// free, else any free one.
int choose_ssh_port(const Vm& vm) {
  constexpr int sshd = 22;
  auto is_published = [&](int port) {
    Port ssh{"tcp", vm.reach, port, 22};
    return std::any_of(vm.ports.begin(), vm.ports.end(),
                       [&](const Port& p) { return overlap(p, ssh, true); });
  };
  if (nature_of(vm.net_mode).is_host) {
    if (!is_published(sshd)) return sshd;
    throw conflict("cannot publish {}:{}: the host reaches the guest's ssh there", vm.reach, sshd)
        .subject(vm.name);
  }
  for (int port : {sshd, vm.ssh_port})
    if (!is_published(port) && sys::can_bind_tcp(vm.reach, port)) return port;
  return sys::free_tcp_port(vm.reach);
}

// A number that is free at the addresses of all of `ports`, which are of one protocol.
int free_number(const PortsOf& vm, const std::vector<Port*>& ports) {
  const Port& first = *ports.front();
  for (int tries = 0; tries < 100; tries++) {
    Port p = first;
    p.host =
        p.proto == "tcp" ? sys::free_tcp_port(p.host_address) : sys::free_udp_port(p.host_address);
    auto is_free = [&](const Port* other) {
      return can_bind(vm, {p.proto, other->host_address, p.host, p.guest});
    };
    if (std::ranges::all_of(ports, is_free)) return p.host;
  }
  throw failed("cannot publish {}: no port is free", text(first));
}

} // namespace

PortsOf::PortsOf(const Vm& vm)
    : id(vm.id), name(vm.name), reach(vm.reach), reach_is_guests(nature_of(vm.net_mode).is_host) {}

const Port* find_twin(const PortsOf& vm, const Port& p, std::span<const Port> all) {
  Port twin = p;
  if (p.host_address == loopback)
    twin.host_address = vm.reach;
  else if (p.host_address == vm.reach)
    twin.host_address = loopback;
  else
    return nullptr;
  auto found = std::ranges::find(all, twin);
  return found == all.end() ? nullptr : &*found;
}

std::string as_typed(const PortsOf& vm, const Port& p, std::span<const Port> all) {
  if (!find_twin(vm, p, all)) return to_text(p);
  return fmt::format("{}:{}{}", p.host, p.guest, p.proto == "udp" ? "/udp" : "");
}

void check_answers(const std::string& vm, NetMode mode, bool way_out,
                   const std::vector<Port>& ports) {
  if (!nature_of(mode).way_out_by_setting || way_out) return;
  for (const Port& p : ports)
    if (p.proto == "udp")
      throw conflict(
          "cannot publish {}:{}/udp of '{}': QEMU's restricted network lets no UDP answer "
          "out",
          p.host, p.guest, vm)
          .subject(vm)
          .hint("--net user, or set net.isolated_outbound");
}

void choose_ports(const PortsOf& vm, std::span<Port> ports, Asked asked) {
  for (Port& p : ports) {
    int err = 0;
    if (can_bind(vm, p, &err)) continue;
    if (err != EACCES) throw taken(vm, p, ports, err, asked);
    std::vector<Port*> same;
    for (Port& o : ports)
      if (o.proto == p.proto && o.host == p.host && o.guest == p.guest) same.push_back(&o);
    int host = free_number(vm, same);
    for (Port* o : same) o->host = host;
  }
}

void require_free_ports(const PortsOf& vm, const std::vector<Port>& ports, Asked asked) {
  std::vector<Error> faults;
  for (const Port& p : ports) {
    int err = 0;
    if (!can_bind(vm, as_bound(p), &err) && err != EACCES)
      faults.push_back(taken(vm, p, ports, err, asked));
  }
  if (faults.empty()) return;
  if (faults.size() == 1) throw std::move(faults[0]);
  std::vector<std::string> what, why;
  for (const Error& e : faults) what.push_back(e.message()), why.push_back(e.hint());
  throw Error(faults[0].code(), join(what, "; ")).subject(vm.name).hint(join(why, "\n"));
}

void require_addresses(const PortsOf& vm, const std::vector<Port>& ports) {
  for (const Port& p : ports) {
    if (vm.reach_is_guests && p.host_address == vm.reach) continue;
    int err = 0; // of any port
    if (!sys::can_bind_tcp(as_bound(p).host_address, 0, &err) && err == EADDRNOTAVAIL)
      throw no_address(vm, p, Asked::now);
  }
}

void choose_ports(Vm& vm) {
  vm.ssh_port = choose_ssh_port(vm);
  choose_ports(vm, vm.ports, Asked::recorded);
}

void check_ports(Context& ctx, const PortsOf& vm, const std::vector<Port>& ports) {
  if (ports.size() > most_ports)
    throw usage("cannot publish {} ports: a VM has at most {}, and what is published without an "
                "address counts as two",
                ports.size(), most_ports);
  for (size_t i = 0; i < ports.size(); i++)
    for (size_t k = 0; k < i; k++)
      if (overlap(ports[i], ports[k], true))
        throw conflict("cannot publish {}: it leads to the guest's port {} already", text(ports[i]),
                       ports[k].guest);
  if (ports.empty()) return;
  auto all = ctx.state.published_ports();
  std::erase_if(all, [&](const auto& p) { return p.id == vm.id; });
  auto who_publishes = [&](const Port& ours) {
    auto has = [&](const auto& theirs) { return overlap(ours, theirs.port, false); };
    auto found = std::ranges::find_if(all, has);
    return found == all.end() ? nullptr : &*found;
  };
  for (const Port& ours : ports) {
    const auto* theirs = who_publishes(ours);
    if (!theirs) continue;
    const Port* own = find_twin(vm, ours, ports);
    std::string way = own && !who_publishes(*own)
                          ? own_alone(vm, ours, vm.reach.empty() ? Asked::of_new_vm : Asked::now)
                          : "";
    throw conflict("cannot publish {}: '{}' publishes it", text(ours), theirs->vm)
        .subject(theirs->vm)
        .hint(fmt::format("{}{}banger net publish --remove {} {}", way, way.empty() ? "" : "\n",
                          theirs->vm, to_text(theirs->port)));
  }
}

void record_ports(Context& ctx, Vm& vm, const Vm& chosen) {
  if (vm.ssh_port == chosen.ssh_port && vm.ports == chosen.ports) return;
  auto take = [&](Vm& v) {
    v.ssh_port = chosen.ssh_port;
    v.ports = chosen.ports;
  };
  vm = ctx.state.change_vm(vm.id, take, outlives_of_runtime(ctx.dirs.runtime));
}

} // namespace banger::ops
