#include "ops/net/private_net.h"

#include <algorithm>
#include <set>

#include <fcntl.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"
#include "net/holder.h"
#include "net/slirp.h"
#include "ops/common/places.h"
#include "ops/net/host_ports.h"
#include "ops/net/lease.h"
#include "sys/copy.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {

constexpr Millis time_to_die{10'000};
constexpr int holder_listener_fd = 3, holder_net_fd = 4, holder_user_fd = 5;

// Of a VM whose row is gone only the tap is known.
net::Guest guest_of(int n, const Vm& vm) { return {n, vm.mac, vm.address, vm.host_open}; }

std::string last_words(const std::string& log) {
  return escape_for_terminal(last_lines(sys::read_tail(log, 1024), 1));
}

// True: the holder forwards it; false: the VM's slirp4netns does.
bool is_relayed(const net::Forward& f) { return f.port.proto == "udp"; }

} // namespace

std::vector<net::Forward> forwards_of(const Vm& vm) {
  std::vector<net::Forward> all{{{"tcp", vm.reach, vm.ssh_port, 22}, vm.address}};
  for (const Port& p : vm.ports) all.push_back({p, vm.address});
  return all;
}

PrivateNet::PrivateNet(Context& ctx)
    : ctx_(ctx), resolver_(ctx, {mode, [this](NetRecord& r) { return name_sockets(r); },
                                 [this](const NetRecord& r) { end_strays(r); }}) {}

net::NameSockets PrivateNet::name_sockets(NetRecord& r) {
  std::string address = to_text(Subnet::parse(r.subnet).bridge());
  net::NameSockets sockets;
  with_holder(r, [&] { sockets = net::name_sockets(r.holder_socket(), address); });
  return sockets;
}

void PrivateNet::reap() {
  std::erase_if(children_, [](sys::Child& c) { return c.wait_for(Millis(0)).has_value(); });
  resolver_.reap();
}

// Every process in the network's directory is its holder, its resolver, or the slirp4netns of an
// earlier build. It may not be recorded: its starter may have died before writing it down.
void PrivateNet::end_strays(const NetRecord& r) {
  sys::end_all_in(r.dir, {r.holder, r.slirp, r.resolver}, time_to_die);
}

// The namespaces of a process that lives in the network: the holder, or a VMM.
std::optional<sys::Namespaces> PrivateNet::find_inside(const NetRecord& r) {
  std::vector<ProcessId> candidates{r.holder};
  for (const auto& [id, n] : r.taps)
    if (auto vm = ctx_.state.find_vm_by_id(id)) candidates.push_back(vm->vmm_process());
  for (const ProcessId& p : candidates) {
    if (!sys::is_alive(p)) continue;
    auto where = sys::open_namespaces(p);
    if (where && where->net_id == r.net_id) return where;
  }
  return {};
}

void PrivateNet::start_holder(NetRecord& r, bool anew,
                              const std::optional<sys::Namespaces>& where) {
  r.holder = {};
  r.holder_ready = false;
  r.guard = 0;
  if (anew) r.net_id = 0; // until the new namespace has its bridge and rules
  end_strays(r);
  Fd listener = sys::listen_unix(r.holder_socket());
  Fd log = sys::open_file(r.log(), O_WRONLY | O_CREAT | O_APPEND);
  sys::Command command{
      {ctx_.dirs.libexec + "/banger-netns", anew ? "new" : "enter"}, {}, r.dir, true};
  sys::Stdio stdio{-1, log.get(), log.get(), {{listener.get(), holder_listener_fd}}};
  if (where) {
    stdio.more.emplace_back(where->net.get(), holder_net_fd);
    if (where->user) {
      stdio.more.emplace_back(where->user.get(), holder_user_fd);
      command.argv.emplace_back("with-user");
    }
  }
  children_.push_back(sys::spawn(command, stdio));
  children_.back().leave(); // it ends with the network
  listener.reset();
  r.holder = sys::find_process(children_.back().pid()).value_or(ProcessId{});
  write_net(ctx_.state, r);
  try {
    // Its answer says that it is inside. The rules that are there may be of an older build, and let
    // traffic through that this build's do not.
    const std::string& tag = ctx_.state.tag();
    Subnet subnet = Subnet::parse(r.subnet);
    net::apply_plan(r.holder_socket(),
                    anew ? net::base_plan(tag, subnet) : net::kept_plan(tag, subnet));
    net::guard_host(r.holder_socket(), net::table_name(tag));
    r.guard = net::guard_version;
  } catch (const Error& e) {
    throw failed("cannot make the private network: {}; {}", e.message(), last_words(r.log()));
  }
  auto inside = sys::open_namespaces(r.holder);
  if (!inside) throw failed("cannot make the private network: its holder died");
  r.net_id = inside->net_id;
  add_relays_again(r);
  r.holder_ready = true;
  write_net(ctx_.state, r);
}

