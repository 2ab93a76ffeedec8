#include "archive/cpio.h"

#include <memory>
#include <set>

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/text.h"

namespace banger::archive {

namespace {

void check_path(const std::string& path) {
  for (const auto& part : split(path, '/'))
    if (part.empty() || part == "." || part == "..")
      throw failed("invalid path '{}' in an archive", escape_for_terminal(path));
  if (path.find('\0') != std::string::npos)
    throw failed("invalid path '{}' in an archive", escape_for_terminal(path));
}

class Writer {
public:
  Writer() : archive_(archive_write_new(), archive_write_free) {
    if (!archive_) throw failed("cannot write an archive: out of memory");
    check(archive_write_set_format_cpio_newc(archive_.get()));
    // No padding beyond what the format asks for.
    check(archive_write_set_bytes_per_block(archive_.get(), 0));
    check(archive_write_open2(archive_.get(), &out_, nullptr, append, nullptr, nullptr));
  }

  void add(const CpioEntry& entry) {
    std::unique_ptr<archive_entry, decltype(&archive_entry_free)> header(archive_entry_new(),
                                                                         archive_entry_free);
    if (!header) throw failed("cannot write an archive: out of memory");
    archive_entry_set_pathname(header.get(), entry.path.c_str());
    archive_entry_set_mode(header.get(), entry.mode);
    archive_entry_set_mtime(header.get(), 0, 0);
    archive_entry_set_uid(header.get(), 0);
    archive_entry_set_gid(header.get(), 0);
    archive_entry_set_nlink(header.get(), S_ISDIR(entry.mode) ? 2 : 1);
    archive_entry_set_ino(header.get(), ++ino_);
    bool link = S_ISLNK(entry.mode);
    if (link) archive_entry_set_symlink(header.get(), entry.content.c_str());
    archive_entry_set_size(header.get(), link ? 0 : static_cast<int64_t>(entry.content.size()));
    check(archive_write_header(archive_.get(), header.get()));
    if (S_ISREG(entry.mode) && !entry.content.empty() &&
        archive_write_data(archive_.get(), entry.content.data(), entry.content.size()) !=
            static_cast<ssize_t>(entry.content.size()))
      throw failure();
  }

  std::string finish() {
    check(archive_write_close(archive_.get()));
    out_.resize((out_.size() + 3) / 4 * 4, '\0');
    return std::move(out_);
  }

private:
  static la_ssize_t append(struct archive*, void* out, const void* data, size_t size) {
    static_cast<std::string*>(out)->append(static_cast<const char*>(data), size);
    return static_cast<la_ssize_t>(size);
  }
  Error failure() {
    const char* why = archive_error_string(archive_.get());
    return failed("cannot write an archive: {}", why ? why : "unknown error");
  }
  void check(int result) {
    if (result != ARCHIVE_OK) throw failure();
  }

  // Before archive_: its destructor still writes.
  std::string out_;
  std::unique_ptr<struct archive, decltype(&archive_write_free)> archive_;
  int64_t ino_ = 0;
};

} // namespace

std::string cpio_archive(const std::vector<CpioEntry>& entries) {
  Writer writer;
  std::set<std::string> written;
  for (const auto& entry : entries) {
    check_path(entry.path);
    for (size_t at = entry.path.find('/'); at != std::string::npos;
         at = entry.path.find('/', at + 1)) {
      std::string parent = entry.path.substr(0, at);
      if (written.insert(parent).second) writer.add({parent, S_IFDIR | 0755, {}});
    }
    if (!written.insert(entry.path).second)
      throw failed("'{}' comes twice in an archive", escape_for_terminal(entry.path));
    writer.add(entry);
  }
  return writer.finish();
}

} // namespace banger::archive
