// Whether a chain of a packet filter drops by a rule what none of its rules before took: a last
// `drop` or `reject` without any condition, in it or in a chain that it leads all to. Pure.
//
// Such a chain lets through as little as one whose policy is drop, whatever its policy says. A rule
// with a condition is not weighed: who drops all TCP, or all new connections, is not found.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace banger::net {

// `list` gives a chain of the same table, as nftables lists it as JSON.
bool ends_in_drop(const std::string& chain,
                  const std::function<std::string(const std::string& chain)>& list);
// The same of what `iptables -S` prints of a table.
bool ends_in_drop(std::string_view rules, std::string_view chain);

} // namespace banger::net
