#include "core/version.h"

#include <charconv>

namespace banger {

namespace {

// Takes a number and the dot behind it from the front; 0 where there is none.
long take_number(std::string_view& text) {
  long number = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (text.starts_with('.'))
    text.remove_prefix(1);
  else
    text = {};
  return number;
}

} // namespace

std::string_view version() { return BANGER_VERSION; }

bool is_older(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    long x = take_number(a), y = take_number(b);
    if (x != y) return x < y;
  }
  return false;
}

} // namespace banger
