#include "helper/ask.h"

#include <nlohmann/json.hpp>

#include "model/message.h"

namespace banger::helper {

std::string to_line(const Ask& ask) {
  Json j = {{"v", message_version}, {"do", ask.verb}};
  if (!ask.tag.empty()) j["tag"] = ask.tag;
  if (ask.subnet) j["subnet"] = ask.subnet->text();
  if (ask.verb == "join") j["guest"] = net::to_json(ask.guest);
  if (ask.verb == "leave") j["taps"] = ask.taps;
  if (ask.tap) j["tap"] = ask.tap, j["on"] = ask.on;
  if (ask.verb == "publish" || ask.verb == "watch") j["port"] = net::port_json(ask.port);
  if (!ask.proto.empty()) j["proto"] = ask.proto;
  if (!ask.state.empty()) j["state"] = ask.state;
  if (const disk::MapPlan& d = ask.disk; !d.mapping.id.empty()) {
    j["vm"] = d.mapping.id;
    j["identity"] = d.mapping.identity;
    if (ask.verb == "map") j["dir"] = d.state_dir, j["image"] = d.image;
  }
  return message_line(j);
}

Ask parse_ask(std::string_view line) {
  return read_message(line, [](const Json& j) {
    Ask ask{.verb = j.value("do", ""), .tag = j.value("tag", "")};
    if (j.contains("subnet")) ask.subnet = Subnet::parse(j["subnet"].get<std::string>());
    if (j.contains("guest")) ask.guest = net::bridge_guest_of(j["guest"]);
    for (const Json& tap : j.value("taps", Json::array()))
      ask.taps.push_back(net::whole_number(tap));
    ask.tap = net::whole_number(j, "tap");
    ask.on = j.value("on", false);
    if (j.contains("port")) ask.port = net::port_of(j["port"]);
    ask.proto = j.value("proto", "");
    ask.state = j.value("state", "");
    ask.disk = {{ask.tag, j.value("vm", ""), j.value("identity", "")},
                j.value("dir", ""),
                j.value("image", "")};
    return ask;
  });
}

} // namespace banger::helper
