#include "core/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/error.h"

namespace banger {

namespace {

// A number as people write it: "12", "1.5".
struct Written {
  int64_t whole = 0;
  double part = 0; // below one
  bool has_part = false;
  std::string_view rest; // what follows it
};

// None where no number stands at the front of the text.
std::optional<Written> leading_number(std::string_view text) {
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || !is_digit(text[0])) return {};
  Written w;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), w.whole);
  if (ec != std::errc{}) return {};
  w.rest = text.substr(static_cast<size_t>(end - text.data()));
  if (w.rest.size() < 2 || w.rest[0] != '.' || !is_digit(w.rest[1])) return w;
  w.has_part = true;
  double place = 0.1;
  for (w.rest.remove_prefix(1); !w.rest.empty() && is_digit(w.rest[0]); w.rest.remove_prefix(1)) {
    w.part += place * (w.rest[0] - '0');
    place /= 10;
  }
  return w;
}

// But for the case of ASCII letters.
bool is_same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

// Units of time, the largest first, each with its names; the first is the formatters'.
struct TimeUnit {
  int64_t millis;
  std::array<std::string_view, 4> names;
};
constexpr std::array<TimeUnit, 5> time_units{{{86'400'000, {"d", "day", "days"}},
                                              {3'600'000, {"h", "hr", "hour", "hours"}},
                                              {60'000, {"m", "min", "minute", "minutes"}},
                                              {1000, {"s", "sec", "second", "seconds"}},
                                              {1, {"ms", "msec"}}}};

// Where it stands among those; past the end: nowhere. No name is a second's.
size_t find_time_unit(std::string_view name) {
  if (name.empty()) name = "s";
  auto has_it = [&](const TimeUnit& u) {
    return std::ranges::find(u.names, name) != u.names.end();
  };
  return static_cast<size_t>(std::ranges::find_if(time_units, has_it) - time_units.begin());
}

} // namespace

int64_t parse_size(std::string_view what, std::string_view text, int64_t max) {
  auto bad = [&](std::string_view why) {
    return usage("invalid {} '{}': {}", what, text, why)
        .hint("write a size as 512M, 1.5G or a number of bytes");
  };
  auto number = leading_number(text);
  if (!number) throw bad("not a size");
  std::string_view unit = number->rest;
  int shift = 0;
  if (!unit.empty()) {
    constexpr std::string_view units = "kmgtp";
    size_t place = units.find(static_cast<char>(unit[0] | 0x20));
    if (place == std::string_view::npos) throw bad("unknown unit");
    shift = 10 * static_cast<int>(place + 1);
    unit.remove_prefix(1);
    if (!unit.empty() && !is_same(unit, "iB") && !is_same(unit, "B")) throw bad("unknown unit");
  }
  if (number->has_part && shift == 0) throw bad("its unit is missing");
  if (number->whole > (int64_t{1} << 62 >> shift))
    throw bad(fmt::format("more than {}", format_size(max)));
  int64_t value = number->whole << shift;
  if (number->has_part) value += std::llround(number->part * 1024) << (shift - 10);
  if (value == 0) throw bad("it must be more than nothing");
  if (value > max) throw bad(fmt::format("more than {}", format_size(max)));
  return value;
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
        .hint("write a duration as 30s, 1.5s, 1m30s or 250ms");
  };
  constexpr int64_t most = int64_t{3650} * 86'400'000;
  int64_t total = 0;
  std::string_view rest = text;
  for (size_t next = 0, parts = 0; parts == 0 || !rest.empty(); parts++) {
    if (parts > 0 && rest.starts_with(' ')) rest.remove_prefix(1);
    auto number = leading_number(rest);
    if (!number) throw bad("not a duration");
    size_t end =
        std::min(number->rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), number->rest.size());
    std::string_view unit = number->rest.substr(0, end);
    rest = number->rest.substr(end);
    // A number alone is seconds.
    if (unit.empty() && (parts > 0 || !rest.empty()))
      throw bad(number->rest.empty() ? "the unit of its last number is missing" : "not a duration");
    size_t i = find_time_unit(unit);
    if (i == time_units.size()) throw bad("unknown unit");
    if (i < next) throw bad("larger units come first");
    next = i + 1;
    if (number->has_part && !rest.empty()) throw bad("only its last number may have a fraction");
    int64_t factor = time_units[i].millis;
    if (number->whole > most / factor) throw bad("more than ten years");
    total += number->whole * factor + std::llround(number->part * static_cast<double>(factor));
    if (total > most) throw bad("more than ten years");
  }
  return Millis(total);
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

int64_t parse_number(std::string_view what, std::string_view text, int64_t min, int64_t max,
                     std::string_view whole) {
  int64_t value = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool is_number = ec == std::errc{} && end == text.data() + text.size() && !text.empty();
  bool is_within = value >= min && value <= max;
  if (!whole.empty() && !(is_number && is_within))
    throw usage("invalid {} '{}': '{}' is no number from {} to {}", what, whole, text, min, max);
  if (!is_number) throw usage("invalid {} '{}': not a whole number", what, text);
  if (!is_within) throw usage("invalid {} '{}': it must be from {} to {}", what, text, min, max);
  return value;
}

} // namespace banger
