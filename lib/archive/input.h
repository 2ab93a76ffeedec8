// libarchive's reader on a pull. For this room's own files.
//
// Set formats and filters on get(), open(), then next() and libarchive's own calls for the data,
// each result through check().
#pragma once

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>

#include "archive/handle.h"
#include "archive/pull.h"

namespace banger::archive {

class Input {
public:
  // Throws Error(failed) from `check` once it is over for as much as is read before one header:
  // libarchive bounds most of what stands before a file's data, but not its map of holes.
  static constexpr size_t longest_header = size_t{8} << 20;

  Input(Pull pull, std::string name) : pull_(std::move(pull)), name_(std::move(name)) {}
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  struct ::archive* get() const {
    return archive_.get();
  }
  const std::string& name() const { return name_; }
  void open();
  // The next entry, libarchive's own; null at the end.
  archive_entry* next();
  // The result of one of libarchive's calls, if it is ARCHIVE_OK or ARCHIVE_EOF. Throws what the
  // pull threw, or else what libarchive says.
  int check(int result);

  // Reads what was not consumed, up to the end. Throws Error(failed) unless it is zeros, as
  // archives are filled up with; `what` ends there, in the message. Nothing else may be read any
  // more.
  void end(std::string_view what);

private:
  static la_ssize_t pass_on(struct ::archive* a, void* self, const void** data);

  Pull pull_;
  std::string name_;
  struct Block {
    std::string bytes;
    size_t size = 0; // of those that are filled
    std::string_view tail(size_t n) const {
      return std::string_view(bytes).substr(size - std::min(n, size), n);
    }
  };
  // What libarchive was given last, and before that, of which it may have kept the end.
  Block block_, block_before_;
  int64_t given_ = 0;          // bytes in all
  std::exception_ptr failure_; // of the pull: libarchive is C, nothing may be thrown through it
  bool in_header_ = true;
  size_t header_ = 0; // bytes pulled for one
  Handle archive_{archive_read_new()};
};

} // namespace banger::archive
