#include "ops/net/way_out.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"
#include "net/slirp.h"
#include "ops/common/places.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::ops {

namespace {

constexpr Millis start_timeout{10'000}, time_to_die{10'000};

// Where a build before had it: within the VMM's reach.
std::string former_dir(const Places& places) { return places.runtime + "/way"; }

std::string log_in(const std::string& dir) { return dir + "/log"; }

void put(Context& ctx, const Vm& vm, int tap, const ProcessId& slirp, bool made) {
  const std::string& tag = ctx.state.tag();
  ctx.state.put_host_object(
      {ObjectKind::slirp, net::way_name(tag, tap), vm.id, {}, identity_of(slirp), made},
      outlives_of_runtime(ctx.dirs.runtime));
}

// Also ends one that is not recorded: its starter may have died before writing it down.
void end_processes(const WayOut& way, const Places& places) {
  sys::end_process(way.slirp, time_to_die);
  for (const std::string& dir : {places.way, former_dir(places)}) {
    // A VMM of a build before may have put a link in its place.
    if (!sys::read_link(dir)) sys::end_all_in(dir, {}, time_to_die);
    sys::remove_tree(dir);
  }
}

} // namespace

std::string way_socket(const Dirs& dirs, const std::string& tag, const Vm& vm) {
  Places places = places_of(dirs, tag, vm);
  return (sys::exists(places.way) ? places.way : former_dir(places)) + "/" + net::slirp_socket;
}

int mtu_of_way(const ProcessId& slirp) {
  auto words = sys::find_content(fmt::format("/proc/{}/cmdline", slirp.pid));
  return net::mtu_of(split(words && sys::is_alive(slirp) ? *words : "", '\0'));
}

WayOut find_way(state::State& state, const std::string& vm) {
  WayOut way;
  for (const HostObject& o : state.host_objects_of(vm)) {
    if (o.kind != ObjectKind::slirp) continue;
    way.slirp = parse_process(o.identity);
    way.made = o.made;
  }
  return way;
}

std::map<std::string, ProcessId> all_ways(state::State& state) {
  std::map<std::string, ProcessId> ways;
  for (const HostObject& o : state.host_objects())
    if (o.kind == ObjectKind::slirp && !o.vm.empty()) ways[o.vm] = parse_process(o.identity);
  return ways;
}

sys::Child start_way(Context& ctx, const Vm& vm, int tap, const sys::Namespaces& where) {
  const std::string& tag = ctx.state.tag();
  Places places = places_of(ctx.dirs, tag, vm);
  const std::string& dir = places.way;
  end_processes(find_way(ctx.state, vm.id), places);
  sys::make_dirs(dir);
  auto [ready, theirs] = sys::socket_pair();
  Fd log = sys::open_file(log_in(dir), O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
  sys::Stdio stdio{-1, -1, log.get(), {{where.net.get(), net::slirp_net_fd}}};
  if (where.user) stdio.more.emplace_back(where.user.get(), net::slirp_user_fd);
  stdio.more.emplace_back(theirs.get(), net::slirp_ready_fd);
  sys::Child child =
      sys::spawn(net::slirp_command(net::way_name(tag, tap), Subnet::around(vm.address, vm.prefix),
                                    static_cast<bool>(where.user), dir),
                 stdio);
  theirs.reset();
  put(ctx, vm, tap, sys::find_process(child.pid()).value_or(ProcessId{}), false);
  char byte = 0;
  if (!sys::wait_readable(ready.get(), start_timeout) || ::read(ready.get(), &byte, 1) != 1)
    throw failed("cannot make the way out of '{}': slirp4netns did not start; {}", vm.name,
                 escape_for_terminal(last_lines(sys::read_tail(log_in(dir), 1024), 1)))
        .subject(vm.name);
  child.leave(); // it ends with its VM
  return child;
}

void record_way_made(Context& ctx, const Vm& vm, int tap) {
  put(ctx, vm, tap, find_way(ctx.state, vm.id).slirp, true);
}

void end_way(Context& ctx, const Vm& vm) {
  WayOut way = find_way(ctx.state, vm.id);
  end_processes(way, places_of(ctx.dirs, ctx.state.tag(), vm));
  if (way.slirp)
    ctx.state.remove_host_objects(ObjectKind::slirp, vm.id, outlives_of_runtime(ctx.dirs.runtime));
}

} // namespace banger::ops
