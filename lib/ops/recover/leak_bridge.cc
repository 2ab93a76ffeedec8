#include <algorithm>
#include <cerrno>
#include <set>

#include <net/if.h>

#include "core/error.h"
#include "helper/client.h"
#include "net/bridge_registry.h"
#include "net/plan.h"
#include "ops/common/rights.h"
#include "ops/net/bridge.h"
#include "ops/net/record.h"
#include "ops/recover/leak_kinds.h"
#include "sys/file.h"
#include "sys/lock.h"

namespace banger::ops {

namespace {

constexpr std::string_view no_state = "0000";

using Object = net::BridgeTraces::Object;

// The names of links are everybody's to read.
std::vector<Object> links_by_name(const std::string& tag) {
  std::vector<Object> found;
  struct if_nameindex* all = ::if_nameindex();
  for (auto* link = all; link && link->if_name; link++) {
    if (link->if_name == net::bridge_name(tag)) found.push_back({"bridge", link->if_name});
    if (net::tap_number(tag, link->if_name)) found.push_back({"tap", link->if_name});
  }
  if (all) ::if_freenameindex(all);
  return found;
}

// Whether the host has a record of any bridge, as far as this user may look: the directory may be
// root's runtime directory, too, and closed to others.
bool has_records() {
  try {
    return net::has_bridge_records();
  } catch (const Error& e) {
    if (e.error_number() == EACCES) return false;
    throw;
  }
}

std::set<std::string> known_taps(Reader& in) {
  std::set<std::string> names;
  for (const auto& [vm, n] : read_net(in.state, NetMode::bridge).taps)
    names.insert(net::tap_name(in.state.tag(), n));
  return names;
}

// Of a bridge that the state wants, all is accounted for that its next start makes anew or needs.
bool is_stray(const Object& o, bool wanted, bool has_record, const std::set<std::string>& taps) {
  if (!wanted) return true;
  if (o.object == "tap") return !taps.contains(o.name);
  return o.object == "rule" && has_record && !o.known;
}

// Whether a state that had this bridge made is still there.
bool is_of_a_state(const net::BridgeTraces::Owned& bridge) {
  if (bridge.state.empty() || !sys::exists(bridge.state + "/state.db")) return bridge.state.empty();
  Dirs dirs;
  dirs.state = bridge.state;
  try {
    return state::State::open(dirs, state::Mode::read).tag() == bridge.tag;
  } catch (const Error&) {
    return true; // it may be of another build
  }
}

// Of whom to speak where there is no state: the helper wants a tag.
std::string tag_of(Reader& in) {
  return in.state.tag().empty() ? std::string(no_state) : in.state.tag();
}

helper::Client helper(Reader& in) { return helper::Client(helper_command(in.dirs)); }

} // namespace

void look_at_bridge(Scene& scene, Reader& in) {
  const bool has_state = !in.state.tag().empty();
  const std::string tag = tag_of(in);
  if (has_state) scene.bridge.objects = links_by_name(tag);
  // Who never had a bridge is not asked for a password of sudo's, nor told about its rules.
  bool had_one = has_state && (bridge_subnet(in.state) || bridge_is_wanted(in.state));
  if (!had_one && scene.bridge.objects.empty() && !has_records()) return;
  try {
    scene.bridge = helper(in).find_traces(tag);
  } catch (const Error& e) {
    if (e.code() == Code::conflict) { // another user's bridge has the tag
      scene.bridge = {};
      return;
    }
    if (e.code() != Code::preflight && e.code() != Code::failed) throw;
    scene.unseen = fmt::format("of the network 'bridge' only links were looked at, not rules and "
                               "records: {}",
                               e.message());
    scene.mend = e.hint();
  }
}

std::vector<Leak> find_bridge(const Scene& scene, Reader& in) {
  bool wanted = bridge_is_wanted(in.state);
  std::set<std::string> taps = known_taps(in);
  const auto& objects = scene.bridge.objects;
  bool has_record =
      std::ranges::any_of(objects, [](const Object& o) { return o.object == "record"; });
  std::vector<Leak> found;
  for (const Object& o : objects)
    if (is_stray(o, wanted, has_record, taps)) found.push_back({o.object, o.name, {}, {}, {}, {}});
  return found;
}

void remove_of_bridge(const Leak& leak, Reader& in) {
  auto lock = sys::FileLock::take(net_lock(in.dirs));
  const std::string& tag = in.state.tag();
  if (!bridge_is_wanted(in.state))
    helper(in).down(tag);
  else if (auto tap = net::tap_number(tag, leak.name); tap && !known_taps(in).contains(leak.name))
    helper(in).leave(tag, {*tap});
  helper(in).sweep(tag);
}

std::vector<Leak> find_bridges_of_none(const Scene& scene, Reader& in) {
  std::vector<Leak> found;
  for (const net::BridgeTraces::Owned& b : scene.bridge.bridges)
    if (b.tag != in.state.tag() && !is_of_a_state(b))
      found.push_back({"record", net::bridge_record(b.tag), {}, {}, {}, {}, {}, 0, 0, b.tag});
  return found;
}

void remove_bridge_of_none(const Leak& leak, Reader& in) {
  for (const net::BridgeTraces::Owned& b : helper(in).find_traces(tag_of(in)).bridges) {
    if (b.tag != leak.identity || is_of_a_state(b)) continue;
    helper(in).down(b.tag);
    helper(in).sweep(b.tag);
  }
}

} // namespace banger::ops
