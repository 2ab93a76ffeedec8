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
// there, and reaches no more of the host than what is named, where --confine is: in a cell
// (sys/cell.h), and confined by Landlock there (sys/confine.h). Of a cell it tells the program's
// pid on the descriptor of --report. Where the host allows no cell, Landlock is all there is, this
// process becomes the program, and it says so on its standard error.
// With the word `try` it only tries to make a cell, and ends.
// With --cell DIR, first of all, the cell is told as that directory's (sys/cells.h).
//   [--cell DIR] [--net FD [--user FD]] [--confine tcp|no-tcp --report FD]
//   [--read PATH] [--write PATH] [--device PATH] [--directory PATH] [--sockets PATH]…
//   [--file-size BYTES] -- PROGRAM WORD…
void enter_network(const std::vector<std::string>& words);

} // namespace banger::net
