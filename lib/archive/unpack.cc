#include "archive/unpack.h"

#include "archive/handle.h"

namespace banger::archive {

std::string unpack(std::string_view packed, std::string_view what) {
  constexpr size_t limit = size_t{1} << 30;
  Handle reader(archive_read_new());
  archive_read_support_filter_xz(reader.get());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_zstd(reader.get());
  archive_read_support_filter_lz4(reader.get());
  archive_read_support_filter_bzip2(reader.get());
  archive_read_support_filter_lzma(reader.get());
  archive_read_support_format_raw(reader.get());
  archive_entry* entry;
  if (archive_read_open_memory(reader.get(), packed.data(), packed.size()) != ARCHIVE_OK ||
      archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK)
    throw archive_error(reader.get(), "unpack", what);
  std::string out;
  for (size_t used = 0;;) {
    if (out.size() - used < (size_t{1} << 20)) out.resize(std::max(2 * used, size_t{4} << 20));
    la_ssize_t n = archive_read_data(reader.get(), out.data() + used, out.size() - used);
    if (n < 0) throw archive_error(reader.get(), "unpack", what);
    used += static_cast<size_t>(n);
    if (used > limit) throw failed("cannot unpack '{}': it is larger than 1 GiB", what);
    if (n == 0) return out.resize(used), out;
  }
}

} // namespace banger::archive
