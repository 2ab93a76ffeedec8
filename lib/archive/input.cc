#include "archive/input.h"

#include <cerrno>
#include <utility>

#include "core/units.h"

namespace banger::archive {

namespace {

constexpr size_t block_size = size_t{128} << 10;

} // namespace

void Input::open() {
  block_.resize(block_size);
  check(archive_read_open(archive_.get(), this, nullptr, pass_on, nullptr));
}

archive_entry* Input::next() {
  in_header_ = true;
  header_ = 0;
  archive_entry* entry = nullptr;
  if (check(archive_read_next_header(archive_.get(), &entry)) == ARCHIVE_EOF) return nullptr;
  in_header_ = false;
  return entry;
}

int Input::check(int result) {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  if (result == ARCHIVE_OK || result == ARCHIVE_EOF) return result;
  // A name that is no UTF-8: its bytes are kept.
  if (result == ARCHIVE_WARN && archive_errno(archive_.get()) == EILSEQ) return ARCHIVE_OK;
  throw archive_error(archive_.get(), "read", name_);
}

std::string_view Input::rest() {
  if (!std::exchange(resting_, true)) {
    auto left = static_cast<size_t>(given_ - archive_filter_bytes(archive_.get(), 0));
    if (left > 0 && left <= in_block_)
      return std::string_view(block_).substr(in_block_ - left, left);
  }
  return std::string_view(block_).substr(0, pull_(block_));
}

la_ssize_t Input::pass_on(struct ::archive* a, void* self, const void** data) {
  auto* input = static_cast<Input*>(self);
  try {
    size_t n = input->pull_(input->block_);
    if (input->in_header_ && (input->header_ += n) > longest_header)
      throw failed("cannot read '{}': an entry's header is too long, more than {}", input->name_,
                   format_size(static_cast<int64_t>(longest_header)));
    input->in_block_ = n;
    input->given_ += static_cast<int64_t>(n);
    *data = input->block_.data();
    return static_cast<la_ssize_t>(n);
  } catch (...) {
    input->failure_ = std::current_exception();
    archive_set_error(a, EIO, "the pull failed");
    return -1;
  }
}

} // namespace banger::archive
