// Lock files: one holder at a time, let go by the kernel when the holder dies.
//
// Open file description locks (fcntl OFD): a lock belongs to the descriptor, lives through exec
// when that is inheritable, and others can see that it is held without taking it.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/clock.h"
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

// A line to stand in, again and again. Waiters sleep, and are served in the order in which they
// came (the kernel's queue of an OFD lock); a newcomer that arrives just when it is the next one's
// turn may slip in before it. The file stays.
class Line {
public:
  explicit Line(std::string path) : path_(std::move(path)) {}

  class Turn { // lasts until it is destroyed; then it is the next one's
  public:
    explicit Turn(int fd) : fd_(fd) {}
    Turn(Turn&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn();

  private:
    int fd_;
  };
  // None if it does not come before `until`. The file is made, 0600, by the first call.
  std::optional<Turn> stand(SteadyTime until);

private:
  std::string path_;
  Fd fd_;
};

} // namespace banger::sys