// Ports of UDP alone: those of TCP live and die with the VM's own slirp4netns.
void PrivateNet::add_relays_again(const NetRecord& r) {
  for (const auto& [id, n] : r.taps) {
    auto vm = ctx_.state.find_vm_by_id(id);
    if (!vm || !is_live(vm->state)) continue;
    for (const net::Forward& f : forwards_of(*vm)) {
      if (!is_relayed(f)) continue;
      try {
        net::add_relay(r.holder_socket(), f);
      } catch (const Error& e) {
        // Another VM's forward must not be lost for this one's.
        ctx_.log.warn("net.forward", e, {{"vm", std::string_view(vm->name)}});
      }
    }
  }
}

// slirp4netns writes a line for every request; only the last ones matter to its starter.
void PrivateNet::cut_log(const NetRecord& r) {
  constexpr int64_t most = int64_t{1} << 20, keep = int64_t{1} << 16;
  if (r.dir.empty()) return;
  auto info = sys::find_info(r.log());
  if (info && info->allocated > most) sys::cut_front(sys::open_file(r.log(), O_RDWR).get(), keep);
}

void PrivateNet::ensure(NetRecord& r, const std::string& subnet) {
  reap();
  cut_log(r);
  bool holder = sys::is_alive(r.holder) && r.net_id;
  // Its starter died before it was of use, or it is of a build that guarded the way out otherwise:
  // another takes its place, while the VMs run on.
  if (holder && (!r.holder_ready || r.guard < net::guard_version)) {
    sys::end_process(r.holder, time_to_die);
    if (r.guard < net::guard_version) resolver_.end(r); // it is of that build, too
    holder = false;
  }
  if (holder) return;
  if (r.dir.empty()) r.dir = ctx_.dirs.runtime + "/" + ctx_.state.tag() + "/net";
  if (r.taps.empty() || r.subnet.empty()) r.subnet = subnet;
  write_net(ctx_.state, r);
  sys::make_dirs(r.dir);
  auto where = r.net_id ? find_inside(r) : std::nullopt;
  if (!where) { // they went with the namespace: its tap, its sockets
    end_shared_way(r);
    resolver_.end(r);
  }
  start_holder(r, !where, where);
}

// A holder that does not answer gets a successor, once.
void PrivateNet::with_holder(NetRecord& r, const std::function<void()>& ask) {
  try {
    return ask();
  } catch (const Error& e) {
    if (e.code() != Code::unreachable) throw;
    ctx_.log.warn("net.holder", e);
  }
  sys::end_process(r.holder, time_to_die);
  ensure(r, r.subnet);
  ask();
}

void PrivateNet::end_shared_way(NetRecord& r) {
  if (!r.slirp) return;
  sys::end_process(r.slirp, time_to_die);
  r.slirp = {};
  r.slirp_ready = false;
}

// An earlier build gave all VMs one way out; the VMs that it started keep that while it lives.
bool PrivateNet::shares_way(const NetRecord& r, const Vm& vm, const WayOut& own) const {
  return !own.slirp && r.slirp_ready && sys::is_alive(r.slirp) && r.taps.contains(vm.id);
}

std::string PrivateNet::slirp_of(const NetRecord& r, const Vm& vm) const {
  WayOut way = find_way(ctx_.state, vm.id);
  if (way.made && sys::is_alive(way.slirp)) return way_socket(ctx_.dirs, ctx_.state.tag(), vm);
  return shares_way(r, vm, way) ? r.slirp_socket() : std::string();
}

PrivateNet::Member PrivateNet::enter(const Vm& vm, bool anew) {
  auto held = lock();
  NetRecord r = read_net(ctx_.state);
  ensure(r, Subnet::around(vm.address, vm.prefix).text());
  resolver_.find(r, anew);
  Member m;
  m.was_there = r.taps.contains(vm.id);
  if (!m.was_there) {
    r.taps[vm.id] = free_tap(ctx_.state);
    write_net(ctx_.state, r);
  }
  m.tap = r.taps[vm.id];
  m.shares = !anew && shares_way(r, vm, find_way(ctx_.state, vm.id));
  net::Guest guest = guest_of(m.tap, vm);
  guest.own_way = !m.shares;
  with_holder(r,
              [&] { net::apply_plan(r.holder_socket(), net::join_plan(ctx_.state.tag(), guest)); });
  auto where = sys::open_namespaces(r.holder);
  if (!where) throw failed("cannot make the private network: its holder died");
  m.where = std::move(*where);
  m.holder = r.holder;
  return m;
}

