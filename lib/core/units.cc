#include "core/units.h"

#include <charconv>
#include <cmath>

#include "core/error.h"

namespace banger {

namespace {

// The whole number at the front of text, and what follows it.
bool leading_number(std::string_view text, int64_t& value, std::string_view& rest) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  rest = text.substr(static_cast<size_t>(end - text.data()));
  return ec == std::errc{};
}

} // namespace

int64_t parse_size(std::string_view what, std::string_view text, int64_t max) {
  auto bad = [&](std::string_view why) {
    return usage("invalid {} '{}': {}", what, text, why)
        .hint("write a size as 512M, 2G or a number of bytes");
  };
  int64_t value = 0;
  std::string_view rest;
  if (!leading_number(text, value, rest)) throw bad("not a size");
  int shift = 0;
  if (!rest.empty()) {
    switch (rest[0]) {
    case 'k':
    case 'K':
      shift = 10;
      break;
    case 'm':
    case 'M':
      shift = 20;
      break;
    case 'g':
    case 'G':
      shift = 30;
      break;
    case 't':
    case 'T':
      shift = 40;
      break;
    default:
      throw bad("unknown unit");
    }
    rest.remove_prefix(1);
    if (!rest.empty() && rest != "iB" && rest != "B") throw bad("unknown unit");
  }
  if (value == 0) throw bad("it must be more than nothing");
  if (value > (int64_t{1} << 62 >> shift) || (value << shift) > max)
    throw bad(fmt::format("more than {}", format_size(max)));
  return value << shift;
}

std::string format_size(int64_t bytes) {
  constexpr std::string_view units = "KMGTP";
  if (bytes < 1024) return fmt::format("{}", bytes);
  double v = static_cast<double>(bytes);
  size_t unit = 0;
  for (v /= 1024; v >= 1023.95 && unit + 1 < units.size(); unit++) v /= 1024;
  double rounded = std::round(v * 10) / 10;
  if (rounded >= 100 || rounded == std::floor(rounded))
    return fmt::format("{:.0f}{}", rounded, units[unit]);
  return fmt::format("{:.1f}{}", rounded, units[unit]);
}

Millis parse_duration(std::string_view what, std::string_view text) {
  auto bad = [&](std::string_view why) {
    return usage("invalid {} '{}': {}", what, text, why)
        .hint("write a duration as 30s, 5m or 250ms");
  };
  int64_t value = 0;
  std::string_view unit;
  if (!leading_number(text, value, unit)) throw bad("not a duration");
  int64_t factor = 0;
  if (unit.empty() || unit == "s")
    factor = 1000;
  else if (unit == "ms")
    factor = 1;
  else if (unit == "m")
    factor = 60'000;
  else if (unit == "h")
    factor = 3'600'000;
  else if (unit == "d")
    factor = 86'400'000;
  else
    throw bad("unknown unit");
  if (value > int64_t{3650} * 86'400'000 / factor) throw bad("more than ten years");
  return Millis(value * factor);
}

std::string format_duration(Seconds d) {
  double s = d.count();
  if (s < 9.95) return fmt::format("{:.1f}s", s);
  auto whole = static_cast<int64_t>(std::llround(s));
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m {}s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{}h {}m", whole / 3600, whole % 3600 / 60);
  return fmt::format("{}d {}h", whole / 86400, whole % 86400 / 3600);
}

int64_t parse_number(std::string_view what, std::string_view text, int64_t min, int64_t max) {
  int64_t value = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size() || text.empty())
    throw usage("invalid {} '{}': not a whole number", what, text);
  if (value < min || value > max)
    throw usage("invalid {} '{}': it must be from {} to {}", what, text, min, max);
  return value;
}

} // namespace banger
