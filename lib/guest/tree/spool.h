// Content whose size is not known before all of it has come: above all that of /proc and /sys,
// where a file's size says nothing. Kept in memory, so that it is bounded.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "core/handle.h"

namespace banger::guest {

// A file that seems to have nothing in it, and says by its size at best how much there may be: up
// to here it is read to see. One of holes alone that is larger is believed to be one.
inline constexpr int64_t doubted_size = int64_t{16} << 20;

class Spool {
public:
  // A file that is larger, and whose size says nothing, is refused.
  static constexpr int64_t most = int64_t{256} << 20;

  // Takes the pieces of `pull` until one is empty. Throws Error(failed) for more than `most`;
  // `shown` is for that.
  Spool(const std::function<size_t(std::span<char>)>& pull, const std::string& shown);

  int64_t size() const { return size_; }
  // From the beginning on; 0 at the end.
  size_t read(std::span<char> buffer);

private:
  Fd memory_; // none for empty content
  int64_t size_ = 0, given_ = 0;
};

} // namespace banger::guest
