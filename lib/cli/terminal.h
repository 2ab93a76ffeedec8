// What standard output and error are connected to.
#pragma once

#include <cstddef>
#include <optional>

namespace banger::cli {

// Back to the first column, and the line is empty.
inline constexpr const char* erase_line = "\r\033[K";

bool is_terminal(int fd);
// Columns of the terminal behind fd; none where it is no terminal, or one that does not know.
std::optional<size_t> terminal_width(int fd);

} // namespace banger::cli
