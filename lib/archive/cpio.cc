#include "archive/cpio.h"

#include <set>

#include <sys/stat.h>

#include "archive/output.h"
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

class CpioWriter {
public:
  CpioWriter() {
    archive_write_set_format_cpio_newc(output_.get());
    // No padding beyond what the format asks for.
    archive_write_set_bytes_per_block(output_.get(), 0);
    output_.open();
  }

  void add(const CpioEntry& entry) {
    EntryHandle header(archive_entry_new());
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
    output_.header(header.get());
    if (S_ISREG(entry.mode) && !entry.content.empty()) output_.write(entry.content);
  }

  std::string finish() {
    output_.close();
    out_.resize((out_.size() + 3) / 4 * 4, '\0');
    return std::move(out_);
  }

private:
  std::string out_;
  Output output_{[this](std::string_view data) { out_ += data; }, "initramfs"};
  int64_t ino_ = 0;
};

} // namespace

std::string cpio_archive(const std::vector<CpioEntry>& entries) {
  CpioWriter writer;
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
