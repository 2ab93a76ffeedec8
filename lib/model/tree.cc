#include "model/tree.h"

#include <algorithm>

namespace banger {

std::optional<std::string> plain_path(std::string_view path) {
  if (path.size() > longest_path || path.empty() || path[0] == '/' || path.find('\0') != path.npos)
    return {};
  std::string plain;
  for (size_t at = 0; at < path.size();) {
    size_t end = std::min(path.find('/', at), path.size());
    std::string_view part = path.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == ".." || part.size() > longest_name) return {};
    if (!plain.empty()) plain += '/';
    plain += part;
  }
  return plain;
}

} // namespace banger
