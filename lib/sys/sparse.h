// Large files with holes: written as their bytes come, read without their holes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/handle.h"
#include "model/tree.h"

namespace banger::sys {

// A new file, 0600, whose long runs of zeros become holes, however they come. `path` must not
// exist. Nothing is synced, and nothing removed.
class SparseFile {
public:
  explicit SparseFile(std::string path);

  // A range that is never written is zeros.
  void write(int64_t offset, std::string_view data);
  // Bytes written that are no hole.
  int64_t data() const { return data_; }
  // Its size from here on.
  void set_size(int64_t size);
  int fd() const { return fd_.get(); }

private:
  std::string path_;
  Fd fd_;
  int64_t data_ = 0;
};

bool is_zero(std::string_view data); // all of it

// The first `size` bytes of a file, without its holes; the descriptor must stay open. An unreadable
// or missing part is Error(failed) that quotes `shown`: else it would become zeros.
ChunkSource chunks_of(int fd, int64_t size, const std::string& shown);

} // namespace banger::sys