// slirp4netns starts without net.lock: no other VM waits for one that does not come up.
void PrivateNet::start_way_of(const Vm& vm, const Member& m) {
  children_.push_back(start_way(ctx_, vm, m.tap, m.where));
  auto held = lock();
  NetRecord r = read_net(ctx_.state);
  ensure(r, r.subnet);
  with_holder(r,
              [&] { net::apply_plan(r.holder_socket(), net::way_plan(ctx_.state.tag(), m.tap)); });
  record_way_made(ctx_, vm, m.tap);
}

void PrivateNet::bring(const Vm& vm) {
  Member m = enter(vm, false);
  if (m.shares) return;
  WayOut way = find_way(ctx_.state, vm.id);
  // A slirp4netns whose tap is not there has lost its namespace.
  if (way.made && sys::is_alive(way.slirp) &&
      sys::has_link(m.holder, net::way_name(ctx_.state.tag(), m.tap)))
    return;
  start_way_of(vm, m);
  for (const net::Forward& f : forwards_of(vm)) {
    if (is_relayed(f)) continue;
    try {
      net::add_forward(way_socket(ctx_.dirs, ctx_.state.tag(), vm), f);
    } catch (const Error& e) {
      // One port that fails must not cost the VM, or its other ports.
      ctx_.log.warn("net.forward", e, {{"vm", std::string_view(vm.name)}});
    }
  }
}

NetPlace::Attachment PrivateNet::attachment(const Vm& vm, bool) {
  NetRecord r = read_net(ctx_.state);
  auto mine = r.taps.find(vm.id);
  auto where = sys::open_namespaces(r.holder);
  if (mine == r.taps.end() || !where) throw failed("the private network went away");
  WayOut way = find_way(ctx_.state, vm.id);
  int mtu = mtu_of_way(shares_way(r, vm, way) ? r.slirp : way.slirp);
  return {vmm::TapNet{net::tap_name(ctx_.state.tag(), mine->second), mtu}, std::move(where)};
}

std::string PrivateNet::resolver(const Vm& vm) {
  return to_text(resolver_of(read_net(ctx_.state), Subnet::around(vm.address, vm.prefix)));
}

void PrivateNet::add_one(NetRecord& r, const Vm& vm, const net::Forward& f) {
  if (is_relayed(f)) return with_holder(r, [&] { net::add_relay(r.holder_socket(), f); });
  std::string slirp = slirp_of(r, vm);
  if (slirp.empty()) throw Error(Code::unreachable, "slirp4netns went away").subject(vm.name);
  net::add_forward(slirp, f);
}

void PrivateNet::drop_forwards(NetRecord& r, const Vm& vm,
                               const std::function<bool(const net::Forward&)>& which) {
  if (sys::is_alive(r.holder))
    with_holder(r, [&] {
      for (const net::Forward& f : net::list_relays(r.holder_socket()))
        if (which(f)) net::remove_relay(r.holder_socket(), f);
    });
  std::string slirp = slirp_of(r, vm);
  if (slirp.empty()) return;
  // Ports of UDP too: an earlier build forwarded them by slirp4netns.
  for (const auto& [id, f] : net::list_forwards(slirp))
    if (which(f)) net::remove_forward(slirp, id);
}

void PrivateNet::lease(std::string_view doing, const std::optional<std::string>& ip, Vm& vm) {
  lease_shared(ctx_, doing, ctx_.settings.net_subnet, ip, vm);
  vm.gateway = to_text(Subnet::around(vm.address, vm.prefix).way_out());
}

void PrivateNet::attach(Vm& vm) {
  Member m = enter(vm, true);
  start_way_of(vm, m);
  auto held = lock();
  NetRecord r = read_net(ctx_.state);
  auto is_ours = [guest = vm.address](const net::Forward& f) { return f.guest == guest; };
  if (m.was_there) drop_forwards(r, vm, is_ours);
  // Between the look and the forward's own bind another program may take a port.
  for (int tries = 1;; tries++) {
    Vm chosen = vm;
    choose_ports(chosen);
    try {
      for (const net::Forward& f : forwards_of(chosen)) add_one(r, vm, f);
    } catch (const Error& e) {
      drop_forwards(r, vm, is_ours);
      if (e.code() != Code::conflict || tries == 3) throw;
      continue;
    }
    record_ports(ctx_, vm, chosen);
    return;
  }
}

