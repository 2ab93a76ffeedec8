#pragma once
#include <string_view>
namespace banger {
// Of this build, "0.1.0".
std::string_view version();
// Whether version `a` is before `b`: by their numbers, from left to right.
bool is_older(std::string_view a, std::string_view b);
} // namespace banger
