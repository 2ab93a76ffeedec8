// What people type who come from docker, podman, Lima, Multipass, virsh, git or systemd, and how it
// is done here. Pure: two tables.
//
// An answer is a hint, a line for people. It says what is lost where what it names destroys
// something, and it is there for words alone that those tools have: what is merely misspelt is
// nobody's business here (core/text.h, did_you_mean).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace banger::cli {

// `place` is as people call it: "banger", "banger vm", "banger image", "banger net".
std::optional<std::string> verb_from_elsewhere(std::string_view place, std::string_view word);

// `flag` as it was typed, "--mem" or "-it". `has` tells whether the verb that it was given to takes
// an option; a hint at one that it does not take is passed over.
std::optional<std::string> option_from_elsewhere(std::string_view flag,
                                                 const std::function<bool(std::string_view)>& has);

} // namespace banger::cli
