#include "ops/query/probe.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "guest/boot/protocol.h"
#include "helper/client.h"
#include "model/zone.h"
#include "net/plan.h"
#include "net/sysctl.h"
#include "ops/common/rights.h"
#include "ops/net/nature.h"
#include "ops/query/net_status.h"
#include "ops/query/probe_ask.h"
#include "ops/query/probe_guest.h"
#include "ops/query/probe_verdict.h"
#include "ops/ssh/session.h"
#include "ops/ssh/target.h"

namespace banger::ops {

namespace {

using Outcome = ProbeTry::Outcome;

constexpr int dns_port = 53, ssh_port = 22;
constexpr Millis guest_time{60'000};

class Prober {
public:
  Prober(Reader& in, SshTarget target, const std::optional<Outside>& to)
      : in_(in), target_(std::move(target)), vm_(target_.vm), nature_(nature_of(vm_.net_mode)),
        wish_(to), ask_(vm_) {}

  Probe run() {
    before_ = net_status(in_);
    lease_ = find_lease(before_);
    choose_outside();
    auto watching = outside_ ? watch({"tcp", to_text(outside_->address), outside_->port}) : nullptr;
    auto look = ask_guest();
    std::optional<net::FlowSeen> seen = end(watching.get());
    Finding way{Barrier::guest, {}, silence_, {}};
    if (reached_ != Heard::yes) {
      way = inward(vm_.reach, vm_.ssh_port, ssh_port);
      // What kept this host from it was made good meanwhile.
      if (reached_ == Heard::yes) look = ask_guest();
    } else if (!look) {
      way = scene().lost.value_or(way);
    }
    if (!look) {
      add_silent_guest(way);
    } else {
      probe_.tries.push_back(
          {.test = "guest", .outcome = Outcome::ok, .to = ssh_way(), .found = "it answers"});
      for (ProbeTry& t : judge_guest(vm_.address, vm_.gateway, *look))
        probe_.tries.push_back(std::move(t));
      add_outside(*look, seen);
      add_names(*look);
      for (const Port& p : vm_.ports) add_port(*look, p);
    }
    probe_.vm = vm_;
    return std::move(probe_);
  }

private:
  std::optional<NetStatus::Lease> find_lease(const NetStatus& s) const {
    for (const NetStatus::Lease& l : s.leases)
      if (l.vm.id == vm_.id) return l;
    return {};
  }

  std::string ssh_way() const { return fmt::format("{}:{}/tcp", vm_.reach, vm_.ssh_port); }

  void add(const char* test, const std::string& to, const Finding& f) {
    probe_.tries.push_back({test, Outcome::lost, to, f.by, f.at, f.found, f.fix});
  }
  void skip(const char* test, const std::string& to, const std::string& why) {
    probe_.tries.push_back({.test = test, .outcome = Outcome::skipped, .to = to, .found = why});
  }

  // Packets are watched where the helper can, and may be asked.
  std::unique_ptr<helper::Watching> watch(const Port& to) {
    if (!before_.host || !nature_.is_host || !lease_) return nullptr;
    auto tap = net::tap_number(in_.state.tag(), lease_->tap);
    if (!tap) return nullptr;
    try {
      return std::make_unique<helper::Watching>(
          helper::Client(helper_command(in_.dirs)).watch(in_.state.tag(), *tap, to));
    } catch (const Error& e) {
      blind_ = e.message();
      return nullptr;
    }
  }

  // The helper ends by itself after a minute.
  std::optional<net::FlowSeen> end(helper::Watching* watching) {
    if (!watching) return {};
    try {
      return watching->end();
    } catch (const Error& e) {
      blind_ = e.message();
      return {};
    }
  }

  std::optional<GuestLook> run_in_guest(const GuestQuestions& ask) {
    guest::CommandRequest request{target_.endpoint, guest_script(ask), Seconds(guest_time).count()};
    std::string printed = ask_.run({{in_.dirs.libexec + "/banger-guest", "run"}, {}, {}, false},
                                   guest::to_line(request) + "\n");
    try {
      GuestLook look =
          parse_guest_look(guest::parse_command_reply(split(printed, '\n').front()).output);
      if (look.whole) return look;
      silence_ = "its shell does not do what it is asked";
    } catch (const Error& e) {
      silence_ = e.message();
    }
    return {};
  }

  std::optional<GuestLook> ask_guest() {
    // Who does not even take up a connection is not asked for a minute.
    reached_ = ask_.connect(vm_.reach, vm_.ssh_port);
    if (reached_ != Heard::yes) return {};
    GuestQuestions ask{.mac = vm_.mac, .address = vm_.address, .to = outside_};
    if (nature_.shared) ask.name = full_name(vm_.name, in_.settings.dns_zone);
    for (const Port& p : vm_.ports)
      if (p.proto == "tcp") ask.ports.push_back(p.guest);
    return run_in_guest(ask);
  }

  ProbeScene scene(std::optional<net::FlowSeen> seen = {}) {
    ProbeScene s{.vm = vm_.name,
                 .table = net::table_name(in_.state.tag()),
                 .nat = vm_.nat || !nature_.is_host,
                 .host_open = vm_.host_open,
                 .no_way_out = nature_.way_out_by_setting && !(vm_.run && vm_.run->outbound_open),
                 .blind = blind_,
                 .seen = std::move(seen)};
    NetStatus now = net_status(in_);
    auto lease = find_lease(now);
    s.way_lost = nature_.is_private && (!now.up || !lease || !lease->slirp);
    if (lease && lease_)
      for (const auto& [reason, packets] : lease->dropped)
        s.dropped[reason] = packets - std::min(packets, lease_->dropped[reason]);
    if (nature_.is_private) s.resolver_lost = !now.resolver_process;
    if (nature_.is_host && now.host) {
      s.bridge = now.host->bridge;
      s.bridge_forwards = net::is_forwarding(s.bridge);
      s.uplinks = now.host->uplinks;
      for (const std::string& link : s.uplinks)
        if (!net::is_forwarding(link)) s.closed.push_back(link);
      s.resolver_lost = !now.host->resolver;
      if (s.blind.empty()) s.blind = now.host->blind;
      // What was lost when it was tried may have been made good since.
      for (const auto* host : {&before_.host, &now.host})
        for (const auto& f : *host ? (*host)->faults : std::vector<NetStatus::HostNet::Fault>())
          if (!s.lost && !f.outward && (f.vm.empty() || f.vm == vm_.name))
            s.lost = Finding{Barrier::routing, s.bridge, f.text, f.mend};
    }
    return s;
  }

  // The first of them that this host itself reaches.
  void choose_outside() {
    std::vector<Endpoint> all;
    try {
      if (wish_)
        all.push_back({find_address(wish_->host), wish_->port});
      else
        all = likely_outside();
    } catch (const Error& e) {
      nowhere_ = e.message();
    }
    for (Heard good : {Heard::yes, Heard::no})
      for (const Endpoint& e : all) {
        if (!tried_.contains(to_text(e)))
          tried_[to_text(e)] = ask_.connect(to_text(e.address), e.port);
        if (tried_[to_text(e)] != good) continue;
        outside_ = e;
        host_heard_ = good;
        return;
      }
  }

  void add_outside(const GuestLook& look, const std::optional<net::FlowSeen>& seen) {
    if (!nowhere_.empty())
      return add("outside", to_text(*wish_) + "/tcp", {Barrier::outside, {}, nowhere_, {}});
    if (!outside_) {
      if (tried_.empty())
        return skip("outside", {}, "this host knows of no address outside: --to HOST:PORT");
      std::vector<std::string> names;
      bool routed = false;
      for (const auto& [name, how] : tried_) {
        names.push_back(name);
        routed = routed || how != Heard::fault;
      }
      return add("outside", join(names, ", "),
                 {routed ? Barrier::outside : Barrier::routing,
                  {},
                  routed ? "this host does not get there itself" : "this host has no route there",
                  {}});
    }
    std::string to = to_text(*outside_) + "/tcp";
    if (wish_ && wish_->host != to_text(outside_->address))
      to = fmt::format("{}/tcp ({})", to_text(*wish_), to_text(outside_->address));
    // A firewall may refuse as the other end does: only what this host hears, too, is an answer.
    bool answered = look.outside == host_heard_ && (look.outside == Heard::yes || !seen ||
                                                    (seen->drops.empty() && seen->back.to_tap > 0));
    if (answered)
      probe_.tries.push_back({.test = "outside",
                              .outcome = Outcome::ok,
                              .to = to,
                              .found = host_heard_ == Heard::yes ? "it answers" : "it refuses"});
    else
      add("outside", to, judge_outward(scene(seen), look));
  }

  void add_names(const GuestLook& look) {
    if (nature_.way_out_by_setting && scene().no_way_out)
      return skip("names", {}, "its network has no way out");
    if (look.servers.empty())
      return add("names", {},
                 {Barrier::guest, "/etc/resolv.conf", "the guest knows of no name server", {}});
    const std::string& server = look.servers.front();
    std::string to = fmt::format("{}:{}/udp", server, dns_port);
    const std::string own =
        nature_.is_host ? before_.host ? before_.host->gateway : "" : before_.resolver;
    bool is_own = server == own || !nature_.shared;
    if (look.name == Heard::yes)
      probe_.tries.push_back(
          {.test = "name", .outcome = Outcome::ok, .to = to, .found = "its own name"});
    else if (look.name == Heard::no_tool)
      return skip("names", to, "the guest has no program to ask with: neither nslookup nor bash");
    else if (!is_own)
      skip("name", to, fmt::format("it asks {}, and not this network's resolver, {}", server, own));
    else if (look.name == Heard::no)
      add("name", to, {Barrier::unknown, {}, "the resolver does not know the VM's own name", {}});
    else if (look.name != Heard::nothing)
      add("name", to, names_finding(server));
    if (look.names == Heard::yes || look.names == Heard::no)
      probe_.tries.push_back(
          {.test = "names", .outcome = Outcome::ok, .to = to, .found = "those of the outside"});
    else if (look.name == Heard::yes || !nature_.shared)
      add("names", to, {Barrier::outside, {}, "this host's name servers give no answer", {}});
    else if (!is_own)
      add("names", to, {Barrier::unknown, {}, fmt::format("{} gives no answer", server), {}});
  }

  // Asked once more, with an eye on the packets.
  Finding names_finding(const std::string& server) {
    auto watching = watch({"udp", server, dns_port});
    if (!watching) return judge_names(scene(), server);
    run_in_guest({.mac = vm_.mac, .address = vm_.address, .names = true});
    return judge_names(scene(end(watching.get())), server);
  }

  void add_port(const GuestLook& look, const Port& p) {
    std::string to = fmt::format("{}:{}/{}", p.host_address, p.host, p.proto);
    bool there = std::ranges::any_of(before_.forwards, [&](const NetStatus::LivePort& f) {
      return f.port == p && f.guest == vm_.address;
    });
    if (!there)
      return add("port", to,
                 {Barrier::process,
                  {},
                  "the host's port does not lead to the guest now",
                  fmt::format("banger vm restart {}", vm_.name)});
    if (p.proto == "udp")
      return skip("port", to,
                  "ports of UDP are not probed: only a program of the guest's could tell");
    bool listens = false, loopback = true;
    for (const GuestLook::Listener& l : look.listeners)
      if (l.port == p.guest) listens = true, loopback = loopback && l.loopback;
    if (!listens || loopback)
      return add("port", to,
                 {Barrier::guest, fmt::format("port {}", p.guest),
                  listens ? "the guest's program listens at the guest's loopback alone"
                          : "no program of the guest listens there",
                  listens ? "have it listen at 0.0.0.0" : ""});
    std::string at = p.host_address == "0.0.0.0" ? "127.0.0.1" : p.host_address;
    if (ask_.connect(at, p.host) == Heard::yes)
      return probe_.tries.push_back(
          {.test = "port",
           .outcome = Outcome::ok,
           .to = to,
           .found = fmt::format("it leads to the guest's port {}", p.guest)});
    add("port", to, inward(at, p.host, p.guest));
  }

  // This host tries once more, with an eye on the packets.
  Finding inward(const std::string& address, int port, int guest_port) {
    auto watching = watch({"tcp", vm_.address, guest_port});
    if (!watching) return judge_inward(scene());
    reached_ = ask_.connect(address, port);
    return judge_inward(scene(end(watching.get())));
  }

  void add_silent_guest(Finding f) {
    if (reached_ == Heard::no && f.by == Barrier::guest)
      f.found = "no ssh server runs in the guest";
    if (f.fix.empty()) f.fix = fmt::format("banger vm console {}", vm_.name);
    add("guest", ssh_way(), f);
    skip("outside", {}, "the guest cannot be asked");
  }

  Reader& in_;
  SshTarget target_;
  const Vm& vm_;
  const NetNature& nature_;
  std::optional<Outside> wish_;
  ProbeAsk ask_;
  Heard reached_ = Heard::nothing; // the last of the guest's ports, by this host
  std::optional<Endpoint> outside_;
  std::string nowhere_;                // why the wish has no address
  std::map<std::string, Heard> tried_; // by this host
  Heard host_heard_ = Heard::nothing;
  NetStatus before_;
  std::optional<NetStatus::Lease> lease_;
  std::string blind_, silence_;
  Probe probe_;
};

} // namespace

bool Probe::arrives() const {
  return std::ranges::none_of(tries, [](const ProbeTry& t) { return t.outcome == Outcome::lost; });
}

Probe probe_vm(Reader& in, const std::string& ref, const std::optional<Outside>& to) {
  return Prober(in, find_ssh_target(in, ref), to).run();
}

} // namespace banger::ops
