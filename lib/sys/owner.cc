#include "sys/owner.h"

#include "core/text.h"
#include "sys/file.h"

#include <fmt/format.h>

namespace banger::sys {

namespace {

// Not getpwuid and the like: a static program has none of their modules.
std::optional<std::string> name_in(const char* table, unsigned id) {
  for (const std::string& line : split(find_content(table).value_or(""), '\n'))
    if (auto fields = split(line, ':'); fields.size() > 2 && fields[2] == std::to_string(id))
      return fields[0];
  return {};
}

} // namespace

std::string owner_text(uid_t uid) {
  auto name = name_in("/etc/passwd", uid);
  return name ? fmt::format("'{}'", *name) : fmt::format("user {}", uid);
}

std::optional<std::string> group_name(gid_t gid) { return name_in("/etc/group", gid); }

} // namespace banger::sys
