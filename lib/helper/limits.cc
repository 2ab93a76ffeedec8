#include "helper/limits.h"

#include <functional>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "model/message.h"
#include "model/toml.h"
#include "sys/file.h"
#include "sys/owner.h"

namespace banger::helper {

namespace {

constexpr size_t longest_file = 64 << 10;

using Take = std::function<void(Limits&, const TomlNode&)>;
struct Key {
  std::string_view section, name;
  Take take;
};

Take words(std::vector<std::string> Limits::*member) {
  return [member](Limits& l, const TomlNode& node) {
    auto list = node.as<std::vector<std::string>>();
    if (!list) throw usage("it must be a list of names: [\"anna\"]");
    // To name nobody is to shut everybody out; an empty list means all, which nobody would guess.
    if (list->empty()) throw usage("the list is empty: leave the key out to let all in");
    l.*member = *list;
  };
}

int64_t number_of(const TomlNode& node, int64_t most) {
  auto number = node.as<int64_t>();
  if (!number || *number < 0 || *number > most)
    throw usage("it must be a whole number from 0 to {}", most);
  return *number;
}

template <typename At>
Take number(At at, int64_t most) {
  return
      [=](Limits& l, const TomlNode& node) { at(l) = static_cast<size_t>(number_of(node, most)); };
}

template <typename At>
Take size(At at, int64_t most) {
  return [=](Limits& l, const TomlNode& node) {
    if (auto text = node.as<std::string>()) {
      at(l) = parse_size("size", *text);
      if (at(l) > most) throw usage("it must be {} at most", format_size(most));
    } else {
      at(l) = number_of(node, most);
    }
  };
}

void take_subnets(Limits& l, const TomlNode& node) {
  auto list = node.as<std::vector<std::string>>();
  if (!list || list->empty()) throw usage("it must be a list of subnets: [\"10.64.0.0/10\"]");
  l.bridge.subnets.clear();
  for (const std::string& text : *list) {
    Prefix range = net::parse_range(text);
    l.bridge.subnets.push_back(range);
  }
}

const std::vector<Key>& keys() {
  // What the kernel's tables, and a group of links, hold of one bridge.
  constexpr int64_t most_vms = 4096, most_ports = 65536, most_things = 65536;
  static const std::vector<Key> all = {
      {"who", "users", words(&Limits::users)},
      {"who", "groups", words(&Limits::groups)},
      {"who", "requests",
       [](Limits& l, const TomlNode& node) {
         l.requests = static_cast<size_t>(number_of(node, 1024));
         if (l.requests == 0) throw usage("it must be 1 at least");
       }},
      {"net", "bridges",
       number(
           [](Limits & l) -> auto& { return l.bridge.bridges; }, most_things)},
      {"net", "vms",
       number(
           [](Limits & l) -> auto& { return l.bridge.guests; }, most_vms)},
      {"net", "ports",
       number(
           [](Limits & l) -> auto& { return l.bridge.ports; }, most_ports)},
      {"net", "subnets", take_subnets},
      {"disk", "disks",
       number(
           [](Limits & l) -> auto& { return l.disk.disks; }, most_things)},
      {"disk", "size",
       size(
           [](Limits & l) -> auto& { return l.disk.size; }, disk::most_mapped)},
      {"disk", "total",
       size(
           [](Limits & l) -> auto& { return l.disk.total; }, int64_t{1} << 50)},
  };
  return all;
}

void take_key(Limits& limits, std::string_view section, const TomlEntry& entry) {
  for (const Key& key : keys())
    if (key.section == section && key.name == entry.name) return key.take(limits, entry.node);
  throw usage("there is no such key");
}

} // namespace

Limits parse_limits(std::string_view text, const std::string& path) {
  auto refuse = [&](const std::string& what) {
    return preflight("{}", what)
        .subject(path)
        .hint("man banger-helper.toml lists the keys; until it is mended the helper does nothing");
  };
  Limits limits{.from_file = true};
  TomlTable top;
  try {
    top = parse_toml(text, path);
  } catch (const Error& e) {
    throw refuse(e.message());
  }
  auto take = [&](const std::string& section, const TomlEntry& entry) {
    try {
      take_key(limits, section, entry);
    } catch (const Error& e) {
      std::string full = section.empty() ? entry.name : section + "." + entry.name;
      throw refuse(fmt::format("{}:{}: '{}': {}", path, entry.node.line, full, e.message()));
    }
  };
  for (const TomlEntry& entry : top) {
    auto inner = entry.node.as<TomlTable>();
    bool known = std::ranges::any_of(keys(), [&](auto& k) { return k.section == entry.name; });
    if (!inner || !known)
      take({}, entry);
    else
      for (const TomlEntry& each : *inner) take(entry.name, each);
  }
  return limits;
}

Limits read_limits() {
  auto info = sys::find_info(limits_file);
  if (!info && !sys::find_link_info(limits_file)) return {};
  // Nobody who is not root can put another file there between this look and the next.
  std::string path = sys::real_path(limits_file);
  if (auto place = sys::find_not_roots(path); place || !info->is_file)
    throw preflight("'{}' is not trusted: {}", limits_file,
                    place ? fmt::format("another than root may change '{}'", *place)
                          : "it is no file")
        .hint(fmt::format("chown root:root {0}; chmod 644 {0}", place.value_or(limits_file)));
  return parse_limits(sys::read_file(limits_file, longest_file), limits_file);
}

nlohmann::ordered_json to_json(const Limits& l) {
  Json subnets = Json::array();
  for (const Prefix& p : l.bridge.subnets) subnets.push_back(to_text(p));
  return {{"from_file", l.from_file},    {"users", l.users},
          {"groups", l.groups},          {"requests", l.requests},
          {"bridges", l.bridge.bridges}, {"vms", l.bridge.guests},
          {"ports", l.bridge.ports},     {"subnets", subnets},
          {"disks", l.disk.disks},       {"size", l.disk.size},
          {"total", l.disk.total}};
}

Limits limits_of(const nlohmann::ordered_json& j) {
  Limits l{.from_file = j.at("from_file").get<bool>(),
           .users = j.at("users").get<std::vector<std::string>>(),
           .groups = j.at("groups").get<std::vector<std::string>>(),
           .requests = j.at("requests").get<size_t>(),
           .bridge = {j.at("bridges").get<size_t>(),
                      j.at("vms").get<size_t>(),
                      j.at("ports").get<size_t>(),
                      {}},
           .disk = {j.at("disks").get<size_t>(), j.at("size").get<int64_t>(),
                    j.at("total").get<int64_t>()}};
  for (const Json& subnet : j.at("subnets"))
    l.bridge.subnets.push_back(net::parse_range(subnet.get<std::string>()));
  return l;
}

} // namespace banger::helper
