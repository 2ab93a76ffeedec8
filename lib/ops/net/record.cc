#include "ops/net/record.h"

#include <cstdlib>

#include "net/plan.h"
#include "ops/common/places.h"

namespace banger::ops {

namespace {

constexpr const char* place = "user"; // also the name of its objects that have no name of their own
// The resolver is of the kind holder: an earlier build would not read a record with a kind that it
// does not know. It takes the last object of that kind for the holder, so this name sorts before.
constexpr const char* resolver = "resolver";
static_assert(std::string_view(resolver) < std::string_view(place));

int number_of(const std::string& tap) { return std::atoi(tap.c_str() + tap.rfind('-') + 1); }

} // namespace

Address resolver_of(const NetRecord& r, const Subnet& subnet) {
  return r.resolver ? subnet.bridge() : subnet.resolver();
}

NetRecord read_net(state::State& state) {
  NetRecord r;
  auto record = state.net_place(place);
  if (!record) return r;
  r.dir = record->dir;
  r.subnet = record->subnet;
  for (const HostObject& o : record->objects) {
    switch (o.kind) {
    case ObjectKind::holder:
      if (o.name == resolver) {
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
    case ObjectKind::bridge:
      break; // its name follows from the tag
    case ObjectKind::dm:
      break; // no part of a network
    }
  }
  return r;
}

void write_net(state::State& state, const NetRecord& r) {
  Outlives outlives = outlives_of_runtime(r.dir);
  if (r.dir.empty()) return state.remove_net_place(place, outlives);
  const std::string& tag = state.tag();
  const bool made = r.net_id != 0;
  state::NetPlaceRecord record{place, r.dir, r.subnet, {}};
  auto add = [&](ObjectKind kind, std::string name, std::string vm, std::string identity,
                 bool whole) {
    record.objects.push_back(
        {kind, std::move(name), std::move(vm), place, std::move(identity), whole});
  };
  add(ObjectKind::netns, place, {}, made ? std::to_string(r.net_id) : "", made);
  add(ObjectKind::holder, place, {}, identity_of(r.holder), r.holder_ready);
  if (r.resolver_known)
    add(ObjectKind::holder, resolver, {}, identity_of(r.resolver), r.resolver_ready);
  add(ObjectKind::bridge, net::bridge_name(tag), {}, {}, made);
  add(ObjectKind::table, net::table_name(tag), {}, std::to_string(r.guard), made);
  if (r.slirp) {
    add(ObjectKind::slirp, place, {}, identity_of(r.slirp), r.slirp_ready);
    add(ObjectKind::tap, net::shared_way_name(tag), {}, {}, r.slirp_ready);
  }
  for (const auto& [vm, n] : r.taps) add(ObjectKind::tap, net::tap_name(tag, n), vm, {}, false);
  state.set_net_place(record, outlives);
}

} // namespace banger::ops
