#include "archive/tar.h"

#include <array>
#include <cerrno>

#include <sys/stat.h>

#include "archive/entry.h"
#include "archive/output.h"

namespace banger::archive {

struct TarReader::Impl {
  std::string name;
  Utf8Names utf8;
  Handle package; // around the tar, for a Debian package
  Handle tar;
  archive_entry* entry = nullptr;
  std::string block; // what the tar reader was given last

  void open_tar() {
    tar.reset(archive_read_new());
    archive_read_support_filter_all(tar.get());
    archive_read_support_format_tar(tar.get());
  }

  static la_ssize_t read_package(struct ::archive* tar, void* self, const void** data) {
    auto* impl = static_cast<Impl*>(self);
    impl->block.resize(size_t{1} << 18);
    la_ssize_t n = archive_read_data(impl->package.get(), impl->block.data(), impl->block.size());
    if (n < 0) archive_set_error(tar, EIO, "%s", archive_error_string(impl->package.get()));
    *data = impl->block.data();
    return n;
  }
};

TarReader::TarReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TarReader::TarReader(TarReader&&) noexcept = default;
TarReader::~TarReader() = default;

TarReader TarReader::of_package(const std::string& path) {
  auto impl = std::make_unique<Impl>();
  impl->name = path;
  impl->package.reset(archive_read_new());
  struct ::archive* package = impl->package.get();
  archive_read_support_format_ar(package);
  if (archive_read_open_filename(package, path.c_str(), size_t{1} << 18) != ARCHIVE_OK)
    throw archive_error(package, "open", path);
  archive_entry* member;
  for (;;) {
    int result = archive_read_next_header(package, &member);
    if (result == ARCHIVE_EOF) throw failed("'{}' is not a Debian package", path);
    if (result != ARCHIVE_OK) throw archive_error(package, "read", path);
    if (std::string_view(archive_entry_pathname(member)).starts_with("data.tar")) break;
  }
  impl->open_tar();
  if (archive_read_open(impl->tar.get(), impl.get(), nullptr, Impl::read_package, nullptr) !=
      ARCHIVE_OK)
    throw archive_error(impl->tar.get(), "read", path);
  return TarReader(std::move(impl));
}

TarReader TarReader::of_stream(int fd, const std::string& name) {
  auto impl = std::make_unique<Impl>();
  impl->name = name;
  impl->open_tar();
  if (archive_read_open_fd(impl->tar.get(), fd, size_t{1} << 18) != ARCHIVE_OK)
    throw archive_error(impl->tar.get(), "read", name);
  return TarReader(std::move(impl));
}

std::optional<TarEntry> TarReader::next() {
  Utf8Names::Scope utf8(impl_->utf8);
  int result = archive_read_next_header(impl_->tar.get(), &impl_->entry);
  if (result == ARCHIVE_EOF) return {};
  if (result != ARCHIVE_OK) throw archive_error(impl_->tar.get(), "read", impl_->name);
  archive_entry* e = impl_->entry;
  const char* path = archive_entry_pathname(e);
  if (!path) throw failed("'{}' has an entry without a name", impl_->name);
  TarEntry entry{.path = plain_path(path, impl_->name),
                 .mode = archive_entry_mode(e),
                 .target = {},
                 .hard_link = false};
  if (const char* link = archive_entry_hardlink(e)) {
    entry.hard_link = true;
    entry.target = plain_path(link, impl_->name);
  } else if (const char* target = archive_entry_symlink(e)) {
    entry.target = target;
  }
  return entry;
}

std::string TarReader::content() {
  std::string out;
  out.resize(static_cast<size_t>(std::max<int64_t>(archive_entry_size(impl_->entry), 0)));
  for (size_t used = 0; used < out.size();) {
    la_ssize_t n = archive_read_data(impl_->tar.get(), out.data() + used, out.size() - used);
    if (n < 0) throw archive_error(impl_->tar.get(), "read", impl_->name);
    if (n == 0) throw failed("'{}' ends in the middle of a file", impl_->name);
    used += static_cast<size_t>(n);
  }
  return out;
}

struct TarWriter::Impl {
  int64_t newest;
  Utf8Names utf8;
  Output tar;
};

TarWriter::TarWriter(Sink sink, int64_t newest)
    : impl_(new Impl{newest, {}, Output(std::move(sink))}) {
  archive_write_set_format_pax_restricted(impl_->tar.get());
  impl_->tar.open();
}
TarWriter::~TarWriter() = default;

void TarWriter::copy(TarReader& reader, const std::string& path,
                     const std::optional<std::string>& content) {
  Utf8Names::Scope utf8(impl_->utf8);
  EntryHandle entry(archive_entry_clone(reader.impl_->entry));
  archive_entry_set_pathname(entry.get(), path.empty() ? "." : path.c_str());
  if (archive_entry_mtime(entry.get()) > impl_->newest)
    archive_entry_set_mtime(entry.get(), impl_->newest, 0);
  archive_entry_unset_atime(entry.get());
  archive_entry_unset_ctime(entry.get());
  if (content) archive_entry_set_size(entry.get(), static_cast<int64_t>(content->size()));
  impl_->tar.header(entry.get());
  written_.insert(path);
  if (content) return impl_->tar.write(*content);
  std::array<char, size_t{1} << 16> buffer;
  while (la_ssize_t n = archive_read_data(reader.impl_->tar.get(), buffer.data(), buffer.size())) {
    if (n < 0) throw archive_error(reader.impl_->tar.get(), "read", reader.impl_->name);
    impl_->tar.write({buffer.data(), static_cast<size_t>(n)});
  }
}

void TarWriter::add(const std::string& path, mode_t mode, std::string_view content) {
  Utf8Names::Scope utf8(impl_->utf8);
  EntryHandle entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), path.c_str());
  archive_entry_set_mode(entry.get(), mode);
  archive_entry_set_uid(entry.get(), 0);
  archive_entry_set_gid(entry.get(), 0);
  archive_entry_set_mtime(entry.get(), impl_->newest, 0);
  if (S_ISLNK(mode)) archive_entry_set_symlink(entry.get(), std::string(content).c_str());
  if (S_ISREG(mode)) archive_entry_set_size(entry.get(), static_cast<int64_t>(content.size()));
  impl_->tar.header(entry.get());
  if (S_ISREG(mode)) impl_->tar.write(content);
  written_.insert(path);
}

void TarWriter::finish() { impl_->tar.close(); }

} // namespace banger::archive
