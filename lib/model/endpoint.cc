#include "model/endpoint.h"

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"

namespace banger {

Endpoint parse_endpoint(std::string_view what, std::string_view text) {
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos)
    throw usage("invalid {} '{}': no port", what, escape_for_terminal(text.substr(0, 80)))
        .subject(std::string(text.substr(0, 80)))
        .hint("an address of IPv4 and a port, as in 127.0.0.1:42069");
  Endpoint e{parse_address(what, text.substr(0, colon), text), 0};
  e.port = static_cast<int>(parse_number(what, text.substr(colon + 1), 1, 65535, text));
  return e;
}

std::string to_text(const Endpoint& e) { return fmt::format("{}:{}", to_text(e.address), e.port); }

} // namespace banger
