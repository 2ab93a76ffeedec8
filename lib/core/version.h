#pragma once
#include <string_view>
namespace banger {
// Of this build, "0.1.0".
std::string_view version();
// Where `cmake --install` was told to put the tree (CMAKE_INSTALL_PREFIX).
std::string_view install_prefix();
} // namespace banger
