#include "archive/tree_stream.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <utility>

#include <sys/stat.h>

#include "archive/entry.h"
#include "archive/output.h"

namespace banger::archive {

namespace {

constexpr size_t block_size = size_t{128} << 10;
// libarchive bounds most of what stands before a file's data, but not its map of holes.
constexpr size_t longest_header = size_t{8} << 20;

} // namespace

struct TreeStreamReader::Impl {
  Pull pull;
  std::string name;
  std::string block = std::string(block_size, '\0'); // what libarchive was given last
  std::exception_ptr failure{}; // of the pull: nothing may be thrown through libarchive
  bool in_header = true, in_entry = false, open = false;
  size_t header = 0; // bytes pulled for one
  Handle tar{archive_read_new()};

  static la_ssize_t pass_on(struct ::archive* tar, void* self, const void** data) {
    auto* impl = static_cast<Impl*>(self);
    try {
      size_t n = impl->pull(impl->block);
      if (impl->in_header && (impl->header += n) > longest_header)
        throw failed("cannot read '{}': an entry's header is too long", impl->name);
      *data = impl->block.data();
      return static_cast<la_ssize_t>(n);
    } catch (...) {
      impl->failure = std::current_exception();
      archive_set_error(tar, EIO, "the pull failed");
      return -1;
    }
  }
  Error error() { return archive_error(tar.get(), "read", name); }
  int checked(int result) {
    if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
    if (result == ARCHIVE_OK || result == ARCHIVE_EOF) return result;
    // A name that is no UTF-8: its bytes are kept.
    if (result == ARCHIVE_WARN && archive_errno(tar.get()) == EILSEQ) return ARCHIVE_OK;
    throw error();
  }
};

TreeStreamReader::TreeStreamReader(Pull pull, std::string name)
    : impl_(new Impl{std::move(pull), std::move(name)}) {
  archive_read_support_format_tar(impl_->tar.get());
}
TreeStreamReader::~TreeStreamReader() = default;

std::optional<TreeEntry> TreeStreamReader::next() {
  Impl& t = *impl_;
  struct ::archive* tar = t.tar.get();
  if (!std::exchange(t.open, true))
    t.checked(archive_read_open(tar, &t, nullptr, Impl::pass_on, nullptr));
  if (std::exchange(t.in_entry, false)) t.checked(archive_read_data_skip(tar));
  int64_t before = archive_filter_bytes(tar, 0);
  t.in_header = true;
  t.header = 0;
  archive_entry* e = nullptr;
  if (t.checked(archive_read_next_header(tar, &e)) == ARCHIVE_EOF) {
    // libarchive takes the end of the bytes for the tar's.
    if (archive_filter_bytes(tar, 0) == before) throw failed("'{}' is cut short", t.name);
    return {};
  }
  t.in_header = false;
  t.in_entry = true;
  // What every other reader takes for relative was never asked for.
  for (const char* path : {archive_entry_pathname(e), archive_entry_hardlink(e)})
    if (path && *path == '/') throw leads_out(path, t.name);
  return tree_entry(e, t.name);
}

std::optional<TreeChunk> TreeStreamReader::chunk() {
  const void* data = nullptr;
  size_t size = 0;
  la_int64_t offset = 0;
  int result = archive_read_data_block(impl_->tar.get(), &data, &size, &offset);
  if (impl_->checked(result) == ARCHIVE_EOF) return {};
  return TreeChunk{offset, {static_cast<const char*>(data), size}};
}

struct TreeStreamWriter::Impl {
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

TreeStreamWriter::TreeStreamWriter(Sink sink, TarForm form)
    : impl_(new Impl{Output(std::move(sink))}) {
  struct ::archive* tar = impl_->tar.get();
  if (form == TarForm::pax)
    archive_write_set_format_pax(tar);
  else
    archive_write_set_format_gnutar(tar);
  archive_write_set_bytes_per_block(tar, static_cast<int>(block_size));
  archive_write_set_bytes_in_last_block(tar, 1); // nothing to fill it up
  impl_->tar.open();
}
TreeStreamWriter::~TreeStreamWriter() = default;

void TreeStreamWriter::entry(const TreeEntry& entry) {
  impl_->zeros_until(impl_->size);
  EntryHandle e(archive_entry_new());
  archive_entry_set_pathname(e.get(), entry.path.c_str());
  archive_entry_set_mode(e.get(), entry.mode);
  archive_entry_set_uid(e.get(), entry.uid);
  archive_entry_set_gid(e.get(), entry.gid);
  // libarchive and GNU tar do not mean the same by "-1.5".
  archive_entry_set_mtime(e.get(), entry.mtime, entry.mtime < 0 ? 0 : entry.mtime_ns);
  bool file = S_ISREG(entry.mode) && !entry.hard_link;
  if (entry.hard_link) archive_entry_set_hardlink(e.get(), entry.target.c_str());
  if (S_ISLNK(entry.mode)) archive_entry_set_symlink(e.get(), entry.target.c_str());
  archive_entry_set_size(e.get(), file ? entry.size : 0);
  for (auto [offset, length] : entry.extents)
    archive_entry_sparse_add_entry(e.get(), offset, length);
  impl_->tar.header(e.get());
  impl_->size = file ? entry.size : 0;
  impl_->position = 0;
}

void TreeStreamWriter::chunk(const TreeChunk& chunk) {
  impl_->zeros_until(chunk.offset);
  impl_->tar.write(chunk.data);
  impl_->position += static_cast<int64_t>(chunk.data.size());
}

void TreeStreamWriter::finish() {
  impl_->zeros_until(impl_->size);
  impl_->tar.close();
}

} // namespace banger::archive
