#include "ops/net/host_ports.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "model/port.h"
#include "ops/common/places.h"
#include "ops/net/nature.h"
#include "sys/port_owner.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {

bool can_bind(const Port& p, int* err) {
  return p.proto == "tcp" ? sys::can_bind_tcp(p.host_address, p.host, err)
                          : sys::can_bind_udp(p.host_address, p.host, err);
}

// The host's side.
std::string text(const Port& p) {
  return fmt::format("{}{}{}/{}", p.host_address, p.host_address.empty() ? "" : ":", p.host,
                     p.proto);
}

std::string who_has(const Port& p) {
  auto owner = sys::find_port_owner(p.proto, p.host_address, p.host);
  if (!owner) return "another program";
  return fmt::format("{} (process {})", escape_for_terminal(owner->comm), owner->id.pid);
}

Error taken(const std::string& vm, const Port& p, int err) {
  Error e = sys_error(err, "cannot publish {}", text(p));
  return Error(err == EADDRINUSE ? Code::conflict : Code::failed, e.message())
      .subject(vm)
      .hint(err == EADDRNOTAVAIL
                ? "the host has no such address"
                : fmt::format("{} has that port; publish another one", who_has(p)));
}

// An address that was not given yet is the VM's own.
bool overlap(const Port& a, const Port& b, bool same_vm) {
  constexpr const char* everywhere = "0.0.0.0";
  if (a.proto != b.proto || a.host != b.host) return false;
  if (a.host_address == everywhere || b.host_address == everywhere) return true;
  return a.host_address == b.host_address && (same_vm || !a.host_address.empty());
}

// The guest's ssh at its own number where the host lets us, else where it was last time if that is
// still free, else anywhere.
int choose_ssh_port(const Vm& vm) {
  auto is_published = [&](int port) {
    Port ssh{"tcp", vm.reach, port, 22};
    return std::any_of(vm.ports.begin(), vm.ports.end(),
                       [&](const Port& p) { return overlap(p, ssh, true); });
  };
  for (int port : {22, vm.ssh_port})
    if (!is_published(port) && sys::can_bind_tcp(vm.reach, port)) return port;
  return sys::free_tcp_port(vm.reach);
}

} // namespace

void check_answers(const std::string& vm, NetMode mode, bool way_out,
                   const std::vector<Port>& ports) {
  if (!nature_of(mode).way_out_by_setting || way_out) return;
  for (const Port& p : ports)
    if (p.proto == "udp")
      throw conflict("cannot publish {} of '{}': QEMU's restricted network lets no UDP answer out",
                     to_text(p), vm)
          .subject(vm)
          .hint("--net user, or set net.isolated_outbound");
}

void choose_port(const std::string& vm, Port& p) {
  int err = 0;
  if (can_bind(p, &err)) return;
  if (err != EACCES) throw taken(vm, p, err);
  p.host =
      p.proto == "tcp" ? sys::free_tcp_port(p.host_address) : sys::free_udp_port(p.host_address);
}

void require_free_ports(const std::string& vm, const std::vector<Port>& ports) {
  std::vector<Error> faults;
  for (const Port& p : ports) {
    int err = 0;
    if (!p.host_address.empty() && !can_bind(p, &err) && err != EACCES)
      faults.push_back(taken(vm, p, err));
  }
  if (faults.empty()) return;
  if (faults.size() == 1) throw std::move(faults[0]);
  std::vector<std::string> what, why;
  for (const Error& e : faults) what.push_back(e.message()), why.push_back(e.hint());
  throw Error(faults[0].code(), join(what, "; ")).subject(vm).hint(join(why, "\n"));
}

void choose_ports(Vm& vm) {
  vm.ssh_port = choose_ssh_port(vm);
  for (Port& p : vm.ports) choose_port(vm.name, p);
}

void check_ports(Context& ctx, const std::string& self, const std::vector<Port>& ports) {
  for (size_t i = 0; i < ports.size(); i++)
    for (size_t k = 0; k < i; k++)
      if (overlap(ports[i], ports[k], true))
        throw conflict("cannot publish {}: it was given already, to {}", text(ports[i]),
                       ports[k].guest);
  if (ports.empty()) return;
  for (const auto& theirs : ctx.state.published_ports()) {
    if (theirs.id == self) continue;
    for (const Port& ours : ports)
      if (overlap(ours, theirs.port, false))
        throw conflict("cannot publish {}: '{}' publishes it", text(ours), theirs.vm)
            .subject(theirs.vm)
            .hint(
                fmt::format("banger net publish --remove {} {}", theirs.vm, to_text(theirs.port)));
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
