#include "ops/net/resolver_keeper.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "model/message.h"
#include "ops/net/resolver.h"
#include "sys/file.h"
#include "sys/lines.h"
#include "sys/proc.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {

constexpr Millis time_to_begin{5'000}, time_to_die{10'000};

// A resolver as a child of this process. Its working directory is the network's, and its error
// output goes to `log`.
struct StartedResolver {
  sys::Child child;
  Fd talk;
};

StartedResolver start_resolver(Context& ctx, NetMode mode, const NetRecord& r,
                               const net::NameSockets& sockets, const Fd& changes, int log) {
  auto [talk, theirs] = sys::socket_pair();
  sys::Command command{{ctx.dirs.libexec + "/banger-resolver", r.subnet}, {}, r.dir, true};
  sys::Stdio stdio{theirs.get(),
                   log,
                   log,
                   {{sockets.udp.get(), resolver_udp_fd}, {sockets.tcp.get(), resolver_tcp_fd}}};
  if (changes) stdio.more.emplace_back(changes.get(), resolver_changes_fd);
  sys::Child child = sys::spawn(command, stdio);
  ResolverRequest request{
      r.subnet, mode, ctx.log.op(), std::string(name_of(ctx.log.level())), ctx.dirs, ctx.settings};
  if (changes) {
    request.mends = ctx.state.tag();
    request.link = static_cast<int>(r.net_id);
  }
  sys::send_all(talk.get(), to_line(request));
  return {std::move(child), std::move(talk)};
}

// Waits until it answers. Throws the Error that kept it from that.
void await_resolver(const StartedResolver& started) {
  auto line = sys::LineReader(started.talk.get()).next(time_to_begin);
  if (!line) throw failed("banger-resolver did not begin to answer");
  Json answer = parse_message(*line);
  if (answer.contains("error")) throw told_error(answer["error"], "banger-resolver gave no reason");
}

} // namespace

void ResolverKeeper::reap() {
  std::erase_if(children_, [](sys::Child& c) { return c.wait_for(Millis(0)).has_value(); });
}

// Without it names are answered all the same.
Fd ResolverKeeper::find_changes() {
  if (!network_.changes) return {};
  try {
    return network_.changes();
  } catch (const Error& e) {
    ctx_.log.warn("net.hears_no_changes", e);
    return {};
  }
}

// The resolver has its sockets for as long as it lives, even if the holder that made them dies.
// Once it has gone, a new holder makes new sockets.
void ResolverKeeper::ensure(NetRecord& r) {
  if (r.resolver_ready && sys::is_alive(r.resolver)) return;
  end(r);
  network_.end_strays(r);
  write_net(ctx_.state, r);
  net::NameSockets sockets = network_.sockets(r);
  Fd log = sys::open_file(r.log(), O_WRONLY | O_CREAT | O_APPEND);
  StartedResolver started =
      start_resolver(ctx_, network_.mode, r, sockets, find_changes(), log.get());
  r.resolver = sys::find_process(started.child.pid()).value_or(ProcessId{});
  r.resolver_known = true;
  write_net(ctx_.state, r);
  await_resolver(started);
  started.child.leave(); // it ends with the network
  children_.push_back(std::move(started.child));
  r.resolver_ready = true;
  write_net(ctx_.state, r);
}

void ResolverKeeper::end(NetRecord& r) {
  sys::end_process(r.resolver, time_to_die);
  r.resolver_ready = false;
}

// A resolver that guests were told of is needed.
void ResolverKeeper::find(NetRecord& r, bool may_do_without) {
  bool needed = r.resolver_known ? static_cast<bool>(r.resolver) : !r.taps.empty();
  if (!needed && !may_do_without) return;
  try {
    ensure(r);
  } catch (const Error& e) {
    if (!may_do_without) throw;
    ctx_.log.warn("net.resolver", e);
    if (needed) return;
    end(r);
    r.resolver = {};
    r.resolver_known = true;
    write_net(ctx_.state, r);
  }
}

} // namespace banger::ops
