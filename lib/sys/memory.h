// The host's memory, as the kernel counts it and gives it. Bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace banger::sys {

// A line of /proc/meminfo, "MemTotal:". Error(failed) where there is no such line.
int64_t meminfo(std::string_view key);

// The most that one process can be given at once: the bound of the kernel's policy of
// overcommitting and of this process's own limit. None where nothing bounds it.
std::optional<int64_t> largest_allocation();

} // namespace banger::sys
