#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "net/holder.h"
#include "net/slirp.h"
#include "ops/net/private_net.h"
#include "ops/net/record.h"
#include "ops/net/way_out.h"
#include "ops/recover/leak_kinds.h"
#include "sys/lock.h"
#include "sys/namespace.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

std::vector<std::string> stray_taps(Reader& in) {
  std::vector<std::string> links = sys::links_of(read_net(in.state).holder);
  std::set<std::string> known;
  for (HostObject& o : in.state.host_objects())
    if (o.kind == ObjectKind::tap) known.insert(std::move(o.name));
  std::vector<std::string> strays;
  for (std::string& link : links)
    if (net::tap_number(in.state.tag(), link) && !known.contains(link))
      strays.push_back(std::move(link));
  return strays;
}

constexpr int relayed = -1; // by the holder, which gives no numbers

struct ForwardThere {
  net::NumberedForward numbered;
  std::string socket; // of the process that has it
};
struct StrayForward {
  ForwardThere there;
  std::string name, owner;
};

// The forwards of the VMs' slirp4netns and of the holder; of one that is just ending, none.
std::vector<ForwardThere> forwards_there(const NetRecord& net, Reader& in) {
  std::vector<ForwardThere> all;
  auto ask = [](const ProcessId& process, auto&& list) {
    try {
      if (sys::is_alive(process)) list();
    } catch (const Error& e) {
      if (e.code() != Code::unreachable) throw;
    }
  };
  auto ask_slirp = [&](const ProcessId& slirp, const std::string& socket) {
    ask(slirp, [&] {
      for (net::NumberedForward& f : net::list_forwards(socket))
        all.push_back({std::move(f), socket});
    });
  };
  ask_slirp(net.slirp, net.slirp_socket());
  for (const auto& [id, slirp] : all_ways(in.state)) {
    auto vm = in.state.find_vm_by_id(id);
    if (vm) ask_slirp(slirp, way_socket(in.dirs, in.state.tag(), *vm));
  }
  ask(net.holder, [&] {
    for (net::Forward& f : net::list_relays(net.holder_socket()))
      all.push_back({{relayed, std::move(f)}, net.holder_socket()});
  });
  return all;
}

// Those to a guest's address that is no live VM's.
std::vector<StrayForward> stray_forwards(const NetRecord& net, Reader& in) {
  std::vector<ForwardThere> all = forwards_there(net, in);
  std::map<std::string, state::State::Lease> by_address;
  for (auto& lease : in.state.leases(PrivateNet::mode))
    by_address[lease.address] = std::move(lease);
  std::vector<StrayForward> strays;
  for (const ForwardThere& there : all) {
    const net::Forward& forward = there.numbered.forward;
    auto vm = by_address.find(forward.guest);
    if (vm != by_address.end() && is_live(vm->second.state)) continue;
    strays.push_back({there, to_text(forward), vm == by_address.end() ? "" : vm->second.id});
  }
  return strays;
}

} // namespace

std::vector<Leak> find_taps(const Scene& scene, Reader& in) {
  NetRecord net = read_net(in.state);
  std::vector<Leak> found;
  for (const std::string& tap : stray_taps(in))
    found.push_back({"tap", tap, {}, net.holder_socket(), {}, {}, scene.net_lock});
  return found;
}

void remove_tap(const Leak& leak, Reader& in) {
  auto lock = sys::FileLock::take(leak.lock);
  auto strays = stray_taps(in);
  if (std::find(strays.begin(), strays.end(), leak.name) != strays.end())
    net::apply_plan(
        leak.path,
        net::leave_plan(in.state.tag(), {net::tap_number(in.state.tag(), leak.name).value()}));
}

std::vector<Leak> find_forwards(const Scene& scene, Reader& in) {
  NetRecord net = read_net(in.state);
  std::vector<Leak> found;
  for (const StrayForward& f : stray_forwards(net, in))
    found.push_back({"forward", f.name, f.owner, f.there.socket, {}, {}, scene.net_lock});
  return found;
}

void remove_forward(const Leak& leak, Reader& in) {
  auto lock = sys::FileLock::take(leak.lock);
  NetRecord net = read_net(in.state);
  for (const StrayForward& f : stray_forwards(net, in)) {
    const auto& [numbered, socket] = f.there;
    if (f.name != leak.name) continue;
    if (numbered.id == relayed)
      net::remove_relay(socket, numbered.forward);
    else
      net::remove_forward(socket, numbered.id);
  }
}

} // namespace banger::ops
