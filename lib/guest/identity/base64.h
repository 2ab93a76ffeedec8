// Base64 (RFC 4648, with padding) of binary text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace banger::guest {

std::string base64(std::string_view bytes);
// None if it is not base64 to the last character; no white space is skipped.
std::optional<std::string> from_base64(std::string_view text);

} // namespace banger::guest
