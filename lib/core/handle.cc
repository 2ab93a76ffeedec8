#include "core/handle.h"

#include <unistd.h>

namespace banger {

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

} // namespace banger
