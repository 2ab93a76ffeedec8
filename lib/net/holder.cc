#include "net/holder.h"

#include <array>

#include "core/error.h"
#include "model/message.h"
#include "sys/socket.h"

namespace banger::net {

namespace {

constexpr int version = 1;
constexpr Millis patience{10'000};
constexpr std::array<std::string_view, 3> kinds{"bridge", "tap", "uplink"};

Json to_json(const NetPlan& plan) {
  Json links = Json::array();
  for (const Link& l : plan.present)
    links.push_back(
        {{"kind", kinds[static_cast<size_t>(l.kind)]}, {"name", l.name}, {"master", l.master}});
  return {{"present", links}, {"absent", plan.absent}, {"rules", plan.rules}};
}

NetPlan plan_of(const Json& j) {
  NetPlan plan;
  for (const Json& l : j.value("present", Json::array())) {
    Link link{Link::Kind::tap, l.value("name", ""), l.value("master", "")};
    for (size_t i = 0; i < kinds.size(); i++)
      if (l.value("kind", "") == kinds[i]) link.kind = static_cast<Link::Kind>(i);
    plan.present.push_back(link);
  }
  plan.absent = j.value("absent", std::vector<std::string>{});
  plan.rules = j.value("rules", "");
  return plan;
}

Json ask_holder(const std::string& socket, const HolderAsk& ask) {
  Fd fd = sys::connect_unix(socket);
  sys::send_all(fd.get(), to_line(ask));
  sys::LineReader lines(fd.get());
  auto line = lines.next(patience);
  if (!line) throw Error(Code::unreachable, "the holder of the network does not answer");
  Json reply = parse_message(*line);
  if (reply.contains("error")) {
    const Json& e = reply["error"];
    throw failed("{}", e.value("message", "the holder of the network gave no reason"));
  }
  return reply;
}

} // namespace

std::string to_line(const HolderAsk& ask) {
  Json j = {{"v", version}, {"do", ask.verb}};
  if (ask.verb == "apply") j["plan"] = to_json(ask.plan);
  if (!ask.table.empty()) j["table"] = ask.table;
  return message_line(j);
}

HolderAsk parse_holder_ask(std::string_view line) {
  try {
    Json j = parse_message(line);
    return {j.value("do", ""), plan_of(j.value("plan", Json::object())), j.value("table", "")};
  } catch (const Json::exception&) { // a member of another type
    throw failed("a message between banger's own programs cannot be read");
  }
}

std::string drops_reply(const std::vector<Drop>& drops) {
  Json list = Json::array();
  for (const Drop& d : drops)
    list.push_back({{"link", d.link}, {"reason", d.reason}, {"packets", d.packets}});
  return message_line({{"v", version}, {"drops", list}});
}

std::string error_reply(std::string_view code, std::string_view message) {
  Json j = {{"v", version}};
  if (!code.empty()) j["error"] = {{"code", code}, {"message", message}};
  return message_line(j);
}

void apply_plan(const std::string& socket, const NetPlan& plan) {
  ask_holder(socket, {"apply", plan, {}});
}

std::vector<Drop> ask_drops(const std::string& socket, const std::string& table) {
  Json reply = ask_holder(socket, {"drops", {}, table});
  std::vector<Drop> drops;
  for (const Json& d : reply.value("drops", Json::array()))
    drops.push_back({d.value("link", ""), d.value("reason", ""), d.value("packets", uint64_t{0})});
  return drops;
}

} // namespace banger::net
