#include <algorithm>

#include "cli/app.h"
#include "core/text.h"

namespace banger::cli {

namespace {

// Columns a cell takes: its code points. Wide and combining characters are counted as one; names,
// sizes and times have none.
size_t width_of(std::string_view s) {
  return static_cast<size_t>(
      std::count_if(s.begin(), s.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// The place behind `columns` code points.
size_t behind(std::string_view s, size_t columns) {
  size_t at = 0;
  for (; columns > 0 && at < s.size(); columns--) do
      at++;
    while (at < s.size() && (s[at] & 0xc0) == 0x80);
  return at;
}

// Text loses its end. What is one word (a name, a path) loses its middle: names that are alike
// mostly differ at their ends.
std::string cut(std::string_view s, size_t width) {
  size_t all = width_of(s);
  if (all <= width) return std::string(s);
  if (s.find(' ') != std::string_view::npos)
    return fmt::format("{}…", s.substr(0, behind(s, width - 1)));
  size_t end = (width - 1) / 2;
  return fmt::format("{}…{}", s.substr(0, behind(s, width - 1 - end)),
                     s.substr(behind(s, all - end)));
}

// One line: the terminal's escapes keep newlines and tabs, a table cannot.
std::string cell_text(std::string_view text) {
  std::string out;
  for (char c : escape_for_terminal(text))
    if (c == '\n' || c == '\t')
      out += ' ';
    else
      out += c;
  return out;
}

} // namespace

std::string Table::text(size_t width) const {
  constexpr size_t gap = 2, narrowest = 6;
  std::vector<std::vector<std::string>> lines;
  lines.reserve(rows_.size() + 1);
  auto& titles = lines.emplace_back();
  for (const Column& c : columns_) titles.push_back(c.title);
  for (const auto& row : rows_) {
    auto& line = lines.emplace_back();
    for (size_t i = 0; i < columns_.size(); i++)
      line.push_back(i < row.size() ? cell_text(row[i]) : std::string());
  }

  std::vector<size_t> widths(columns_.size());
  for (const auto& line : lines)
    for (size_t i = 0; i < line.size(); i++) widths[i] = std::max(widths[i], width_of(line[i]));

  size_t total = columns_.empty() ? 0 : gap * (columns_.size() - 1);
  for (size_t w : widths) total += w;
  while (width != 0 && total > width) {
    // The widest of those that may shrink gives way, a column at a time.
    size_t widest = columns_.size();
    for (size_t i = 0; i < columns_.size(); i++)
      if (columns_[i].shrink && widths[i] > narrowest &&
          (widest == columns_.size() || widths[i] > widths[widest]))
        widest = i;
    if (widest == columns_.size()) break;
    widths[widest]--;
    total--;
  }

  std::string out;
  for (const auto& line : lines) {
    size_t begin = out.size();
    for (size_t i = 0; i < line.size(); i++) {
      if (i) out.append(gap, ' ');
      std::string cell = cut(line[i], widths[i]);
      size_t pad = widths[i] - width_of(cell);
      if (columns_[i].right) out.append(pad, ' ');
      out += cell;
      if (!columns_[i].right) out.append(pad, ' ');
    }
    while (out.size() > begin && out.back() == ' ') out.pop_back();
    out += '\n';
  }
  return out;
}

} // namespace banger::cli
