#include "cli/layout.h"

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"

namespace banger::cli {

namespace {

std::string_view ellipsis = "…";

using Range = std::pair<char32_t, char32_t>;

// Two columns: W and F of Unicode's EastAsianWidth.txt, its holes of unassigned code points closed.
constexpr Range wide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
    {0x2e80, 0x303e},   {0x3041, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97f},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6f},
    {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x16fe0, 0x18aff}, {0x1b000, 0x1b2ff},
    {0x1f200, 0x1f265}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
    {0x20000, 0x3fffd},
};
// None: marks that stand upon the character before, joiners, what selects a variant.
constexpr Range upon[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x064b, 0x065f},   {0x0e34, 0x0e3a},
    {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},   {0x20d0, 0x20ff},
    {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
};

bool is_in(std::span<const Range> ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](Range r) { return r.first <= c && c <= r.second; });
}

// The columns of the character at `at`, which goes behind it. The text is UTF-8.
size_t step(std::string_view s, size_t& at) {
  auto first = static_cast<unsigned char>(s[at++]);
  if (first < 0x80) return 1;
  char32_t c = first & (first < 0xe0 ? 0x1f : first < 0xf0 ? 0x0f : 0x07);
  for (; at < s.size() && (s[at] & 0xc0) == 0x80; at++) c = c << 6 | (s[at] & 0x3f);
  return is_in(upon, c) ? 0 : is_in(wide, c) ? 2 : 1;
}

// The place behind what fits into `columns`, with the marks upon it.
size_t behind(std::string_view s, size_t columns) {
  for (size_t at = 0, used = 0; at < s.size();) {
    size_t next = at;
    used += step(s, next);
    if (used > columns) return at;
    at = next;
  }
  return s.size();
}

// Where the last characters that fit into `columns` begin.
size_t before(std::string_view s, size_t columns) {
  size_t at = 0;
  for (size_t left = width_of(s); left > columns && at < s.size();) left -= step(s, at);
  for (size_t next = at; at < s.size() && step(s, next) == 0;) at = next;
  return at;
}

} // namespace

size_t width_of(std::string_view s) {
  size_t width = 0;
  for (size_t at = 0; at < s.size();) width += step(s, at);
  return width;
}

void use_plain_ellipsis() { ellipsis = "..."; }

std::string cut_end(std::string_view s, size_t width) {
  if (width_of(s) <= width) return std::string(s);
  size_t dots = width_of(ellipsis);
  if (width <= dots) return std::string(s.substr(0, behind(s, width)));
  return fmt::format("{}{}", s.substr(0, behind(s, width - dots)), ellipsis);
}

std::string cut(std::string_view s, size_t width) {
  size_t all = width_of(s);
  if (all <= width || s.find(' ') != std::string_view::npos) return cut_end(s, width);
  size_t dots = width_of(ellipsis);
  if (width <= dots + 1) return cut_end(s, width);
  size_t end = (width - dots) / 2;
  return fmt::format("{}{}{}", s.substr(0, behind(s, width - dots - end)), ellipsis,
                     s.substr(before(s, end)));
}

std::string on_one_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\t') c = ' ';
  return text;
}

std::string wrapped(std::string_view text, size_t columns, size_t indent) {
  bool breaks = columns > indent + 10; // else there is no room for it
  bool first = true;
  std::string out, next_line = '\n' + std::string(indent, ' ');
  for (const std::string& line : split(text, '\n')) {
    if (!std::exchange(first, false)) out += line.empty() ? "\n" : next_line;
    if (!breaks || indent + width_of(line) <= columns) {
      out += line;
      continue;
    }
    // An indented line stays indented, all of it.
    size_t lead = std::min(line.find_first_not_of(' '), line.size());
    std::string blanks(indent + lead + 10 < columns ? lead : 0, ' ');
    out += blanks;
    size_t used = blanks.size();
    bool begins = true;
    for (const std::string& word : split(std::string_view(line).substr(lead), ' ')) {
      size_t width = width_of(word);
      if (!begins && indent + used + 1 + width > columns) {
        out += next_line + blanks;
        used = blanks.size();
      } else if (!begins) {
        out += ' ';
        used++;
      }
      out += word;
      used += width;
      begins = false;
    }
  }
  return out;
}

} // namespace banger::cli
