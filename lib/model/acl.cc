#include "model/acl.h"

#include <algorithm>

namespace banger {

namespace {

void put(std::string& to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) to += static_cast<char>(value >> (8 * i) & 0xff);
}

bool is_named(const AclEntry& e) {
  return e.tag == AclEntry::Tag::user || e.tag == AclEntry::Tag::group;
}

} // namespace

bool has_ids(const std::vector<AclEntry>& acl) {
  return std::ranges::all_of(acl, [](const AclEntry& e) { return !is_named(e) || e.id; });
}

std::string acl_attribute(std::vector<AclEntry> acl) {
  constexpr uint32_t version = 2, no_id = 0xffffffff;
  std::ranges::sort(acl, {}, [](const AclEntry& e) { return std::pair(e.tag, e.id.value_or(0)); });
  std::string value;
  put(value, version, 4);
  for (const AclEntry& e : acl) {
    put(value, static_cast<uint16_t>(e.tag), 2);
    put(value, e.permissions, 2);
    put(value, is_named(e) ? e.id.value() : no_id, 4);
  }
  return value;
}

} // namespace banger