void PrivateNet::add_forward(const Vm& vm, const Port& port) {
  auto held = lock();
  NetRecord r = read_net(ctx_.state);
  if (!r.taps.contains(vm.id)) return; // it is on its way: its start reads the row
  ensure(r, r.subnet);
  add_one(r, vm, {port, vm.address});
}

void PrivateNet::remove_forward(const Vm& vm, const Port& port) {
  auto held = lock();
  NetRecord r = read_net(ctx_.state);
  if (!r.taps.contains(vm.id)) return;
  drop_forwards(r, vm, [&](const net::Forward& f) { return f == net::Forward{port, vm.address}; });
}

void PrivateNet::tear_down(NetRecord& r) {
  end_shared_way(r);
  resolver_.end(r);
  sys::end_process(r.holder, time_to_die);
  end_strays(r);
  reap();
  if (!r.dir.empty()) sys::remove_tree(r.dir);
  r = {};
  write_net(ctx_.state, r);
}

void PrivateNet::leave_locked(NetRecord& r, const Vm& vm) {
  auto mine = r.taps.find(vm.id);
  if (r.taps.empty() || (r.taps.size() == 1 && mine != r.taps.end())) return tear_down(r);
  if (mine == r.taps.end()) return;
  if (r.guard < net::guard_version) ensure(r, r.subnet);
  // A step that a dying holder does not do any more is made good by repair(), from the record.
  try {
    drop_forwards(r, vm, [&](const net::Forward& f) { return f.guest == vm.address; });
    if (sys::is_alive(r.holder))
      with_holder(r, [&] {
        net::apply_plan(r.holder_socket(),
                        net::leave_plan(ctx_.state.tag(), guest_of(mine->second, vm)));
      });
  } catch (const Error& e) {
    if (e.code() != Code::unreachable) throw;
  }
  r.taps.erase(mine);
  std::map<std::string, ProcessId> ways = all_ways(ctx_.state);
  if (std::ranges::all_of(r.taps, [&](const auto& t) { return ways.contains(t.first); }))
    end_shared_way(r);
  write_net(ctx_.state, r);
}

void PrivateNet::leave(const Vm& vm) {
  end_way(ctx_, vm);
  NetRecord seen = read_net(ctx_.state);
  if (seen.dir.empty()) return;
  // Only a VM with a tap waits for the lock. For another one the process that holds the lock leaves
  // a true record, and tidy() finds what a start that was broken off left of the network itself.
  auto held = seen.taps.contains(vm.id) ? lock() : sys::FileLock::try_take(net_lock(ctx_.dirs));
  if (!held) return;
  NetRecord r = read_net(ctx_.state);
  if (!r.dir.empty()) leave_locked(r, vm);
}

void PrivateNet::tidy() {
  auto vm_of = [&](const std::string& id) {
    auto vm = ctx_.state.find_vm_by_id(id);
    Vm gone;
    gone.id = id;
    return is_at_work(ctx_, vm) ? std::nullopt : std::optional(vm.value_or(gone));
  };
  for (const auto& [id, slirp] : all_ways(ctx_.state))
    if (auto vm = vm_of(id)) end_way(ctx_, *vm);
  if (read_net(ctx_.state).dir.empty()) return;
  auto held = sys::FileLock::try_take(net_lock(ctx_.dirs));
  if (!held) return; // another process is at work on the network
  NetRecord r = read_net(ctx_.state);
  if (!r.dir.empty() && r.taps.empty()) return tear_down(r);
  for (const auto& [id, n] : std::map(r.taps))
    if (auto vm = vm_of(id)) leave_locked(r, *vm);
  if (!r.taps.empty() && r.guard < net::guard_version) ensure(r, r.subnet);
}

void PrivateNet::repair(const Vm& vm) {
  if (read_net(ctx_.state).taps.contains(vm.id)) bring(vm);
}

std::vector<ProcessId> PrivateNet::keepers(const Vm& vm) {
  NetRecord r = read_net(ctx_.state);
  ProcessId holder, slirp;
  if (r.holder_ready) holder = r.holder;
  WayOut way = find_way(ctx_.state, vm.id);
  if (way.made) slirp = way.slirp;
  if (shares_way(r, vm, way)) slirp = r.slirp;
  if (r.resolver_known && !r.resolver) return {holder, slirp};
  return {holder, slirp, r.resolver_ready ? r.resolver : ProcessId{}};
}

} // namespace banger::ops
