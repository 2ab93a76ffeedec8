#include <csignal>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "model/message.h"
#include "net/bridge_host.h"
#include "net/helper.h"
#include "sys/lines.h"
#include "sys/socket.h"

namespace banger::net {

namespace {

constexpr size_t longest_ask = 64 << 10; // 256 ports, and more

Json names_of(const std::vector<Uplink>& uplinks) {
  Json names = Json::array();
  for (const Uplink& u : uplinks) names.push_back(u.name);
  return names;
}

Json seen_of(const BridgeHost::Seen& seen) {
  Json drops = Json::array(), out = Json::array();
  for (const auto& d : seen.counts.drops)
    drops.push_back(
        {{"tap", d.tap}, {"address", d.address}, {"reason", d.reason}, {"packets", d.packets}});
  for (const auto& o : seen.counts.out)
    out.push_back({{"address", o.address}, {"packets", o.packets}, {"bytes", o.bytes}});
  return {{"up", seen.up}, {"uplinks", names_of(seen.uplinks)}, {"drops", drops}, {"out", out}};
}

// `gives`: a descriptor that goes along with the answer.
Json act(const HelperAsk& ask, unsigned uid, Fd& gives) {
  BridgeHost host(uid);
  if (ask.verb == "up") {
    Bridge b = host.up(ask.tag, ask.subnet);
    return {{"subnet", b.subnet.text()}, {"uplinks", names_of(b.uplinks)}};
  }
  if (ask.verb == "look") return seen_of(host.look(ask.tag));
  if (ask.verb == "join")
    host.join(ask.tag, ask.guest);
  else if (ask.verb == "leave")
    host.leave(ask.tag, ask.taps);
  else if (ask.verb == "publish")
    host.publish(ask.tag, ask.tap, ask.port, ask.on);
  else if (ask.verb == "nat")
    host.nat(ask.tag, ask.tap, ask.on);
  else if (ask.verb == "down")
    host.down(ask.tag);
  else if (ask.verb == "names")
    gives = host.name_socket(ask.tag, ask.proto);
  else
    throw usage("unknown request '{}'", ask.verb);
  return Json::object();
}

} // namespace

void serve_helper(int socket, unsigned uid) {
  // Its asker's terminal must not stop it while others wait for its lock, nor end it half-way.
  ::setsid();
  ::setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1); // the programs of firewalls
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGTSTP}) std::signal(signal, SIG_IGN);
  Json answer;
  Fd gives;
  try {
    auto line = sys::LineReader(socket, longest_ask).next();
    if (!line) return;
    answer = act(parse_helper_ask(*line), uid, gives);
  } catch (const Error& e) {
    answer = {
        {"error", {{"code", name_of(e.code())}, {"message", e.message()}, {"hint", e.hint()}}}};
  }
  Json reply = {{"v", message_version}};
  reply.update(answer);
  if (gives)
    sys::send_with_descriptor(socket, message_line(reply), gives.get());
  else
    sys::send_all(socket, message_line(reply));
}

} // namespace banger::net
