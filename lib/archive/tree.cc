#include "archive/tree.h"

#include "archive/entry.h"

namespace banger::archive {

struct TreeReader::Impl {
  std::string name;
  Utf8Names utf8;
  Handle tar{archive_read_new()};
};

TreeReader::TreeReader(int fd, std::string name) : impl_(std::make_unique<Impl>()) {
  impl_->name = std::move(name);
  struct ::archive* tar = impl_->tar.get();
  archive_read_support_filter_gzip(tar);
  archive_read_support_filter_xz(tar);
  archive_read_support_filter_zstd(tar);
  archive_read_support_filter_bzip2(tar);
  archive_read_support_format_tar(tar);
  if (archive_read_open_fd(tar, fd, size_t{1} << 18) != ARCHIVE_OK)
    throw archive_error(tar, "read", impl_->name);
}
TreeReader::TreeReader(TreeReader&&) noexcept = default;
TreeReader::~TreeReader() = default;

std::optional<TreeEntry> TreeReader::next() {
  Utf8Names::Scope utf8(impl_->utf8);
  struct ::archive* tar = impl_->tar.get();
  archive_entry* e = nullptr;
  int result = archive_read_next_header(tar, &e);
  if (result == ARCHIVE_EOF) return {};
  // A warning is about a name that is no UTF-8: its bytes are kept.
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN) throw archive_error(tar, "read", impl_->name);
  return tree_entry(e, impl_->name);
}

std::optional<TreeChunk> TreeReader::chunk() {
  const void* data = nullptr;
  size_t size = 0;
  la_int64_t offset = 0;
  int result = archive_read_data_block(impl_->tar.get(), &data, &size, &offset);
  if (result == ARCHIVE_EOF) return {};
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
    throw archive_error(impl_->tar.get(), "read", impl_->name);
  return TreeChunk{offset, {static_cast<const char*>(data), size}};
}

} // namespace banger::archive
