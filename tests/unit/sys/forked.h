#pragma once
#include <cerrno>
#include <system_error>
#include <unistd.h>

namespace banger {

// fork(2), and an exception where that fails: kill(2) takes its -1 for every process of the user.
inline int forked() {
  int pid = ::fork();
  if (pid < 0) throw std::system_error(errno, std::system_category(), "fork");
  return pid;
}

} // namespace banger
