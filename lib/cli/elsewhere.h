// The words of people who come from docker, podman, Lima, Multipass, virsh, git or systemd, and how
// the same is done here. Pure: two tables.
//
// An answer is a hint, a line for people. Where the command that it names destroys something, it
// says so. It knows only words that those tools have; a misspelt word is the business of
// did_you_mean (core/text.h).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace banger::cli {

// `place` is as people call it: "banger", "banger vm", "banger image", "banger net".
std::optional<std::string> verb_from_elsewhere(std::string_view place, std::string_view word);

// `flag` as it was typed, "--mem" or "-it"; of several letters each is looked for. `has` tells
// whether the verb that it was given to takes an option; a hint at one that it does not take is
// passed over.
std::optional<std::string> option_from_elsewhere(std::string_view flag,
                                                 const std::function<bool(std::string_view)>& has);

} // namespace banger::cli
