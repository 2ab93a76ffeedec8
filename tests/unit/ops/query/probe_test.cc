#include <gtest/gtest.h>

#include "ops/query/probe_guest.h"
#include "ops/query/probe_verdict.h"
#include "sys/inet.h"
#include "sys/listen.h"
#include "sys/process.h"

namespace banger::ops {
namespace {

TEST(Probe, WhatAGuestTellsIsRead) {
  GuestLook look = parse_guest_look("link eth0 1\naddressed\nroute 0145400A\nserver 10.64.69.1\n"
                                    "listen 00000000:0050\nlisten 0100007F:1F90\n"
                                    "listen 00000000000000000000000001000000:0016\n"
                                    "listen 0000000000000000FFFF00000100007F:0017\n"
                                    "listen 00000000000000000000000000000000:0018\n"
                                    "outside nc 1 nc: can't connect to remote host (192.0.2.2): "
                                    "Connection refused\nname nslookup 0 Server: x\n"
                                    "names nslookup 1 ** server can't find .: SERVFAIL\nwhole\n");
  EXPECT_EQ("eth0", look.link);
  EXPECT_TRUE(look.carrier && look.addressed && look.routed && look.whole);
  EXPECT_EQ("10.64.69.1", look.gateway);
  EXPECT_EQ((std::vector<std::string>{"10.64.69.1"}), look.servers);
  EXPECT_EQ((std::vector<GuestLook::Listener>{
                {80, false}, {8080, true}, {22, true}, {23, true}, {24, false}}),
            look.listeners);
  EXPECT_EQ(Heard::no, look.outside);
  EXPECT_EQ(Heard::yes, look.name);
  EXPECT_EQ(Heard::fault, look.names);
}

TEST(Probe, EachToolHasItsWords) {
  auto outside = [](const std::string& words) {
    return parse_guest_look("outside " + words + "\n").outside;
  };
  EXPECT_EQ(Heard::yes, outside("bash 0 "));
  EXPECT_EQ(Heard::silence, outside("bash 124 "));
  EXPECT_EQ(Heard::no, outside("bash 1 bash: line 1: /dev/tcp/1.2.3.4/9: Connection refused"));
  EXPECT_EQ(Heard::fault, outside("bash 1 bash: connect: Network is unreachable"));
  EXPECT_EQ(Heard::yes, outside("nc 143 ")); // it was connected, and the other end said nothing
  EXPECT_EQ(Heard::silence, outside("nc 1 nc: timed out"));
  EXPECT_EQ(Heard::no_tool, outside("none 0"));
  EXPECT_EQ(Heard::nothing, outside("nc"));
  auto names = [](const std::string& words) {
    return parse_guest_look("names " + words + "\n").names;
  };
  EXPECT_EQ(Heard::yes, names("bash 0 62 6e 81 80"));
  EXPECT_EQ(Heard::no, names("bash 0 62 6e 81 83"));
  EXPECT_EQ(Heard::fault, names("bash 0 62 6e 81 82"));
  EXPECT_EQ(Heard::silence, names("bash 0"));
  EXPECT_EQ(Heard::silence,
            names("nslookup 1 ;; connection timed out; no servers could be reached"));
  EXPECT_EQ(Heard::no, names("nslookup 1 ** server can't find x.vm: NXDOMAIN"));
}

// This host in a guest's place: its loopback has a MAC, an address and who listens.
TEST(Probe, AShellDoesWhatItIsAsked) {
  Fd listener = sys::listen_tcp("127.0.0.1", 0);
  int port = sys::port_of(listener.get());
  auto ask = [&](int to) {
    GuestQuestions q{.mac = "00:00:00:00:00:00", .address = "127.0.0.1", .names = false};
    q.to = Endpoint{parse_address("address", "127.0.0.1"), to};
    q.ports = {port};
    sys::RunResult ran =
        sys::run({{"/bin/sh", "-c", guest_script(q)}, {}, {}, false}, {}, Millis(30'000));
    return parse_guest_look(ran.out);
  };
  GuestLook look = ask(port);
  EXPECT_TRUE(look.whole);
  EXPECT_EQ("lo", look.link);
  EXPECT_TRUE(look.carrier);
  EXPECT_TRUE(look.addressed);
  EXPECT_EQ((std::vector<GuestLook::Listener>{{port, true}}), look.listeners);
  EXPECT_EQ(Heard::yes, look.outside) << look.said;
  EXPECT_EQ(Heard::no, ask(sys::free_tcp_port("127.0.0.1")).outside);
}

TEST(Probe, NothingOfAGuestIsTakenForAnother) {
  EXPECT_EQ(GuestLook{}, parse_guest_look(""));
  EXPECT_EQ(GuestLook{},
            parse_guest_look("link\nroute\nlisten\nlisten :\nserver\nmotd of the day\n"));
  // A guest is no shell of ours: its words cannot end the script's.
  std::string script = guest_script({.mac = "x'y", .address = "10.0.0.4", .name = "$(reboot)"});
  EXPECT_EQ(0u, script.find("exec /bin/sh -c '"));
}

constexpr const char* table = "banger_ab12";

ProbeScene watched(const net::FlowCounts& there, const net::FlowCounts& back = {}) {
  ProbeScene s{.vm = "a", .table = table, .bridge = "bng-ab12", .uplinks = {"up0"}};
  s.seen = net::FlowSeen{.own_rules = true, .there = there, .back = back, .drops = {}};
  return s;
}
GuestLook routed() { return {.link = "eth0", .carrier = true, .addressed = true, .routed = true}; }
Barrier outward(const ProbeScene& s) { return judge_outward(s, routed()).by; }

TEST(Probe, WhereItIsLastSeenTellsWhoHasIt) {
  net::FlowCounts whole{.from_tap = 1, .entered = 1, .forwarded = 1, .passed = 1, .left = 1};
  auto but = [&](auto change) {
    net::FlowCounts c = whole;
    change(c);
    return c;
  };
  EXPECT_EQ(Barrier::guest, outward(watched({})));
  EXPECT_EQ(Barrier::unknown, outward(watched({.from_tap = 1})));
  EXPECT_EQ(Barrier::outside, outward(watched({.from_tap = 1, .entered = 1, .taken = 1})));
  EXPECT_EQ(Barrier::routing, outward(watched({.from_tap = 1, .entered = 1})));
  EXPECT_EQ(Barrier::firewall, outward(watched(but([](auto& c) { c.passed = c.left = 0; }))));
  EXPECT_EQ(Barrier::routing, outward(watched(but([](auto& c) { c.left = 0; }))));
  EXPECT_EQ(Barrier::outside, outward(watched(whole)));
  EXPECT_EQ(Barrier::routing, outward(watched(whole, {.entered = 1})));
  EXPECT_EQ(Barrier::firewall, outward(watched(whole, {.entered = 1, .forwarded = 1})));
  EXPECT_EQ(
      Barrier::guest,
      outward(watched(whole, {.entered = 1, .forwarded = 1, .passed = 1, .left = 1, .to_tap = 1})));
  ProbeScene s = watched({.from_tap = 1, .entered = 1});
  s.bridge_forwards = false;
  EXPECT_EQ("net.ipv4.conf.bng-ab12.forwarding", judge_outward(s, routed()).at);
  s = watched(whole, {.entered = 1});
  s.closed = {"up0"};
  EXPECT_EQ("net.ipv4.conf.up0.forwarding", judge_outward(s, routed()).at);
  s = watched(whole);
  s.seen->own_rules = false;
  EXPECT_EQ(Barrier::rule, outward(s));
}

TEST(Probe, AChainThatDropsItIsNamedWithItsOwner) {
  ProbeScene s = watched({.from_tap = 1, .entered = 1, .forwarded = 1});
  s.seen->drops = {{"ip", "filter", "FORWARD", 0}};
  EXPECT_EQ(Barrier::firewall, outward(s));
  EXPECT_EQ("ip filter FORWARD, policy", judge_outward(s, routed()).at);
  s.seen->drops = {{"inet", table, "out", 12}};
  EXPECT_EQ(Barrier::rule, outward(s));
  EXPECT_EQ("inet banger_ab12 out, rule 12", judge_outward(s, routed()).at);
  s.dropped = {{"mac", 3}};
  EXPECT_NE(std::string::npos, judge_outward(s, routed()).found.find("MAC"));
  s.dropped = {};
  s.nat = false;
  EXPECT_EQ("banger net nat up a", judge_outward(s, routed()).fix);
  EXPECT_EQ(Barrier::setting, outward(s));
}

TEST(Probe, WithoutAWatchItTellsWhatIsKnown) {
  ProbeScene s{.vm = "a", .table = table};
  EXPECT_EQ(Barrier::guest, outward(s));
  s.way_lost = true;
  EXPECT_EQ(Barrier::process, outward(s));
  s.way_lost = false;
  s.dropped = {{"destination", 1}};
  EXPECT_EQ(Barrier::rule, outward(s));
  s.no_way_out = true;
  EXPECT_EQ(Barrier::setting, outward(s));
  s = {.vm = "a", .table = table, .bridge = "bng-ab12", .blind = "no rights"};
  EXPECT_EQ(Barrier::unknown, outward(s));
  EXPECT_NE(std::string::npos, judge_outward(s, routed()).found.find("no rights"));
  EXPECT_EQ(Barrier::guest, judge_outward(s, GuestLook{}).by); // it has no route
}

TEST(Probe, TheWayInIsJudgedToo) {
  auto inward = [](net::FlowCounts there, net::FlowCounts back = {}) {
    return judge_inward(watched(there, back)).by;
  };
  EXPECT_EQ(Barrier::routing, inward({.begun = 1}));
  EXPECT_EQ(Barrier::guest, inward({.begun = 1, .left = 1}));
  EXPECT_EQ(Barrier::guest, inward({.begun = 1, .left = 1, .to_tap = 1}));
  EXPECT_EQ(Barrier::unknown, inward({.begun = 1, .left = 1, .to_tap = 1}, {.from_tap = 1}));
  EXPECT_EQ(Barrier::guest, inward({.begun = 1, .left = 1, .to_tap = 1},
                                   {.from_tap = 1, .entered = 1, .taken = 1}));
  // What the host has lost of the way is not held against the guest, unless that was heard.
  ProbeScene lost = watched({.begun = 1, .left = 1});
  lost.lost = Finding{Barrier::routing, "bng-ab12", "the tap is down", "banger net up"};
  EXPECT_EQ("the tap is down", judge_inward(lost).found);
  lost.seen.reset();
  EXPECT_EQ("the tap is down", judge_inward(lost).found);
  lost.seen = watched({.begun = 1, .left = 1, .to_tap = 1}, {.from_tap = 1, .taken = 1}).seen;
  EXPECT_EQ(Barrier::guest, judge_inward(lost).by);
  auto names = [](net::FlowCounts there, net::FlowCounts back = {}) {
    return judge_names(watched(there, back), "10.64.0.1").by;
  };
  EXPECT_EQ(Barrier::guest, names({}));
  EXPECT_EQ(Barrier::process, names({.from_tap = 1, .entered = 1, .taken = 1}));
  EXPECT_EQ(Barrier::guest, names({.from_tap = 1, .entered = 1, .taken = 1}, {.begun = 1}));
  ProbeScene s = watched({.from_tap = 1});
  s.resolver_lost = true;
  EXPECT_EQ(Barrier::process, judge_names(s, "10.64.0.1").by);
}

TEST(Probe, AGuestsOwnFaultsAreTriesOfTheirOwn) {
  auto outcome = [](const GuestLook& look, size_t n) {
    return judge_guest("10.64.0.4", "10.64.0.1", look).at(n).outcome;
  };
  GuestLook good = routed();
  good.gateway = "10.64.0.1";
  using Outcome = ProbeTry::Outcome;
  for (size_t n : {0, 1, 2}) EXPECT_EQ(Outcome::ok, outcome(good, n));
  for (size_t n : {0, 1, 2}) EXPECT_EQ(Outcome::lost, outcome({}, n));
  good.gateway = "10.64.0.9";
  EXPECT_EQ(Outcome::lost, outcome(good, 2));
  good.carrier = false;
  EXPECT_EQ(Outcome::lost, outcome(good, 0));
}

} // namespace
} // namespace banger::ops
