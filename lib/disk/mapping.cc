#include "disk/mapping.h"

#include "core/error.h"
#include "model/host_object.h"
#include "model/name.h"

namespace banger::disk {

namespace {

constexpr std::string_view hex = "0123456789abcdef", lower = "abcdefghijklmnopqrstuvwxyz";
// device-mapper takes 128 bytes, with the last one zero.
constexpr size_t longest_identity = 64;

bool is_made_of(std::string_view text, std::string_view those) {
  return text.find_first_not_of(those) == std::string_view::npos;
}

bool is_id(std::string_view text) { return text.size() == 12 && is_made_of(text, hex); }

} // namespace

std::string valid_mapping(const Mapping& m) {
  std::string name = mapping_name(m.tag, m.id);
  if (m.tag.size() != 4 || !is_made_of(m.tag, hex) || !is_id(m.id) ||
      !m.identity.starts_with(name + "-") || m.identity.size() > longest_identity ||
      !is_made_of(m.identity, std::string(lower) + "0123456789-"))
    throw usage("invalid mapped disk '{}' ('{}')", name, m.identity);
  return name;
}

std::string new_mapping_identity(std::string_view tag, std::string_view id) {
  return fmt::format("{}-{}", mapping_name(tag, id), new_id());
}

std::string MapPlan::image_file() const {
  if (!is_id(image)) throw usage("invalid image '{}'", image);
  return fmt::format("images/{}/root.ext4", image);
}

std::string MapPlan::cow_file() const {
  if (!is_id(mapping.id)) throw usage("invalid VM '{}'", mapping.id);
  return fmt::format("vms/{}/cow.img", mapping.id);
}

} // namespace banger::disk
