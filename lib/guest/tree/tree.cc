#include "guest/tree/tree.h"

#include <utility>
#include <vector>

namespace banger::guest {

void Unread::add(std::string what) {
  count++;
  if (first.size() < 3) first.push_back(std::move(what));
}

void copy_tree(TreeSource& source, TreeSink& sink, CopyTotals& totals,
               const std::function<void()>& moved) {
  std::vector<char> buffer(size_t{128} << 10);
  while (auto entry = source.next()) {
    sink.entry(*entry);
    totals.files += !entry->is_dir();
    while (size_t n = source.read(buffer)) {
      sink.data({buffer.data(), n});
      totals.bytes += static_cast<int64_t>(n);
      moved();
    }
    moved();
  }
  totals.left_out = source.left_out();
  totals.unread = source.unread();
  totals.apart = source.apart();
}

} // namespace banger::guest
