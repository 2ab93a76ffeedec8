// Ports of a VM, offered on this machine for as long as somebody stays.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/common/context.h"

namespace banger::ops {

struct LocalForward {
  std::string address = "127.0.0.1"; // here
  int port = 0;                      // here; 0: one that is free
  int guest = 0;
  bool operator==(const LocalForward&) const = default;
};
// "80", "8080:80", "0.0.0.0:8080:80", "localhost:8080:80". Pure. Throws Error(usage).
LocalForward parse_forward(std::string_view word);

// Listens, logs in, calls `ready` with the VM's name and the ports as they are, and serves until
// INT, TERM or HUP. Throws Error(conflict) for a port that is taken, before the guest is asked
// anything; Error(unreachable) when the guest goes.
void ssh_forward(
    Reader& in, const std::string& ref, std::vector<LocalForward> forwards,
    const std::function<void(const std::string& vm, const std::vector<LocalForward>&)>& ready);

} // namespace banger::ops
