// A file that nobody else changes for a while: a write lease, fcntl(2).
//
// It is had only while nobody else has the file open, and from then on whoever opens it waits:
// until this goes, or for the time that the host allows, /proc/sys/fs/lease-break-time (45 s).
#pragma once

#include <string>

#include "core/units.h"

namespace banger::sys {

class Lease {
public:
  // `fd`: the file, open for reading and writing, which is the effective user's. Waits for those
  // who have it open; Error(conflict) where one still has after `patience`, Error(preflight) on a
  // file system without leases. SIGIO is ignored from then on.
  Lease(int fd, const std::string& shown, Millis patience);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  // Throws Error(conflict) where somebody waits to write to it, or was let in.
  void require_held() const;

private:
  int fd_;
  std::string shown_;
};

} // namespace banger::sys
