#include "net/sysctl.h"

#include <fmt/format.h>

#include "core/text.h"
#include "sys/file.h"

namespace banger::net {

std::string sysctl_of(const std::string& link, std::string_view key) {
  return fmt::format("/proc/sys/net/ipv4/conf/{}/{}", link, key);
}

bool is_on(const std::string& path) {
  return trim(sys::find_content(path, 64).value_or("")) == "1";
}

bool is_forwarding(const std::string& link) { return is_on(sysctl_of(link, "forwarding")); }

} // namespace banger::net
