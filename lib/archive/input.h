// libarchive's reader on a pull. For this room's own files.
//
// Set formats and filters on get(), open(), then next() and libarchive's own calls for the data,
// each result through check().
#pragma once

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

  // Block by block what follows that which was consumed; empty at the end. Nothing else may be
  // read any more.
  std::string_view rest();

private:
  static la_ssize_t pass_on(struct ::archive* a, void* self, const void** data);

  Pull pull_;
  std::string name_;
  std::string block_;          // what libarchive was given last
  size_t in_block_ = 0;        // bytes of it
  int64_t given_ = 0;          // bytes in all
  bool resting_ = false;       // rest() was called
  std::exception_ptr failure_; // of the pull: libarchive is C, nothing may be thrown through it
  bool in_header_ = true;
  size_t header_ = 0; // bytes pulled for one
  Handle archive_{archive_read_new()};
};

} // namespace banger::archive
