// The domain that VMs have their names in ("vm": "demo.vm"), validated once, a plain string ever
// after.
#pragma once

#include <string>
#include <string_view>

namespace banger {

// Returns `text` itself: labels as a VM's name is one (model/name.h), joined by '.', such that no
// VM's name in it is longer than the 253 characters of a name in DNS, or reads as an address.
// `what` is what the error calls it. Throws Error(usage) that says what is wrong with it.
std::string valid_zone(std::string_view what, std::string_view text);

// "demo.vm".
std::string full_name(std::string_view name, std::string_view zone);

} // namespace banger
