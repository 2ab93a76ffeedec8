#include <algorithm>
#include <cstdio>
#include <list>
#include <optional>

#include <sys/resource.h>

#include "core/error.h"
#include "net/holder.h"
#include "net/links.h"
#include "net/relay.h"
#include "net/rule_text.h"
#include "net/rules.h"
#include "sys/datagram.h"
#include "sys/line_server.h"
#include "sys/listen.h"
#include "sys/loop.h"

namespace banger::net {

namespace {

constexpr int dns_port = 53;

// Of the descriptors that this process may have, half are for the relays' clients.
size_t room_for_clients() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw sys_error(errno, "cannot read a limit");
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) throw sys_error(errno, "cannot raise a limit");
  return static_cast<size_t>(limit.rlim_cur / 2);
}

class Server {
public:
  Server(Fd listener, HostAddresses host)
      : room_(room_for_clients()),
        server_(loop_,
                {[this](const auto& client, const std::string& line) {
                   int gives = -1;
                   std::string said = answer(line, client->came, gives);
                   if (gives < 0)
                     client->send(said);
                   else
                     client->send_with(said, gives);
                 },
                 [](const Error& e) { return error_reply(name_of(e.code()), e.message()); }}),
        host_(std::move(host)) {
    server_.listen(std::move(listener));
  }
  void run() { loop_.run(); }

private:
  // `gives`: a descriptor that goes along.
  std::string answer(const std::string& line, Fd& came, int& gives) {
    int64_t id = 0;
    try {
      HolderAsk ask = parse_holder_ask(line);
      id = ask.id;
      if (ask.verb == "drops") return drops_reply(rules_.drops(ask.table), id);
      if (ask.verb == "relays") return relays_reply(relays(), id);
      if (ask.verb == "names")
        gives = name_socket(ask);
      else
        act(ask, came);
      return error_reply({}, {}, id);
    } catch (const Error& e) {
      return error_reply(name_of(e.code()), e.message(), id);
    }
  }

  void act(const HolderAsk& ask, Fd& came) {
    if (ask.verb == "guard") return guard(ask.table);
    if (ask.verb == "relay") return begin_relay(ask.forward, std::move(came));
    if (ask.verb == "unrelay") return end_relay(ask.forward);
    if (ask.verb == "make") return make(render(ask.plan));
    if (ask.verb == "apply") return make(ask.rendered);
    throw failed("{}", unknown_verb(ask.verb));
  }

  void make(const Rendered& r) {
    for (const std::string& name : r.absent) links_.remove(name);
    for (const Link& link : r.present) links_.ensure(link);
    rules_.apply(r.rules);
  }

  void guard(const std::string& table) {
    if (guarded_.empty())
      loop_.watch(host_.fd(), [this] {
        if (host_.changed()) tell_host();
      });
    try {
      rules_.apply(names_rules(table));
    } catch (const Error& e) { // names are there all the same
      std::fprintf(stderr, "banger-netns: guests ask for names without a limit: %s\n", e.what());
    }
    guarded_ = table;
    told_.reset();
    tell_host();
  }
  void tell_host() {
    std::vector<Prefix> own = host_.read();
    if (told_ == own) return;
    rules_.apply(host_rules(guarded_, own));
    told_ = std::move(own);
  }

  // Bound here, where the address is.
  int name_socket(const HolderAsk& ask) {
    if (ask.proto != "udp" && ask.proto != "tcp")
      throw failed("the holder has no socket of '{}'", ask.proto);
    bool udp = ask.proto == "udp";
    Fd& socket = udp ? names_udp_ : names_tcp_;
    if (!socket) socket = udp ? sys::bind_udp(ask.at, dns_port) : sys::listen_tcp(ask.at, dns_port);
    return socket.get();
  }

  void begin_relay(const Forward& forward, Fd host) {
    if (!host || !sys::is_udp(host.get()))
      throw failed("cannot forward {}: no socket came along", to_text(forward));
    end_relay(forward);
    relays_.emplace_back(loop_, std::move(host), forward);
    share_room();
  }
  void end_relay(const Forward& forward) {
    relays_.remove_if([&](const Relay& r) { return r.forward() == forward; });
    share_room();
  }
  // None has so many clients that another could have none.
  void share_room() {
    for (Relay& r : relays_)
      r.limit_clients(std::clamp(room_ / relays_.size(), size_t{1}, Relay::Limits{}.clients));
  }
  std::vector<Forward> relays() const {
    std::vector<Forward> all;
    for (const Relay& r : relays_) all.push_back(r.forward());
    return all;
  }

  size_t room_; // for the clients of all relays
  sys::Loop loop_;
  sys::LineServer server_;
  std::list<Relay> relays_;
  Links links_;
  Rules rules_;
  HostAddresses host_;
  Fd names_udp_, names_tcp_;
  std::string guarded_;                     // the table; empty: none yet
  std::optional<std::vector<Prefix>> told_; // what its set holds
};

} // namespace

void serve_holder(Fd listener, HostAddresses host) {
  Server(std::move(listener), std::move(host)).run();
}

} // namespace banger::net
