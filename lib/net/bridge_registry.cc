#include "net/bridge_registry.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "model/json_text.h"
#include "model/message.h"
#include "net/rule_text.h"

namespace banger::net {

namespace {

constexpr const char* record_kind = "bridge";
constexpr size_t most_bytes = 2 << 20; // 4096 VMs, with 4096 ports

// A line of message_version. It is written twice for each start, with all guests.
std::string to_text(const RegisteredBridge& entry) {
  const Bridge& b = entry.bridge;
  JsonText text;
  text.add("v", message_version);
  text.add("uid", entry.uid);
  text.add("version", entry.version);
  text.add("tag", b.tag);
  text.add("subnet", b.subnet.text());
  text.open_list("uplinks");
  for (const Uplink& u : b.uplinks) {
    text.open_item();
    text.add("name", u.name);
    text.add("forwarded", u.forwarded);
    text.add("leads_out", u.leads_out);
    text.close();
  }
  text.close_list();
  text.open_list("guests");
  for (const auto& [tap, guest] : b.guests) {
    text.open_item();
    add_members(text, guest);
    text.close();
  }
  text.close_list();
  text.open_list("passes");
  for (const Pass& p : b.passes) {
    text.open_item();
    text.add("way", name_of(p.way));
    text.add("family", p.family);
    text.add("table", p.table);
    text.add("chain", p.chain);
    text.add("forwards", p.forwards);
    text.close();
  }
  text.close_list();
  text.add("state", entry.state);
  text.add("unguarded", entry.unguarded);
  text.open("known");
  text.add("since", entry.known.since);
  text.add("at", entry.known.at);
  text.close();
  text.open("prints");
  text.add("frames", entry.prints.frames);
  text.add("packets", entry.prints.packets);
  text.close();
  return text.take() + '\n';
}

RegisteredBridge entry_of(const Json& j) {
  RegisteredBridge entry;
  entry.uid = j.at("uid").get<unsigned>();
  entry.version = j.at("version").get<int>();
  entry.bridge.tag = j.at("tag").get<std::string>();
  entry.bridge.subnet = Subnet::parse(j.at("subnet").get<std::string>());
  entry.state = j.value("state", "");
  entry.unguarded = j.value("unguarded", false);
  if (auto known = j.find("known"); known != j.end())
    entry.known = {known->at("since").get<uint32_t>(), known->at("at").get<uint32_t>()};
  if (auto prints = j.find("prints"); prints != j.end())
    entry.prints = {prints->at("frames").get<std::string>(),
                    prints->at("packets").get<std::string>()};
  for (const Json& u : j.at("uplinks"))
    entry.bridge.uplinks.push_back({u.at("name").get<std::string>(), u.at("forwarded").get<bool>(),
                                    u.value("leads_out", true)});
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

uint32_t known_since(const RegisteredBridge& entry, const std::vector<RegisteredBridge>& others,
                     uint32_t now) {
  const uint32_t at = entry.known.at;
  if (now == 0 || at == 0) return 0;
  if (at == now) return entry.known.since;
  for (const RegisteredBridge& other : others)
    if (other.known.at == now && other.known.since <= at && at < now) return other.known.since;
  return 0;
}

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

std::vector<RegisteredBridge> BridgeRegistry::all() const { return others({}); }

std::vector<RegisteredBridge> BridgeRegistry::others(const std::string& but) const {
  std::vector<RegisteredBridge> all;
  for (const std::string& tag : records_.names()) {
    if (!is_tag(tag) || tag == but) continue;
    try {
      if (auto entry = find(tag)) all.push_back(std::move(*entry));
    } catch (const Error&) {
    }
  }
  return all;
}

void BridgeRegistry::write(const RegisteredBridge& entry) {
  std::string line = to_text(entry);
  if (line.size() > most_bytes)
    throw failed("the bridge '{}' has more VMs and ports than a host remembers", entry.bridge.tag);
  records_.write(entry.bridge.tag, line);
}

void BridgeRegistry::remove(const std::string& tag) { records_.remove(tag); }

} // namespace banger::net
