#include "archive/writer.h"

#include <algorithm>
#include <array>

#include "archive/output.h"

namespace banger::archive {

namespace {

constexpr size_t block_size = size_t{128} << 10;

} // namespace

struct Writer::Impl {
  Output tar;
  int64_t size = 0, position = 0; // of the current entry

  // libarchive wants the bytes of holes, too, and leaves them out where the form can.
  void zeros_until(int64_t end) {
    // Never written, so that it is no memory: every page is the kernel's one of zeros.
    static std::array<char, size_t{8} << 20> zeros;
    while (position < end) {
      auto n = std::min<int64_t>(end - position, static_cast<int64_t>(zeros.size()));
      tar.write({zeros.data(), static_cast<size_t>(n)});
      position += n;
    }
  }
};

Writer::Writer(Sink sink, TarForm form) : impl_(new Impl{Output(std::move(sink), "tar")}) {
  struct ::archive* tar = impl_->tar.get();
  if (form == TarForm::pax)
    archive_write_set_format_pax(tar);
  else
    archive_write_set_format_gnutar(tar);
  archive_write_set_bytes_per_block(tar, static_cast<int>(block_size));
  archive_write_set_bytes_in_last_block(tar, 1); // nothing to fill it up
  impl_->tar.open();
}
Writer::~Writer() = default;

void Writer::entry(const TreeEntry& entry) {
  impl_->zeros_until(impl_->size);
  EntryHandle e(archive_entry_new());
  archive_entry_set_pathname(e.get(), entry.path.c_str());
  archive_entry_set_mode(e.get(), entry.mode);
  archive_entry_set_uid(e.get(), entry.uid);
  archive_entry_set_gid(e.get(), entry.gid);
  // libarchive and GNU tar do not mean the same by "-1.5".
  archive_entry_set_mtime(e.get(), entry.mtime, entry.mtime < 0 ? 0 : entry.mtime_ns);
  bool file = entry.is_file();
  if (entry.hard_link) archive_entry_set_hardlink(e.get(), entry.target.c_str());
  if (entry.is_symlink()) archive_entry_set_symlink(e.get(), entry.target.c_str());
  archive_entry_set_size(e.get(), file ? entry.size : 0);
  if (file && entry.size > 0 && entry.data != std::vector<Extent>{{0, entry.size}}) {
    for (auto [offset, length] : entry.data)
      archive_entry_sparse_add_entry(e.get(), offset, length);
    // The end of the file, so that one without any data has a map as well.
    if (entry.data.empty()) archive_entry_sparse_add_entry(e.get(), entry.size, 0);
  }
  impl_->tar.header(e.get());
  impl_->size = file ? entry.size : 0;
  impl_->position = 0;
}

void Writer::chunk(const Chunk& chunk) {
  impl_->zeros_until(chunk.offset);
  impl_->tar.write(chunk.data);
  impl_->position += static_cast<int64_t>(chunk.data.size());
}

void Writer::finish() {
  impl_->zeros_until(impl_->size);
  impl_->tar.close();
}

} // namespace banger::archive
