#include "sys/memory.h"

#include <algorithm>
#include <string>

#include <sys/resource.h>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "sys/file.h"

namespace banger::sys {

int64_t meminfo(std::string_view key) {
  for (const std::string& line : split(read_file("/proc/meminfo", 65536), '\n')) {
    if (!line.starts_with(key)) continue;
    std::string_view number = trim(std::string_view(line).substr(key.size()));
    number = number.substr(0, number.find(' '));
    return parse_number("memory", number, 0, int64_t{1} << 50) * 1024;
  }
  throw failed("cannot read the host's memory: /proc/meminfo has no '{}'", key);
}

std::optional<int64_t> largest_allocation() {
  std::optional<int64_t> most;
  std::string policy(trim(find_content("/proc/sys/vm/overcommit_memory").value_or("")));
  if (policy == "0") // the heuristic one refuses what could never be had
    most = meminfo("MemTotal:") + meminfo("SwapTotal:");
  else if (policy == "2")
    most = std::max<int64_t>(0, meminfo("CommitLimit:") - meminfo("Committed_AS:"));
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    most = std::min(most.value_or(INT64_MAX), static_cast<int64_t>(limit.rlim_cur));
  return most;
}

} // namespace banger::sys
