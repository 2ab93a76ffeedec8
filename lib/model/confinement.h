// What keeps a VMM from the rest of its host, and what of it is open to it all the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace banger {

struct Confinement {
  bool in_cell = false; // namespaces with a root directory and processes of its own (sys/cell.h)
  int landlock = 0;     // the version that is in force; 0: none is
  bool operator==(const Confinement&) const = default;
};

// As Vm::confinement has it: "namespaces, landlock 7", or one of them; empty: nothing is in force.
std::string to_text(const Confinement& c);
// Of a text that is none of those what of it is known.
Confinement parse_confinement(std::string_view text);

// What a VMM that is confined so reaches of its host, and would not with namespaces, or with the
// latest Landlock: each in a few words. `own_network`: it is in a network namespace that is not the
// host's. Where nothing is in force that is all that its user reaches, and not this.
std::vector<std::string> left_open(const Confinement& c, bool own_network);

} // namespace banger
