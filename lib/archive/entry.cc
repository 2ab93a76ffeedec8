#include "archive/entry.h"

#include "core/text.h"

namespace banger::archive {

Error leads_out(std::string_view path, std::string_view name) {
  return failed("'{}' has an entry that leads out of it: '{}'", name, escape_for_terminal(path));
}

std::string plain_path(std::string_view path, std::string_view name) {
  std::string plain;
  for (const std::string& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") throw leads_out(path, name);
    if (!plain.empty()) plain += '/';
    plain += part;
  }
  return plain;
}

TreeEntry tree_entry(archive_entry* e, const std::string& name) {
  const char* path = archive_entry_pathname(e);
  if (!path) throw failed("'{}' has an entry without a name", name);
  TreeEntry entry;
  entry.path = plain_path(path, name);
  entry.mode = archive_entry_mode(e);
  entry.uid = static_cast<uint32_t>(archive_entry_uid(e));
  entry.gid = static_cast<uint32_t>(archive_entry_gid(e));
  entry.mtime = archive_entry_mtime(e);
  entry.mtime_ns = static_cast<uint32_t>(archive_entry_mtime_nsec(e));
  entry.size = archive_entry_size(e);
  entry.major = static_cast<unsigned>(archive_entry_rdevmajor(e));
  entry.minor = static_cast<unsigned>(archive_entry_rdevminor(e));
  if (const char* link = archive_entry_hardlink(e)) {
    entry.hard_link = true;
    entry.target = plain_path(link, name);
  } else if (const char* target = archive_entry_symlink(e)) {
    entry.target = target;
  }
  archive_entry_xattr_reset(e);
  const char* key = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  while (archive_entry_xattr_next(e, &key, &value, &size) == ARCHIVE_OK)
    if (key) entry.attributes[key] = std::string(static_cast<const char*>(value), size);
  archive_entry_sparse_reset(e);
  la_int64_t offset = 0, length = 0;
  while (archive_entry_sparse_next(e, &offset, &length) == ARCHIVE_OK)
    entry.extents.push_back({offset, length});
  return entry;
}

} // namespace banger::archive
