// Names of the DNS in the form that packets have, and as people write them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/subnet.h"

namespace banger::dns {

// A name as in a packet: each label behind a byte with its length, an empty label at the end, and
// ASCII letters in lower case, so that equal names are equal bytes. "\4demo\2vm\0".
using Name = std::string;

inline constexpr size_t longest_name = 255, longest_label = 63;

// `text` is labels joined by dots, with or without a dot at its end. Error(usage) for other text.
Name parse_name(std::string_view text);
// "demo.vm"; the root is ".". Bytes that are no letter, digit, '-' or '_' are shown as \DDD.
std::string to_text(std::string_view name);

// Where the addresses of `a` have their name: "1.0.0.127.in-addr.arpa".
Name reverse_name(Address a);
// The addresses whose reverse names are `name`, in lower case, or lie below it: a whole prefix for
// a short name. A name below that of one address gives that address. None for any other name.
std::optional<Prefix> reversed(std::string_view name);

// Names are compared so: ASCII letters alone have a case.
inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

} // namespace banger::dns
