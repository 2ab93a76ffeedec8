#include "net/sysctl.h"

#include <fcntl.h>
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

void turn(const std::string& path, bool on) {
  if (is_on(path) == on) return;
  auto file = sys::find_file(path, O_WRONLY | O_CLOEXEC);
  if (file) sys::write_all(file->get(), on ? "1" : "0"); // else the link has gone
}

bool is_forwarding(const std::string& link) { return is_on(sysctl_of(link, "forwarding")); }

} // namespace banger::net
