// Names and ids, validated once, plain strings ever after.
//
// A name is one RFC 1123 label: [a-z0-9]([a-z0-9-]*[a-z0-9])?, at most 63 characters.
// An id is 12 lower-case hex digits. Where a name is taken, a unique prefix of at least 4 digits of
// an id serves too; a name beats a prefix (state/ resolves them).
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace banger {

// Returns `text` itself. `what` is "VM name", "image name". Throws Error(usage) that says what is
// wrong with it.
std::string valid_name(std::string_view what, std::string_view text);
bool is_name(std::string_view text);

// A name that `banger ssh` would take for one of its verbs; refused when a VM is made.
bool is_reserved_vm_name(std::string_view name);
// Another meaning of a name, for which no new VM may have it; empty if there is none. A VM that has
// such a name keeps it.
std::string_view other_meaning(std::string_view name);
// The same of an image: verbs of banger ssh may be names of images.
std::string_view other_image_meaning(std::string_view name);

// Whether text could be an id or a prefix of one (4 to 12 lower-case hex digits).
bool is_id_prefix(std::string_view text);

std::string new_id();
// 4 hex digits that mark every host object of one state; never 00xx or ffxx, because its bytes
// are also the middle of the state's loopback range 127.X.Y.0/24.
std::string new_tag();

// "k=v", k of [A-Za-z0-9._/-], 1 to 63 characters; v any text without control characters, at most
// 255 bytes. Throws Error(usage).
std::pair<std::string, std::string> parse_label(std::string_view text);
using Labels = std::map<std::string, std::string>;

} // namespace banger
