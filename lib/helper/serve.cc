#include "helper/serve.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "disk/dm.h"
#include "helper/ask.h"
#include "helper/caller.h"
#include "helper/disks.h"
#include "model/message.h"
#include "net/bridge_host.h"
#include "sys/lines.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::helper {

namespace {

constexpr size_t longest_ask = 64 << 10; // 256 ports, and more
constexpr Millis longest_silence{10'000};
constexpr size_t most_of_root = 1024; // requests at once

Json seen_of(const net::BridgeHost::Seen& seen) {
  Json drops = Json::array(), out = Json::array();
  for (const auto& d : seen.counts.drops)
    drops.push_back(
        {{"tap", d.tap}, {"address", d.address}, {"reason", d.reason}, {"packets", d.packets}});
  for (const auto& o : seen.counts.out)
    out.push_back({{"address", o.address}, {"packets", o.packets}, {"bytes", o.bytes}});
  Json faults = Json::array();
  for (const auto& f : seen.faults)
    faults.push_back({{"text", f.text},
                      {"tap", f.tap},
                      {"restarts", f.restarts},
                      {"clashes", f.clashes},
                      {"outward", f.outward}});
  return {{"up", seen.up}, {"uplinks", seen.uplinks}, {"drops", drops},
          {"out", out},    {"taps", seen.taps},       {"faults", faults}};
}

Json traces_json(const net::BridgeTraces& traces) {
  Json objects = Json::array(), bridges = Json::array();
  for (const auto& o : traces.objects)
    objects.push_back({{"object", o.object}, {"name", o.name}, {"known", o.known}});
  for (const auto& b : traces.bridges) bridges.push_back({{"tag", b.tag}, {"state", b.state}});
  return {{"objects", objects}, {"bridges", bridges}};
}

struct Answer {
  Json members = Json::object();
  Fd gives = {}; // a descriptor that goes along with it
};

// None: it is no verb of a bridge.
std::optional<Answer> act_on_bridge(const Caller& caller, const Limits& limits, const Ask& ask) {
  constexpr std::string_view verbs[] = {"up",   "look",  "join", "leave", "nat",  "publish",
                                        "down", "names", "find", "sweep", "mend", "changes"};
  if (std::ranges::count(verbs, ask.verb) == 0) return {};
  if (ask.verb == "up")
    Tags().claim(caller, ask.tag);
  else
    Tags().require_own(caller, ask.tag);
  net::BridgeHost host(caller.uid, limits.bridge);
  Answer answer;
  if (ask.verb == "up") {
    net::Bridge b = host.up(ask.tag, ask.subnet, ask.state);
    answer.members = {{"subnet", b.subnet.text()},
                      {"uplinks", net::ways_out(b)},
                      {"link", host.link_of(ask.tag)},
                      {"taps", net::tap_numbers(b)}};
  } else if (ask.verb == "look") {
    answer.members = seen_of(host.look(ask.tag));
  } else if (ask.verb == "find") {
    answer.members = traces_json(host.find_traces(ask.tag));
  } else if (ask.verb == "sweep") {
    host.sweep(ask.tag);
  } else if (ask.verb == "join") {
    host.join(ask.tag, ask.guest);
    answer.members = {{"link", host.link_of(ask.tag)}};
  } else if (ask.verb == "leave") {
    host.leave(ask.tag, ask.taps);
  } else if (ask.verb == "publish") {
    host.publish(ask.tag, ask.tap, ask.port, ask.on);
  } else if (ask.verb == "nat") {
    host.nat(ask.tag, ask.tap, ask.on);
  } else if (ask.verb == "down") {
    host.down(ask.tag);
  } else if (ask.verb == "mend") {
    Json mended = Json::array();
    for (const auto& fault : host.mend(ask.tag)) mended.push_back(fault.text);
    answer.members = {{"mended", mended}, {"link", host.link_of(ask.tag)}};
  } else if (ask.verb == "changes") {
    answer.gives = host.rule_changes(ask.tag);
  } else {
    answer.gives = host.name_socket(ask.tag, ask.proto);
  }
  if (!host.warnings().empty()) answer.members["warnings"] = host.warnings();
  return answer;
}

// Answers once when it looks, and again at the end; the line goes on meanwhile, since he who asked
// has others to ask what he watches.
Answer watch(const Caller& caller, const Limits& limits, const Ask& ask, int socket, Turn& turn) {
  Tags().require_own(caller, ask.tag);
  auto watch = net::BridgeHost(caller.uid, limits.bridge).watch(ask.tag, ask.tap, ask.port);
  turn.leave();
  sys::send_all(socket, message_line({{"v", message_version}}));
  sys::read_some(socket, 1); // what its asker sends is over, or its asker
  return {net::to_json(watch->look())};
}

Answer act(const Caller& caller, const Limits& limits, const Ask& ask) {
  if (auto answer = act_on_bridge(caller, limits, ask)) return std::move(*answer);
  if (ask.verb == "map") {
    disk::valid_mapping(ask.disk.mapping);
    Tags().claim(caller, ask.tag);
    disk::Mapped mapped = Disks(caller, limits.disk).map(ask.disk);
    return {{{"node", mapped.node}, {"revived", mapped.revived}}};
  }
  if (ask.verb == "unmap") {
    Tags().require_own(caller, ask.tag);
    Disks(caller, limits.disk).unmap(ask.disk.mapping);
  } else if (ask.verb == "can-map") {
    disk::require_device_mapper();
  } else if (ask.verb == "limits") {
    return {{{"limits", to_json(limits)}}};
  } else {
    throw usage("unknown request '{}'", ask.verb);
  }
  return {};
}

} // namespace

void serve(int socket) {
  const Caller caller = settle_in();
  Answer answer;
  try {
    const Limits limits = read_limits();
    require_allowed(caller, limits);
    Turn turn(caller, caller.uid == 0 ? most_of_root : limits.requests);
    auto line = sys::LineReader(socket, longest_ask).next(longest_silence);
    if (!line) throw usage("no request on standard input");
    Ask ask = parse_ask(*line);
    turn.await();
    // Its asker gave up, and takes away what there is: nothing may come after that.
    bool makes = ask.verb == "map" || ask.verb == "join" || ask.verb == "up";
    if (makes && sys::wait_hangup(socket, Millis(0))) return;
    answer =
        ask.verb == "watch" ? watch(caller, limits, ask, socket, turn) : act(caller, limits, ask);
  } catch (const Error& e) {
    answer = {{{"error",
                {{"code", name_of(e.code())},
                 {"message", e.message()},
                 {"subject", e.subject()},
                 {"hint", e.hint()}}}}};
  }
  Json reply = {{"v", message_version}};
  reply.update(answer.members);
  if (answer.gives)
    sys::send_with_descriptor(socket, message_line(reply), answer.gives.get());
  else
    sys::send_all(socket, message_line(reply));
}

} // namespace banger::helper
