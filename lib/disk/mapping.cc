#include "disk/mapping.h"

#include <nlohmann/json.hpp>

#include "model/host_object.h"
#include "model/message.h"
#include "model/name.h"

namespace banger::disk {

std::string valid_mapping(const Mapping& m) {
  auto is_hex = [](std::string_view text, size_t digits) {
    return text.size() == digits &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  };
  std::string name = mapping_name(m.tag, m.id);
  if (!is_hex(m.tag, 4) || !is_hex(m.id, 12) || !m.identity.starts_with(name + "-"))
    throw usage("invalid mapped disk '{}' ('{}')", name, m.identity);
  return name;
}

std::string new_mapping_identity(std::string_view tag, std::string_view id) {
  return fmt::format("{}-{}", mapping_name(tag, id), new_id());
}

std::string to_line(const MapRequest& r) {
  const Mapping& m = r.plan.mapping;
  return message_line({{"v", message_version},
                       {"do", r.act},
                       {"tag", m.tag},
                       {"id", m.id},
                       {"identity", m.identity},
                       {"image", r.plan.image},
                       {"cow", r.plan.cow},
                       {"owner", r.plan.owner}});
}

MapRequest parse_map_request(std::string_view line) {
  return read_message(line, [](const Json& j) {
    MapRequest r;
    r.act = j.value("do", "");
    r.plan.mapping = {j.value("tag", ""), j.value("id", ""), j.value("identity", "")};
    r.plan.image = j.value("image", "");
    r.plan.cow = j.value("cow", "");
    r.plan.owner = j.value("owner", uid_t{0});
    return r;
  });
}

std::string to_line(const std::expected<Mapped, Error>& answer) {
  Json j = {{"v", message_version}};
  if (answer) {
    j["node"] = answer->node;
    j["revived"] = answer->revived;
  } else {
    const Error& e = answer.error();
    j["error"] = {{"code", name_of(e.code())}, {"message", e.message()}, {"hint", e.hint()}};
  }
  return message_line(j);
}

Mapped parse_map_answer(std::string_view line) {
  return read_message(line, [](const Json& j) {
    if (auto e = j.find("error"); e != j.end()) throw told_error(*e, "banger-mapper failed");
    return Mapped{j.value("node", ""), j.value("revived", false)};
  });
}

} // namespace banger::disk
