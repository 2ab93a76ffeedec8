// How often rules of nftables were changed, by the kernel's count.
#pragma once

#include <cstdint>

namespace banger::net {

// The generation of the rules in the network namespace that this process is in: each transaction
// that changes some, whoever's, adds one, elements of sets included. What packets add to sets, and
// what they count, is none. 0: it cannot be told. Takes root's rights.
uint32_t rule_generation();

} // namespace banger::net
