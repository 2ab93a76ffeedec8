// How an archive's bytes are asked for (archive/sources.h has where they come from).
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace banger::archive {

// Waits for bytes and gives as many as it has; 0 at the end. An exception that it throws comes out
// of the caller that pulls.
using Pull = std::function<size_t(std::span<char>)>;

} // namespace banger::archive
