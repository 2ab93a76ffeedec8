// The settings of a network link, in this network namespace.
#pragma once

#include <string>
#include <string_view>

namespace banger::net {

// The file of a setting of IPv4: "forwarding".
std::string sysctl_of(const std::string& link, std::string_view key);
// False where there is no such file, too.
bool is_on(const std::string& path);
// Nothing where there is no such file, or where it is so already.
void turn(const std::string& path, bool on);
// Of what comes in at the link.
bool is_forwarding(const std::string& link);

} // namespace banger::net
