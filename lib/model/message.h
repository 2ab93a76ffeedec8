// Lines that banger's own programs say to each other: one JSON object each, with "v".
#pragma once

#include <string>
#include <string_view>

#include "model/wire.h"

namespace banger {

// The object of a line. Throws Error(failed) for a line that is none, or has no version.
Json parse_message(std::string_view line);
// As a line, with its newline. Text that is no valid UTF-8 gets replacement characters.
std::string message_line(const Json& message);

} // namespace banger
