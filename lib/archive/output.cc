#include "archive/output.h"

#include <cerrno>
#include <utility>

namespace banger::archive {

Output::~Output() {
  // Else libarchive fills up the file that is being written, with zeros and however large it is.
  archive_write_fail(archive_.get());
}

void Output::open() { check(archive_write_open(archive_.get(), this, nullptr, pass_on, nullptr)); }

void Output::header(archive_entry* entry) {
  int result = archive_write_header(archive_.get(), entry);
  // A name that is no UTF-8: its bytes are written, and marked as such.
  if (result == ARCHIVE_WARN && archive_errno(archive_.get()) == EILSEQ) return;
  check(result);
}

void Output::write(std::string_view data) {
  la_ssize_t n = archive_write_data(archive_.get(), data.data(), data.size());
  check(n == static_cast<la_ssize_t>(data.size()) ? ARCHIVE_OK : ARCHIVE_FATAL);
}

void Output::close() { check(archive_write_close(archive_.get())); }

la_ssize_t Output::pass_on(struct ::archive* a, void* self, const void* data, size_t size) {
  auto* output = static_cast<Output*>(self);
  try {
    output->sink_({static_cast<const char*>(data), size});
    return static_cast<la_ssize_t>(size);
  } catch (...) {
    output->failure_ = std::current_exception();
    archive_set_error(a, EIO, "the sink failed");
    return -1;
  }
}

void Output::check(int result) {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  if (result != ARCHIVE_OK) throw archive_error(archive_.get(), "write", what_);
}

} // namespace banger::archive
