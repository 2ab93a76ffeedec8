// What the program of a VMM needs of the system that it runs on.
#pragma once

#include <string>
#include <vector>

namespace banger::vmm {

// Directories and files to read, whether they are there or not: none for a program that is linked
// whole, libraries and data for one that is not, and all of the system's programs for a script.
// `program` is a real path; the program itself is the first.
std::vector<std::string> needs_of(const std::string& program);

} // namespace banger::vmm
