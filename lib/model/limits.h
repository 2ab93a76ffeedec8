// The bounds of what a VM may have, for all code that reads or checks such a value. Bytes.
#pragma once

#include <cstdint>

namespace banger {

inline constexpr int64_t mebibyte = int64_t{1} << 20;
inline constexpr int64_t least_memory = 64 * mebibyte; // and always whole mebibytes
inline constexpr int64_t least_disk = 16 * mebibyte;

// Of limits (model/rate_limit.h), a second. With less than the least no guest would come up.
inline constexpr int64_t least_bandwidth = 64 << 10, most_bandwidth = int64_t{1} << 40;
inline constexpr int64_t most_ops = 1'000'000'000;

} // namespace banger
