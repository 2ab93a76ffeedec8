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

  std::vector<size_t> full(columns_.size());
  for (const auto& line : lines)
    for (size_t i = 0; i < line.size(); i++) full[i] = std::max(full[i], width_of(line[i]));

  std::vector<bool> stays(columns_.size(), true);
  std::vector<size_t> widths;
  // With one column less until it fits, or until none of those that may go is left.
  while (true) {
    widths = full;
    size_t total = 0;
    for (size_t i = 0; i < widths.size(); i++)
      if (stays[i]) total += widths[i] + (total ? gap : 0);
    while (width != 0 && total > width) {
      // The widest of those that may shrink gives way, a column at a time.
      size_t widest = columns_.size();
      for (size_t i = 0; i < columns_.size(); i++)
        if (stays[i] && columns_[i].shrink &&
            widths[i] > std::max(narrowest, width_of(columns_[i].title)) &&
            (widest == columns_.size() || widths[i] > widths[widest]))
          widest = i;
      if (widest == columns_.size()) break;
      widths[widest]--;
      total--;
    }
    if (width == 0 || total <= width) break;
    size_t first = columns_.size();
    for (size_t i = 0; i < columns_.size(); i++)
      if (stays[i] && columns_[i].goes > (first == columns_.size() ? 0 : columns_[first].goes))
        first = i;
    if (first == columns_.size()) break;
    stays[first] = false;
  }

  std::string out;
  for (const auto& line : lines) {
    size_t begin = out.size();
    for (size_t i = 0; i < line.size(); i++) {
      if (!stays[i]) continue;
      if (out.size() > begin) out.append(gap, ' ');
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
