// Bounds for a source that tells only at its end how large it is: a tarball, packed content, a
// pipe. Beyond them is Error(failed) that names them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/units.h"
#include "sys/sparse.h"

namespace banger::ops {

struct Limits {
  static constexpr int64_t gib = int64_t{1} << 30;
  static constexpr int64_t unpacked = 16 * gib;  // of a root, where no size was asked for
  static constexpr int64_t beside = gib;         // of a disk's other partitions
  static constexpr int64_t longest = 1024 * gib; // of a disk, holes included

  int64_t root = unpacked;
  explicit Limits(std::optional<int64_t> asked) : root(asked.value_or(unpacked)) {}

  void check(const sys::SparseFile& disk, int64_t size, const std::string& name) const {
    if (disk.data() > root + beside)
      throw failed("'{}' holds more than {}", name, format_size(root + beside))
          .hint("give it more with --size");
    if (size > longest)
      throw failed("'{}' holds a disk of more than {}", name, format_size(longest));
  }
};

} // namespace banger::ops
