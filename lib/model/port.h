// Published ports as people write them.
#pragma once

#include <string>
#include <string_view>

#include "model/vm.h"

namespace banger {

// "[ADDR:]HOST:GUEST[/udp]". Without an address host_address is empty: the VM's own loopback
// address. Throws Error(usage).
Port parse_port(std::string_view text);
// What parse_port takes: "127.1.2.3:8080:80/udp"; tcp is not said.
std::string to_text(const Port& port);

} // namespace banger
