#include "ops/dns/guests.h"

#include "core/error.h"
#include "dns/host_servers.h"
#include "dns/relay.h"
#include "dns/server.h"
#include "model/message.h"
#include "ops/dns/names.h"
#include "ops/net/bridge_mender.h"
#include "sys/lines.h"
#include "sys/loop.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {

class Resolver {
public:
  Resolver(const ResolverRequest& request, Log& log, Fd udp, Fd tcp)
      : names_(request.settings, request.dirs, log,
               Names::Network{request.mode, Subnet::parse(request.subnet)}),
        relay_(loop_, [this] { return servers_.now(); }),
        server_(
            loop_,
            [this] {
              const dns::Answers* now = names_.now();
              return now ? now : names_.unsure();
            },
            [&log](const Error& e) { log.warn("resolver.no_connection", e); }) {
    server_.relay_by(
        [this](const dns::Server::Asker& asker, std::string_view packet, dns::Server::Give give) {
          return relay_.ask(asker.address, packet, asker.by_tcp, std::move(give));
        });
    server_.add_udp(std::move(udp));
    server_.add_tcp(std::move(tcp));
    loop_.watch(names_.deaths(), [this] { names_.on_death(); });
    if (!request.mends.empty())
      mender_.emplace(loop_, log, request.dirs, request.mends, request.link,
                      Fd(resolver_changes_fd));
  }
  void run() { loop_.run(); }

private:
  sys::Loop loop_;
  Names names_;
  dns::HostServers servers_;
  dns::Relay relay_;
  dns::Server server_; // after the names and the relay that it asks
  std::optional<BridgeMender> mender_;
};

} // namespace

void serve_guests(Fd talk, Fd udp, Fd tcp) {
  try {
    auto line = sys::LineReader(talk.get()).next(Millis(10'000));
    if (!line) throw usage("no request on standard input");
    ResolverRequest request = parse_resolver_request(*line);
    Log log(request.dirs.log_file(), parse_level(request.log_level), request.op);
    Resolver resolver(request, log, std::move(udp), std::move(tcp));
    sys::send_all(talk.get(), message_line({{"v", message_version}}));
    talk.reset();
    resolver.run();
  } catch (const Error& e) {
    if (talk)
      sys::send_all(
          talk.get(),
          message_line({{"v", message_version},
                        {"error", {{"code", name_of(e.code())}, {"message", e.message()}}}}));
    throw;
  }
}

} // namespace banger::ops
