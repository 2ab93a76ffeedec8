#include "sys/owner.h"

#include "core/text.h"
#include "sys/file.h"

#include <fmt/format.h>

namespace banger::sys {

// Not getpwuid: a static program has none of its modules.
std::string owner_text(uid_t uid) {
  for (const std::string& line : split(find_content("/etc/passwd").value_or(""), '\n'))
    if (auto fields = split(line, ':'); fields.size() > 2 && fields[2] == std::to_string(uid))
      return fmt::format("'{}'", fields[0]);
  return fmt::format("user {}", uid);
}

} // namespace banger::sys
