// The work of the two small programs of the private network (libexec/banger).
#pragma once

#include <string>
#include <vector>

namespace banger::net {

// banger-netns: holds a network namespace (net/holder.h), listening on descriptor 3.
//   new                one of its own
//   enter [with-user]  that of descriptor 4, in the user namespace of descriptor 5
//   try                makes one with a bridge, rules and a tap in it, and ends
// Returns only by throwing, but for `try`.
void hold_network(const std::vector<std::string>& words);

// banger-enter: enters namespaces, where it is told to, and becomes a program that has no rights
// there, and reaches no more of the host than what is named (sys/confine.h), where --confine is.
//   [--net FD [--user FD]] [--confine tcp|no-tcp] [--read PATH] [--write PATH] [--device PATH]
//   [--directory PATH]… -- PROGRAM WORD…
[[noreturn]] void enter_network(const std::vector<std::string>& words);

} // namespace banger::net
