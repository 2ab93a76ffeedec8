#include "cli/layout.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"

namespace banger::cli {

namespace {

// The place behind `columns` code points.
size_t behind(std::string_view s, size_t columns) {
  size_t at = 0;
  for (; columns > 0 && at < s.size(); columns--) do
      at++;
    while (at < s.size() && (s[at] & 0xc0) == 0x80);
  return at;
}

} // namespace

size_t width_of(std::string_view s) {
  return static_cast<size_t>(
      std::count_if(s.begin(), s.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string cut_end(std::string_view s, size_t width) {
  if (width_of(s) <= width) return std::string(s);
  return fmt::format("{}…", s.substr(0, behind(s, width - 1)));
}

std::string cut(std::string_view s, size_t width) {
  size_t all = width_of(s);
  if (all <= width || s.find(' ') != std::string_view::npos) return cut_end(s, width);
  size_t end = (width - 1) / 2;
  return fmt::format("{}…{}", s.substr(0, behind(s, width - 1 - end)),
                     s.substr(behind(s, all - end)));
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
    // What was indented stays so, all of it.
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
