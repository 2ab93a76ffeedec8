#include "model/port.h"

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"

namespace banger {

Port parse_port(std::string_view text) {
  auto bad = [&] {
    return usage("invalid port '{}': it is not [ADDR:]HOST:GUEST[/udp]", text)
        .hint("8080:80 makes the guest's port 80 reachable as 8080");
  };
  Port port;
  std::string rest(text);
  if (size_t slash = rest.find('/'); slash != std::string::npos) {
    port.proto = rest.substr(slash + 1);
    rest.resize(slash);
    if (port.proto != "tcp" && port.proto != "udp") throw bad();
  }
  auto parts = split(rest, ':');
  if (parts.size() < 2 || parts.size() > 3) throw bad();
  if (parts.size() == 3) {
    auto bytes = split(parts[0], '.');
    if (bytes.size() != 4) throw bad();
    // Rewritten, so that one address has one form.
    for (const std::string& b : bytes)
      port.host_address += fmt::format("{}{}", port.host_address.empty() ? "" : ".",
                                       parse_number("address", b, 0, 255));
  }
  port.host = static_cast<int>(parse_number("port", parts[parts.size() - 2], 1, 65535));
  port.guest = static_cast<int>(parse_number("port", parts.back(), 1, 65535));
  return port;
}

std::string to_text(const Port& p) {
  return fmt::format("{}{}{}:{}{}", p.host_address, p.host_address.empty() ? "" : ":", p.host,
                     p.guest, p.proto == "tcp" ? "" : "/" + p.proto);
}

} // namespace banger
