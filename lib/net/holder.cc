#include "net/holder.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "core/clock.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "model/message.h"
#include "sys/datagram.h"
#include "sys/lines.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::net {

namespace {

constexpr Millis patience{10'000};
constexpr std::array<std::string_view, 3> kinds{"bridge", "tap", "uplink"};

constexpr std::array<std::string_view, 3> bases{"as_is", "anew", "kept"};

Json to_json(const std::vector<Guest>& guests) {
  Json list = Json::array();
  for (const Guest& g : guests)
    list.push_back({{"tap", g.tap},
                    {"mac", g.mac},
                    {"address", g.address},
                    {"host_open", g.host_open},
                    {"own_way", g.own_way}});
  return list;
}

std::vector<Guest> guests_of(const Json& list) {
  std::vector<Guest> guests;
  for (const Json& g : list)
    guests.push_back({g.value("tap", 0), g.value("mac", ""), g.value("address", ""),
                      g.value("host_open", false), g.value("own_way", false)});
  return guests;
}

Json to_json(const NetPlan& plan) {
  Json j = {{"tag", plan.tag},
            {"base", bases[static_cast<size_t>(plan.base)]},
            {"uplink", plan.uplink},
            {"leave", to_json(plan.leave)},
            {"join", to_json(plan.join)},
            {"ways", plan.ways}};
  if (plan.base != NetPlan::Base::as_is) j["subnet"] = plan.subnet.text();
  return j;
}

NetPlan plan_of(const Json& j) {
  NetPlan plan;
  plan.tag = j.value("tag", "");
  std::string base = j.value("base", "");
  auto known = std::find(bases.begin(), bases.end(), base);
  if (known == bases.end()) throw failed("the holder knows no base '{}' of a network", base);
  plan.base = static_cast<NetPlan::Base>(known - bases.begin());
  if (plan.base != NetPlan::Base::as_is) plan.subnet = Subnet::parse(j.value("subnet", ""));
  plan.uplink = j.value("uplink", false);
  plan.leave = guests_of(j.value("leave", Json::array()));
  plan.join = guests_of(j.value("join", Json::array()));
  plan.ways = j.value("ways", std::vector<int>{});
  return plan;
}

Rendered rendered_of(const Json& j) {
  Rendered r;
  for (const Json& l : j.value("present", Json::array())) {
    Link link{Link::Kind::tap, l.value("name", ""), l.value("master", ""), l.value("mac", ""),
              l.value("address", "")};
    for (size_t i = 0; i < kinds.size(); i++)
      if (l.value("kind", "") == kinds[i]) link.kind = static_cast<Link::Kind>(i);
    r.present.push_back(link);
  }
  r.absent = j.value("absent", std::vector<std::string>{});
  r.rules = j.value("rules", "");
  return r;
}

Json to_json(const Forward& f) {
  return {{"proto", f.port.proto},
          {"host_address", f.port.host_address},
          {"host", f.port.host},
          {"guest_address", f.guest},
          {"guest", f.port.guest}};
}

Forward forward_of(const Json& j) {
  Forward f;
  f.port.proto = j.value("proto", f.port.proto);
  f.port.host_address = j.value("host_address", "");
  f.port.host = j.value("host", 0);
  f.port.guest = j.value("guest", 0);
  f.guest = j.value("guest_address", "");
  return f;
}

// `with`: a descriptor that goes along; -1: none.
Json ask_holder(const std::string& socket, HolderAsk ask, int with = -1, Fd* came = nullptr) {
  ask.id = 1; // a connection has one question
  Fd fd = sys::connect_unix(socket);
  if (with < 0)
    sys::send_all(fd.get(), to_line(ask));
  else
    sys::send_with_descriptor(fd.get(), to_line(ask), with);
  sys::LineReader lines(fd.get());
  auto line = lines.next(patience, came);
  if (!line)
    throw Error(Code::unreachable,
                lines.ended() ? "the holder of the network went away"
                              : fmt::format("the holder of the network does not answer '{}': "
                                            "waited {}",
                                            ask.verb, format_duration(patience)));
  Json reply = read_message(*line, [&](const Json& j) {
    if (j.value("id", ask.id) != ask.id) throw unreadable_message();
    return j;
  });
  if (reply.contains("error")) {
    std::string why = reply["error"].value("message", "the holder of the network gave no reason");
    if (why != unknown_verb(ask.verb)) throw failed("{}", why);
    throw failed("{}", why).hint(
        "it is of an older banger: stop all VMs once, and start them again");
  }
  return reply;
}

} // namespace

std::string to_line(const HolderAsk& ask) {
  Json j = {{"v", message_version}, {"do", ask.verb}};
  if (ask.verb == "make") j["network"] = to_json(ask.plan);
  if (!ask.table.empty()) j["table"] = ask.table;
  if (ask.forward != Forward{}) j["forward"] = to_json(ask.forward);
  if (!ask.at.empty()) j["at"] = ask.at;
  if (!ask.proto.empty()) j["proto"] = ask.proto;
  if (ask.id) j["id"] = ask.id;
  return message_line(j);
}

HolderAsk parse_holder_ask(std::string_view line) {
  return read_message(line, [](const Json& j) {
    HolderAsk ask{.verb = j.value("do", "")};
    if (ask.verb == "make") ask.plan = plan_of(j.value("network", Json::object()));
    if (j.contains("plan")) ask.rendered = rendered_of(j["plan"]);
    ask.table = j.value("table", "");
    ask.forward = forward_of(j.value("forward", Json::object()));
    ask.at = j.value("at", "");
    ask.proto = j.value("proto", "");
    ask.id = j.value("id", int64_t{0});
    return ask;
  });
}

namespace {

Json reply_to(int64_t id) {
  Json j = {{"v", message_version}};
  if (id) j["id"] = id;
  return j;
}

} // namespace

std::string drops_reply(const std::vector<Drop>& drops, int64_t id) {
  Json list = Json::array();
  for (const Drop& d : drops)
    list.push_back({{"link", d.link}, {"reason", d.reason}, {"packets", d.packets}});
  Json j = reply_to(id);
  j["drops"] = list;
  return message_line(j);
}

std::string relays_reply(const std::vector<Forward>& relays, int64_t id) {
  Json list = Json::array();
  for (const Forward& f : relays) list.push_back(to_json(f));
  Json j = reply_to(id);
  j["relays"] = list;
  return message_line(j);
}

std::string unknown_verb(std::string_view verb) {
  return fmt::format("the holder does not know '{}'", verb);
}

std::string error_reply(std::string_view code, std::string_view message, int64_t id) {
  Json j = reply_to(id);
  if (!code.empty()) j["error"] = {{"code", code}, {"message", message}};
  return message_line(j);
}

void apply_plan(const std::string& socket, const NetPlan& plan) {
  ask_holder(socket, {.verb = "make", .plan = plan});
}

void guard_host(const std::string& socket, const std::string& table) {
  ask_holder(socket, {.verb = "guard", .table = table});
}

std::vector<Drop> ask_drops(const std::string& socket, const std::string& table) {
  Json reply = ask_holder(socket, {.verb = "drops", .table = table});
  std::vector<Drop> drops;
  for (const Json& d : reply.value("drops", Json::array()))
    drops.push_back({d.value("link", ""), d.value("reason", ""), d.value("packets", uint64_t{0})});
  return drops;
}

void add_relay(const std::string& socket, const Forward& f) {
  failpoint(Point::forward);
  Fd host;
  try {
    host = sys::bind_udp(f.port.host_address, f.port.host);
  } catch (const Error& e) {
    if (e.error_number() != EADDRINUSE) throw;
    throw conflict("cannot forward {}: another program has that port", to_text(f));
  }
  ask_holder(socket, {.verb = "relay", .forward = f}, host.get());
}

void remove_relay(const std::string& socket, const Forward& f) {
  failpoint(Point::forward);
  ask_holder(socket, {.verb = "unrelay", .forward = f});
}

std::vector<Forward> list_relays(const std::string& socket) {
  constexpr const char* verb = "relays";
  std::vector<Forward> relays;
  try {
    Json reply = ask_holder(socket, {.verb = verb});
    for (const Json& f : reply.value("relays", Json::array())) relays.push_back(forward_of(f));
  } catch (const Error& e) {
    if (e.message() != unknown_verb(verb)) throw;
  }
  return relays;
}

NameSockets name_sockets(const std::string& socket, const std::string& address) {
  auto ask = [&](const char* proto) {
    Fd came;
    ask_holder(socket, {.verb = "names", .at = address, .proto = proto}, -1, &came);
    if (!came) throw failed("the holder of the network gave no socket");
    return came;
  };
  return {ask("udp"), ask("tcp")};
}

} // namespace banger::net
