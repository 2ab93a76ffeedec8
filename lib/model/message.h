// Lines that banger's own programs say to each other: one JSON object each, with "v".
//
// Programs of the build before may still run after an upgrade. So an addition is a new key, which
// they ignore, or a new verb, which they refuse; "v" grows only when the meaning of a known one
// changes.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "model/wire.h"

namespace banger {

inline constexpr int message_version = 1;

// The object of a line. Throws Error(failed) for a line that is none, has no version, or a newer
// one than this build knows.
Json parse_message(std::string_view line);
// No object, no version, or a member of another type.
Error unreadable_message();

// The result of `read` on the line's object; a member of the wrong type is Error(failed), too.
template <typename Read>
auto read_message(std::string_view line, Read&& read) {
  try {
    return std::forward<Read>(read)(parse_message(line));
  } catch (const Json::exception&) {
    throw unreadable_message();
  }
}

// An error that another program told, as an object with code, message, subject, hint and log, each
// of which may be missing or null; `otherwise` where it says nothing.
Error told_error(const Json& e, std::string_view otherwise);

// As a line, with its newline. Text that is no valid UTF-8 gets replacement characters.
std::string message_line(const Json& message);

} // namespace banger
