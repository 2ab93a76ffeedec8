#include "ops/net/bridge.h"

#include <vector>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "helper/client.h"
#include "net/plan.h"
#include "ops/common/places.h"
#include "ops/common/rights.h"
#include "ops/net/record.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

constexpr const char* subnet_fact = "net.bridge_subnet"; // kept while the bridge is down

// The VMs whose addresses are of another subnet.
std::vector<std::string> elsewhere(Context& ctx, const Subnet& subnet) {
  std::vector<std::string> names;
  for (const state::State::Lease& lease : ctx.state.leases(NetMode::bridge))
    if (Subnet::around(lease.address, lease.prefix) != subnet) names.push_back(lease.vm);
  return names;
}

void require_same_subnet(Context& ctx, const Subnet& subnet) {
  std::vector<std::string> others = elsewhere(ctx, subnet);
  if (others.empty()) return;
  throw conflict("cannot take the subnet {}: {} has an address of another", subnet.text(),
                 join(others, ", "))
      .hint("remove them first, or give them another network: banger vm set --net user NAME");
}

} // namespace

bool bridge_is_wanted(state::State& state) { return !read_net(state, NetMode::bridge).dir.empty(); }

std::optional<Subnet> bridge_subnet(state::State& state) {
  auto kept = state.fact(subnet_fact);
  if (!kept) return {};
  return Subnet::parse(*kept);
}

BridgeUp net_up(Context& ctx, const std::optional<Subnet>& wanted) {
  helper::Client helper(helper_command(ctx.dirs));
  auto held = sys::FileLock::take(net_lock(ctx.dirs));
  NetRecord r = read_net(ctx.state, NetMode::bridge);
  auto before = bridge_subnet(ctx.state);
  auto subnet = wanted ? wanted : before;
  if (subnet) require_same_subnet(ctx, *subnet);
  const NetRecord was = r;
  BridgeUp up;
  up.changed = r.dir.empty() || subnet != before;
  // Before it is made: where this dies, `down` and the next `up` know of it.
  r.dir = ctx.dirs.runtime + "/" + ctx.state.tag() + "/bridge";
  if (subnet) r.subnet = subnet->text();
  r.guard = 0;
  write_net(ctx.state, r, true);
  helper::Client::Up made;
  try {
    made = helper.up(ctx.state.tag(), subnet);
  } catch (const Error&) {
    write_net(ctx.state, was, true); // a wish that was refused is none
    throw;
  }
  for (const std::string& warning : made.warnings) ctx.notice(warning);
  r.subnet = made.subnet.text();
  r.guard = net::bridge_version;
  auto link = static_cast<uint64_t>(made.link);
  // It hears nothing at a bridge that was made anew; the VMs' monitors see that it has gone.
  if (r.net_id != link && r.resolver_ready) {
    sys::end_process(r.resolver, Millis(10'000));
    r.resolver_ready = false;
  }
  r.net_id = link;
  ctx.state.transaction([&] {
    ctx.state.set_fact(subnet_fact, r.subnet);
    write_net(ctx.state, r, true);
    if (up.changed) record(ctx, "", "net.up", {{"subnet", r.subnet}});
  });
  up.subnet = made.subnet;
  up.uplinks = made.uplinks;
  up.bridge = net::bridge_name(ctx.state.tag());
  return up;
}

bool net_down(Context& ctx) {
  auto held = sys::FileLock::take(net_lock(ctx.dirs));
  NetRecord r = read_net(ctx.state, NetMode::bridge);
  std::vector<std::string> names;
  for (const auto& [id, n] : r.taps) {
    auto vm = ctx.state.find_vm_by_id(id);
    if (vm && is_live(vm->state)) names.push_back(vm->name);
  }
  if (!names.empty())
    throw conflict("cannot take the network 'bridge' down: {} {} on it", join(names, ", "),
                   names.size() == 1 ? "runs" : "run")
        .hint(fmt::format("banger vm stop {}", join(names, " ")));
  if (r.dir.empty()) return false;
  helper::Client(helper_command(ctx.dirs)).down(ctx.state.tag());
  sys::end_all_in(r.dir, {r.resolver}, Millis(10'000));
  sys::remove_tree(r.dir);
  r = {};
  r.mode = NetMode::bridge;
  ctx.state.transaction([&] {
    write_net(ctx.state, r, true);
    record(ctx, "", "net.down");
  });
  return true;
}

} // namespace banger::ops
