#include "ops/net/resolver.h"

#include "core/error.h"
#include "model/message.h"
#include "model/settings_json.h"
#include "sys/lines.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {

constexpr Millis time_to_begin{5'000};

} // namespace

std::string to_line(const ResolverRequest& r) {
  return message_line({{"v", message_version},
                       {"subnet", r.subnet},
                       {"mode", name_of(r.mode)},
                       {"op", r.op},
                       {"log_level", r.log_level},
                       {"state_dir", r.dirs.state},
                       {"runtime_root", r.dirs.runtime},
                       {"settings", to_json(r.settings)}});
}

ResolverRequest parse_resolver_request(std::string_view line) {
  return read_message(line, [](const Json& j) {
    ResolverRequest r;
    r.subnet = j.value("subnet", "");
    r.mode = parse_net_mode(j.value("mode", ""));
    r.op = j.value("op", "");
    r.log_level = j.value("log_level", "info");
    r.dirs.state = j.value("state_dir", "");
    r.dirs.runtime = j.value("runtime_root", "");
    r.settings = settings_of(j.value("settings", Json::object()));
    return r;
  });
}

StartedResolver start_resolver(Context& ctx, NetMode mode, const std::string& subnet,
                               const net::NameSockets& sockets, const std::string& dir, int log) {
  auto [talk, theirs] = sys::socket_pair();
  sys::Command command{{ctx.dirs.libexec + "/banger-resolver", subnet}, {}, dir, true};
  sys::Stdio stdio{theirs.get(),
                   log,
                   log,
                   {{sockets.udp.get(), resolver_udp_fd}, {sockets.tcp.get(), resolver_tcp_fd}}};
  sys::Child child = sys::spawn(command, stdio);
  ResolverRequest request{
      subnet, mode, ctx.log.op(), std::string(name_of(ctx.log.level())), ctx.dirs, ctx.settings};
  sys::send_all(talk.get(), to_line(request));
  return {std::move(child), std::move(talk)};
}

void await_resolver(const StartedResolver& started) {
  auto line = sys::LineReader(started.talk.get()).next(time_to_begin);
  if (!line) throw failed("banger-resolver did not begin to answer");
  Json answer = parse_message(*line);
  if (answer.contains("error")) throw told_error(answer["error"], "banger-resolver gave no reason");
}

} // namespace banger::ops
