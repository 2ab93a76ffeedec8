// Sizes, durations and times as people write them.
//
// Sizes are bytes in int64_t; suffixes are binary multiples ("512M", "1.5G"; K M G T P, or none;
// with B or iB behind them the same).
// Durations are std::chrono; "30s", "1.5s", "1m30s", "2h 5m", "250ms", a bare number is seconds;
// the units' longer names as well ("5min"). Parsers take what formatters give, and throw
// Error(usage) that quotes what was given.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace banger {

using Seconds = std::chrono::duration<double>;
using Millis = std::chrono::milliseconds;

// More than nothing, less than 2^62 bytes and at most `max`. `what` names it in the error.
int64_t parse_size(std::string_view what, std::string_view text, int64_t max = int64_t{1} << 50);
// "512M", "1.5G", "0": at most four significant characters and a unit.
std::string format_size(int64_t bytes);

Millis parse_duration(std::string_view what, std::string_view text);
// "0.4s", "12s", "3m 20s", "2h 5m", "3d 4h".
std::string format_duration(Seconds d);

// Throws Error(usage) that calls it `what` and quotes it; where it is part of what somebody typed,
// the `whole` of that.
int64_t parse_number(std::string_view what, std::string_view text, int64_t min, int64_t max,
                     std::string_view whole = {});

} // namespace banger
