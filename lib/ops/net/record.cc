#include "ops/net/record.h"

#include <cstdlib>
#include <functional>
#include <set>

#include <fmt/format.h>

#include "net/plan.h"
#include "ops/common/places.h"
#include "sys/lock.h"

namespace banger::ops {

namespace {

// The private network's; also the name of its objects that have no name of their own.
constexpr const char* place = "user";
// The resolver is of the kind holder: an earlier build would not read a record with a kind that it
// does not know. It takes the last object of that kind for the holder, so this name sorts before.
constexpr const char* resolver = "resolver";
static_assert(std::string_view(resolver) < std::string_view(place));

// The name of an object that is not told by a VM's tap. Both networks of a state may have one of
// that name, in namespaces of their own; in the state it is another's then.
std::string object_name(NetMode mode, const std::string& name) {
  return mode == NetMode::user ? name : fmt::format("{}:{}", name_of(mode), name);
}

int number_of(const std::string& tap) { return std::atoi(tap.c_str() + tap.rfind('-') + 1); }

} // namespace

Address resolver_of(const NetRecord& r, const Subnet& subnet) {
  return r.resolver ? subnet.bridge() : subnet.resolver();
}

bool is_at_work(const Context& ctx, const std::optional<Vm>& vm) {
  return vm && (is_live(vm->state) ||
                sys::FileLock::is_held(places_of(ctx.dirs, ctx.state.tag(), *vm).run_lock));
}

int free_tap(state::State& state) {
  std::set<int> used;
  for (NetMode mode : shared_networks)
    for (const auto& [id, n] : read_net(state, mode).taps) used.insert(n);
  int n = 1;
  while (used.contains(n)) n++;
  return n;
}

NetRecord read_net(state::State& state, NetMode mode) {
  NetRecord r;
  r.mode = mode;
  auto record = state.net_place(std::string(name_of(mode)));
  if (!record) return r;
  r.dir = record->dir;
  r.subnet = record->subnet;
  for (const HostObject& o : record->objects) {
    switch (o.kind) {
    case ObjectKind::holder:
      if (o.name == object_name(mode, resolver)) {
        r.resolver_known = true;
        r.resolver = parse_process(o.identity);
        r.resolver_ready = o.made;
        break;
      }
      r.holder = parse_process(o.identity);
      r.holder_ready = o.made;
      break;
    case ObjectKind::slirp:
      r.slirp = parse_process(o.identity);
      r.slirp_ready = o.made;
      break;
    case ObjectKind::netns:
      r.net_id = std::strtoull(o.identity.c_str(), nullptr, 10);
      break;
    case ObjectKind::tap:
      if (!o.vm.empty()) r.taps[o.vm] = number_of(o.name); // else the uplink
      break;
    case ObjectKind::table:
      r.guard = std::atoi(o.identity.c_str());
      break;
    case ObjectKind::bridge: // its name follows from the tag
      if (mode == NetMode::bridge) r.net_id = std::strtoull(o.identity.c_str(), nullptr, 10);
      break;
    case ObjectKind::dm:
      break; // no part of a network
    }
  }
  return r;
}

namespace {

using Add = std::function<void(ObjectKind kind, std::string name, std::string vm,
                               std::string identity, bool whole)>;

void add_private(const NetRecord& r, const std::string& tag, bool made, const Add& add) {
  add(ObjectKind::netns, place, {}, made ? std::to_string(r.net_id) : "", made);
  add(ObjectKind::holder, place, {}, identity_of(r.holder), r.holder_ready);
  if (!r.slirp) return;
  add(ObjectKind::slirp, place, {}, identity_of(r.slirp), r.slirp_ready);
  add(ObjectKind::tap, net::shared_way_name(tag), {}, {}, r.slirp_ready);
}

} // namespace

void write_net(state::State& state, const NetRecord& r, bool lasting) {
  const std::string name(name_of(r.mode));
  Outlives outlives = lasting ? Outlives::power_cut : outlives_of_runtime(r.dir);
  if (r.dir.empty()) return state.remove_net_place(name, outlives);
  const std::string& tag = state.tag();
  const bool is_private = r.mode == NetMode::user, made = is_private ? r.net_id != 0 : r.guard != 0;
  state::NetPlaceRecord record{name, r.dir, r.subnet, {}};
  auto add = [&](ObjectKind kind, std::string object, std::string vm, std::string identity,
                 bool whole) {
    record.objects.push_back(
        {kind, std::move(object), std::move(vm), name, std::move(identity), whole});
  };
  if (is_private) add_private(r, tag, made, add);
  if (r.resolver_known)
    add(ObjectKind::holder, object_name(r.mode, resolver), {}, identity_of(r.resolver),
        r.resolver_ready);
  add(ObjectKind::bridge, object_name(r.mode, net::bridge_name(tag)), {},
      is_private || !r.net_id ? "" : std::to_string(r.net_id), made);
  add(ObjectKind::table, object_name(r.mode, net::table_name(tag)), {}, std::to_string(r.guard),
      made);
  for (const auto& [vm, n] : r.taps) add(ObjectKind::tap, net::tap_name(tag, n), vm, {}, false);
  state.set_net_place(record, outlives);
}

} // namespace banger::ops
