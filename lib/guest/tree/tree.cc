#include "guest/tree/tree.h"

#include "core/text.h"

namespace banger::guest {

void copy_tree(TreeSource& source, TreeSink& sink, CopyTotals& totals,
               const std::function<void()>& moved) {
  std::vector<char> buffer(size_t{128} << 10);
  while (auto entry = source.next()) {
    sink.entry(*entry);
    totals.files += entry->type != TreeEntry::Type::directory;
    while (size_t n = source.read(buffer)) {
      sink.data({buffer.data(), n});
      totals.bytes += static_cast<int64_t>(n);
      moved();
    }
    moved();
  }
  totals.left_out = source.left_out();
}

std::optional<std::string> plain_path(std::string_view path) {
  if (path.size() > longest_path || path.empty() || path[0] == '/' ||
      path.find('\0') != std::string_view::npos)
    return {};
  std::string plain;
  for (const std::string& name : split(path, '/')) {
    if (name.empty() || name == ".") continue;
    if (name == ".." || name.size() > longest_name) return {};
    if (!plain.empty()) plain += '/';
    plain += name;
  }
  return plain;
}

} // namespace banger::guest
