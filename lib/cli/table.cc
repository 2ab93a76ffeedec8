#include <algorithm>

#include "cli/app.h"
#include "cli/layout.h"
#include "core/text.h"

namespace banger::cli {

std::string Table::text(size_t width) const {
  constexpr size_t gap = 2, narrowest = 6;
  std::vector<std::vector<std::string>> lines;
  lines.reserve(rows_.size() + 1);
  auto& titles = lines.emplace_back();
  for (const Column& c : columns_) titles.push_back(c.title);
  for (const auto& row : rows_) {
    auto& line = lines.emplace_back();
    for (size_t i = 0; i < columns_.size(); i++)
      line.push_back(i < row.size() ? on_one_line(escape_for_terminal(row[i])) : std::string());
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
