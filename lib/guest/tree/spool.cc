#include "guest/tree/spool.h"

#include <cerrno>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "core/units.h"
#include "sys/at.h"

namespace banger::guest {

Spool::Spool(const std::function<size_t(std::span<char>)>& pull, const std::string& shown) {
  std::vector<char> buffer(size_t{128} << 10);
  while (size_t n = pull(buffer)) {
    if (!memory_) memory_.reset(::memfd_create("copy", MFD_CLOEXEC));
    if (!memory_) throw sys_error(errno, "cannot keep '{}' in memory", shown);
    if (size_ + static_cast<int64_t>(n) > most)
      throw failed("cannot copy '{}': its size is not told, and it has more than {}", shown,
                   format_size(most))
          .hint("a copy to standard output has no such limit: banger ssh cp … - >FILE");
    sys::write_at(memory_.get(), size_, {buffer.data(), n}, shown);
    size_ += static_cast<int64_t>(n);
  }
}

size_t Spool::read(std::span<char> buffer) {
  if (!memory_) return 0;
  ssize_t n = 0;
  do n = ::pread(memory_.get(), buffer.data(), buffer.size(), given_);
  while (n < 0 && errno == EINTR);
  if (n < 0) throw sys_error(errno, "cannot read what was kept in memory");
  given_ += n;
  return static_cast<size_t>(n);
}

} // namespace banger::guest
