// Reads a log that another process appends to, and of which the front may be cut off meanwhile
// (sys/copy.h, cut_front).
//
// Gives every byte once and in order as long as the reader is faster than the cutting. After a cut
// it finds its place again by the bytes that it gave last; when these are gone too it goes on with
// the oldest that is kept.
#pragma once

#include <cstdint>
#include <string>

#include "core/handle.h"

namespace banger::sys {

class LogFollower {
public:
  // The file may be absent still.
  explicit LogFollower(std::string path) : path_(std::move(path)) {}

  // The content that is there now, at most its last 8 MiB, or the last `lines` lines of it (0:
  // all). Following goes on behind it.
  std::string tail(size_t lines);
  // The bytes that have come since, at most 64 KiB; empty if there are none.
  std::string next();

private:
  bool open();
  void remember(const std::string& given);
  void find_place();

  std::string path_;
  Fd fd_;
  int64_t offset_ = 0;
  std::string last_; // the end of what was given, directly before offset_
};

} // namespace banger::sys
