#include "archive/input.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/units.h"

namespace banger::archive {

namespace {

constexpr size_t block_size = size_t{128} << 10;
// Tars are filled up to whole records, of 1 MiB at most where somebody wanted large ones.
constexpr int64_t most_filling = int64_t{64} << 20;
constexpr int as_given = -1; // libarchive's name for the bytes before any filter

} // namespace

void Input::open() {
  for (Block* block : {&block_, &block_before_}) block->bytes.resize(block_size);
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

void Input::end(std::string_view what) {
  int64_t zeros = 0;
  auto look = [&](std::string_view bytes) {
    if (std::ranges::any_of(bytes, [](char c) { return c != 0; }))
      throw failed("cannot read '{}': something follows {}", name_, what);
    if ((zeros += static_cast<int64_t>(bytes.size())) > most_filling)
      throw failed("cannot read '{}': more than {} of zeros follow {}", name_,
                   format_size(most_filling), what);
  };
  const auto left = static_cast<size_t>(given_ - archive_filter_bytes(archive_.get(), as_given));
  const size_t in_last = std::min(left, block_.size);
  look(block_before_.tail(left - in_last));
  look(block_.tail(in_last));
  while (size_t n = pull_(block_.bytes)) look(std::string_view(block_.bytes).substr(0, n));
}

la_ssize_t Input::pass_on(struct ::archive* a, void* self, const void** data) {
  auto* input = static_cast<Input*>(self);
  try {
    size_t n = input->pull_(input->block_before_.bytes);
    if (input->in_header_ && (input->header_ += n) > longest_header)
      throw failed("cannot read '{}': an entry's header is too long, more than {}", input->name_,
                   format_size(static_cast<int64_t>(longest_header)));
    input->block_before_.size = n;
    // At the end it may still have what it was given last.
    if (n > 0) std::swap(input->block_, input->block_before_);
    input->given_ += static_cast<int64_t>(n);
    *data = input->block_.bytes.data();
    return static_cast<la_ssize_t>(n);
  } catch (...) {
    input->failure_ = std::current_exception();
    archive_set_error(a, EIO, "the pull failed");
    return -1;
  }
}

} // namespace banger::archive
