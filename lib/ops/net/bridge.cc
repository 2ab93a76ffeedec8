#include "ops/net/bridge.h"

#include <algorithm>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "helper/client.h"
#include "net/plan.h"
#include "ops/common/other_subnet.h"
#include "ops/common/places.h"
#include "ops/common/rights.h"
#include "ops/net/record.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

constexpr const char* subnet_fact = "net.bridge_subnet"; // kept while the bridge is down
// The processes that it is up for, a line each; nobody's: it goes with the last VM on it. Empty: it
// is the user's.
constexpr const char* loan_fact = "net.bridge_loan";
constexpr std::string_view nobodys = "-";

std::vector<std::string> borrowers(state::State& state) {
  auto lines = state.fact(loan_fact);
  if (!lines || lines->empty()) return {};
  return split(*lines, '\n');
}

void write_loan(state::State& state, const std::string& lines) {
  if (lines != state.fact(loan_fact).value_or("")) state.set_fact(loan_fact, lines);
}

bool lives(const std::string& borrower) {
  return borrower != nobodys && sys::is_alive(parse_process(borrower));
}

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

bool bridge_is_default(state::State& state) {
  return bridge_is_wanted(state) && borrowers(state).empty();
}

bool is_loan_over(state::State& state) {
  std::vector<std::string> all = borrowers(state);
  return !all.empty() && std::ranges::none_of(all, lives);
}

std::optional<Subnet> bridge_subnet(state::State& state) {
  auto kept = state.fact(subnet_fact);
  if (!kept) return {};
  return Subnet::parse(*kept);
}

Error of_another_subnet(const std::string& address, int prefix, const Subnet& subnet) {
  return conflict("{} is no address of {}, the subnet of the network 'bridge'", address,
                  subnet.text())
      .hint(fmt::format("banger net down, and banger net up --subnet {}",
                        Subnet::around(address, prefix).text()));
}

void require_bridge_subnet(Context& ctx, const std::string& address, int prefix) {
  auto subnet = bridge_subnet(ctx.state);
  if (subnet && *subnet != Subnet::around(address, prefix))
    throw of_another_subnet(address, prefix, *subnet);
}

net::BridgeGuest guest_of(const Vm& vm, int tap) {
  return {.tap = tap,
          .address = vm.address,
          .nat = vm.nat,
          .host_open = vm.host_open,
          .ports = vm.ports};
}

helper::Client::Up make_bridge(Context& ctx, const NetRecord& record,
                               const std::optional<Subnet>& subnet, const std::string& but) {
  const std::string& tag = ctx.state.tag();
  helper::Client helper(helper_command(ctx.dirs));
  helper::Client::Up made = helper.up(tag, subnet, sys::real_path(ctx.dirs.state));
  for (const auto& [id, tap] : record.taps) {
    if (id == but || std::ranges::count(made.taps, tap) > 0) continue;
    auto vm = ctx.state.find_vm_by_id(id);
    if (!is_at_work(ctx, vm)) continue;
    try {
      helper.join(tag, guest_of(*vm, tap));
    } catch (const Error& e) {
      ctx.notice(fmt::format("VM '{}' stays cut off from the bridge: {}", vm->name, e.message()));
    }
  }
  return made;
}

namespace {

// `loan`: what is recorded of who wants it. The caller holds net.lock.
BridgeUp make_up(Context& ctx, const std::optional<Subnet>& wanted, const std::string& loan) {
  NetRecord r = read_net(ctx.state, NetMode::bridge);
  auto before = bridge_subnet(ctx.state);
  auto subnet = wanted ? wanted : before;
  if (subnet) require_same_subnet(ctx, *subnet);
  const NetRecord was = r;
  const std::string lent = ctx.state.fact(loan_fact).value_or("");
  auto write = [&](const NetRecord& record, const std::string& borrowed) {
    ctx.state.transaction([&] {
      write_loan(ctx.state, borrowed);
      write_net(ctx.state, record, true);
    });
  };
  BridgeUp up;
  up.changed = r.dir.empty() || subnet != before;
  // Before it is made: where this dies, `down` and the next `up` know of it.
  r.dir = ctx.dirs.runtime + "/" + ctx.state.tag() + "/bridge";
  if (subnet) r.subnet = subnet->text();
  r.guard = 0;
  write(r, loan);
  helper::Client::Up made;
  auto make = [&] { made = make_bridge(ctx, was, subnet); };
  try {
    try {
      make();
    } catch (const Error& e) {
      // The one of last time is somebody else's now, and no VM has an address of it.
      if (wanted || !subnet || e.code() != Code::conflict) throw;
      if (auto names = holders_of_subnet(ctx.state); !names.empty()) {
        if (e.subject() != subnet->text()) throw; // another would be refused, too
        throw conflict("{}; {} {} an address of it", e.message(), join(names, ", "),
                       names.size() == 1 ? "has" : "have")
            .subject(subnet->text())
            .hint(way_to_other_subnet(ctx.state, false));
      }
      subnet.reset();
      make();
    }
  } catch (const Error&) {
    write(was, lent); // a wish that was refused is none
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

} // namespace

BridgeUp net_up(Context& ctx, const std::optional<Subnet>& wanted) {
  auto held = sys::FileLock::take(net_lock(ctx.dirs));
  return make_up(ctx, wanted, {});
}

BridgeUp borrow_bridge(Context& ctx) {
  auto held = sys::FileLock::take(net_lock(ctx.dirs));
  if (bridge_is_default(ctx.state)) return make_up(ctx, {}, {});
  std::vector<std::string> all = borrowers(ctx.state);
  std::erase_if(all, [](const std::string& b) { return !lives(b); });
  all.push_back(identity_of(sys::this_process()));
  return make_up(ctx, {}, join(all, "\n"));
}

void give_back_bridge(Context& ctx) {
  auto held = sys::FileLock::take(net_lock(ctx.dirs));
  std::vector<std::string> all = borrowers(ctx.state);
  if (std::erase(all, identity_of(sys::this_process())) == 0) return;
  write_loan(ctx.state, all.empty() ? std::string(nobodys) : join(all, "\n"));
  NetRecord r = read_net(ctx.state, NetMode::bridge);
  if (is_loan_over(ctx.state) && r.taps.empty()) take_bridge_down(ctx, r);
}

void take_bridge_down(Context& ctx, NetRecord& r) {
  helper::Client(helper_command(ctx.dirs)).down(ctx.state.tag());
  sys::end_all_in(r.dir, {}, Millis(10'000)); // its resolver, where a VM did not leave yet
  sys::remove_tree(r.dir);
  r = {};
  r.mode = NetMode::bridge;
  ctx.state.transaction([&] {
    write_loan(ctx.state, "");
    write_net(ctx.state, r, true);
    record(ctx, "", "net.down");
  });
}

bool net_down(Context& ctx) {
  auto held = sys::FileLock::take(net_lock(ctx.dirs));
  NetRecord r = read_net(ctx.state, NetMode::bridge);
  std::vector<std::string> names;
  for (const auto& [id, n] : r.taps) {
    auto vm = ctx.state.find_vm_by_id(id);
    if (vm && is_live(vm->state)) names.push_back(vm->name);
  }
  std::ranges::sort(names); // they come by their ids
  if (!names.empty())
    throw conflict("cannot take the network 'bridge' down: {} {} on it", join(names, ", "),
                   names.size() == 1 ? "runs" : "run")
        .hint(fmt::format("banger vm stop {}", join(names, " ")));
  if (r.dir.empty()) return false;
  take_bridge_down(ctx, r);
  return true;
}

} // namespace banger::ops
