// Lock files: one holder at a time, let go by the kernel when the holder dies.
//
// Open file description locks (fcntl OFD): a lock belongs to the descriptor, lives through exec
// when that is inheritable, and others can see that it is held without taking it.
#pragma once

#include <optional>
#include <string>

#include "core/handle.h"

namespace banger::sys {

class FileLock {
public:
  // Waits until it is free. Throws Error(not_found) if the file was removed meanwhile (its owner is
  // gone). The directory must exist; the file is made, 0600.
  static FileLock take(const std::string& path);
  static std::optional<FileLock> try_take(const std::string& path);
  // Whether some process holds it: open, fcntl, close; takes nothing. False if the file is absent.
  static bool is_held(const std::string& path);
  // A lock that this process inherited as `fd` over exec.
  static FileLock adopt(int fd) { return FileLock(Fd(fd)); }

  void release() { fd_.reset(); }
  int fd() const { return fd_.get(); }

private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

} // namespace banger::sys
