#include "sys/umask.h"

#include <charconv>

#include "core/error.h"
#include "sys/file.h"

namespace banger::sys {

mode_t file_mask() {
  // As in proc(5): "Umask:\t0022".
  constexpr std::string_view key = "\nUmask:\t";
  std::string status = read_file("/proc/self/status");
  size_t at = status.find(key);
  if (at == std::string::npos) throw failed("cannot tell the umask: /proc/self/status lacks it");
  at += key.size();
  mode_t mask = 0;
  std::from_chars(status.data() + at, status.data() + status.size(), mask, 8);
  return mask & 0777;
}

} // namespace banger::sys
