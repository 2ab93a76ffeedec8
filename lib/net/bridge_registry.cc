#include "net/bridge_registry.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "model/message.h"
#include "net/rule_text.h"

namespace banger::net {

namespace {

constexpr const char* record_kind = "bridge";
constexpr size_t most_bytes = 2 << 20; // 4096 VMs, with 4096 ports

Json to_json(const RegisteredBridge& entry) {
  const Bridge& b = entry.bridge;
  Json uplinks = Json::array(), guests = Json::array(), passes = Json::array();
  for (const Uplink& u : b.uplinks)
    uplinks.push_back({{"name", u.name}, {"forwarded", u.forwarded}});
  for (const auto& [tap, guest] : b.guests) guests.push_back(to_json(guest));
  for (const Pass& p : b.passes)
    passes.push_back({{"way", name_of(p.way)},
                      {"family", p.family},
                      {"table", p.table},
                      {"chain", p.chain},
                      {"forwards", p.forwards}});
  return {{"v", message_version},      {"uid", entry.uid},
          {"version", entry.version},  {"tag", b.tag},
          {"subnet", b.subnet.text()}, {"uplinks", uplinks},
          {"guests", guests},          {"passes", passes},
          {"state", entry.state},      {"unguarded", entry.unguarded}};
}

RegisteredBridge entry_of(const Json& j) {
  RegisteredBridge entry;
  entry.uid = j.at("uid").get<unsigned>();
  entry.version = j.at("version").get<int>();
  entry.bridge.tag = j.at("tag").get<std::string>();
  entry.bridge.subnet = Subnet::parse(j.at("subnet").get<std::string>());
  entry.state = j.value("state", "");
  entry.unguarded = j.value("unguarded", false);
  for (const Json& u : j.at("uplinks"))
    entry.bridge.uplinks.push_back(
        {u.at("name").get<std::string>(), u.at("forwarded").get<bool>()});
  for (const Json& p : j.at("passes"))
    entry.bridge.passes.push_back({parse_way(p.at("way").get<std::string>()),
                                   p.at("family").get<std::string>(),
                                   p.at("table").get<std::string>(),
                                   p.at("chain").get<std::string>(), p.at("forwards").get<bool>()});
  for (const Json& g : j.at("guests")) {
    BridgeGuest guest = bridge_guest_of(g);
    entry.bridge.guests[guest.tap] = guest;
  }
  return entry;
}

} // namespace

std::string bridge_record(const std::string& tag) { return sys::host_record(tag, record_kind); }

bool has_bridge_records() { return !sys::host_record_names(record_kind).empty(); }

BridgeRegistry::BridgeRegistry() : records_(record_kind, most_bytes) {}

std::optional<RegisteredBridge> BridgeRegistry::find(const std::string& tag) const {
  return records_.find(
      tag,
      fmt::format("sudo rm {}, banger net up, and banger vm restart of those that run",
                  bridge_record(tag)),
      [&](const std::string& text) {
        RegisteredBridge entry = read_message(text, [](const Json& j) { return entry_of(j); });
        if (entry.bridge.tag != tag) throw failed("it tells of '{}'", entry.bridge.tag);
        return entry;
      });
}

std::vector<RegisteredBridge> BridgeRegistry::all() const {
  std::vector<RegisteredBridge> all;
  for (const std::string& tag : records_.names()) {
    if (!is_tag(tag)) continue;
    try {
      if (auto entry = find(tag)) all.push_back(std::move(*entry));
    } catch (const Error&) {
    }
  }
  return all;
}

void BridgeRegistry::write(const RegisteredBridge& entry) {
  std::string line = message_line(to_json(entry));
  if (line.size() > most_bytes)
    throw failed("the bridge '{}' has more VMs and ports than a host remembers", entry.bridge.tag);
  records_.write(entry.bridge.tag, line);
}

void BridgeRegistry::remove(const std::string& tag) { records_.remove(tag); }

} // namespace banger::net
