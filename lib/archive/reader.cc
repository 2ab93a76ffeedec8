#include "archive/reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "archive/input.h"
#include "core/text.h"
#include "core/units.h"

namespace banger::archive {

namespace {

constexpr size_t most_shown = 100;

std::string shown(std::string_view path) {
  std::string text = escape_for_terminal(path.substr(0, most_shown));
  return path.size() > most_shown ? text + "..." : text;
}

bool has_parent(std::string_view path) {
  for (size_t at = 0; (at = path.find("..", at)) != path.npos; at += 2)
    if ((at == 0 || path[at - 1] == '/') && (at + 2 == path.size() || path[at + 2] == '/'))
      return true;
  return false;
}

Error leads_out(std::string_view path, std::string_view name) {
  return failed("'{}' has an entry that leads out of it: '{}'", name, shown(path));
}

std::string plain(std::string_view path, std::string_view name) {
  auto relative = path.substr(std::min(path.find_first_not_of('/'), path.size()));
  if (relative.empty()) return {};
  if (auto found = plain_path(relative)) return *std::move(found);
  if (has_parent(path)) throw leads_out(path, name);
  throw failed("'{}' has an entry whose path is too long: '{}'", name, shown(path))
      .hint(fmt::format("a path takes at most {} bytes, a name in it {}", longest_path,
                        longest_name));
}

std::vector<AclEntry> acl_of(archive_entry* e, int type) {
  std::vector<AclEntry> acl;
  archive_entry_acl_reset(e, type);
  int kind = 0, permissions = 0, tag = 0, id = -1;
  const char* name = nullptr;
  while (archive_entry_acl_next(e, type, &kind, &permissions, &tag, &id, &name) == ARCHIVE_OK) {
    using Tag = AclEntry::Tag;
    AclEntry entry;
    entry.permissions = static_cast<uint16_t>(permissions & 7);
    switch (tag) {
    case ARCHIVE_ENTRY_ACL_USER_OBJ:
      entry.tag = Tag::owner;
      break;
    case ARCHIVE_ENTRY_ACL_USER:
      entry.tag = Tag::user;
      break;
    case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
      entry.tag = Tag::group_of_file;
      break;
    case ARCHIVE_ENTRY_ACL_GROUP:
      entry.tag = Tag::group;
      break;
    case ARCHIVE_ENTRY_ACL_MASK:
      entry.tag = Tag::mask;
      break;
    case ARCHIVE_ENTRY_ACL_OTHER:
      entry.tag = Tag::other;
      break;
    default:
      continue; // of another system's lists
    }
    if (entry.tag == Tag::user || entry.tag == Tag::group) {
      if (id >= 0) entry.id = static_cast<uint32_t>(id);
      if (name) entry.name = name;
    }
    acl.push_back(std::move(entry));
  }
  return acl;
}

void take_acls(archive_entry* e, TreeEntry& entry) {
  auto take = [&](int type, const char* attribute, std::vector<AclEntry>& unresolved) {
    auto acl = acl_of(e, type);
    if (acl.empty()) return;
    // libarchive makes the group's permissions of the list those of the mode; where there is a
    // mask, that is what the mode has.
    if (type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS)
      for (const AclEntry& a : acl)
        if (a.tag == AclEntry::Tag::mask)
          entry.mode = (entry.mode & ~mode_t{070}) | static_cast<mode_t>(a.permissions << 3);
    if (has_ids(acl))
      entry.attributes[attribute] = acl_attribute(std::move(acl));
    else
      unresolved = std::move(acl);
  };
  take(ARCHIVE_ENTRY_ACL_TYPE_ACCESS, access_acl, entry.acl);
  take(ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, default_acl, entry.default_acl);
}

// Linux has ids of 32 bits, without the last, which says "nobody was named". Cut to that size, a
// larger one would make a file somebody else's, root's too.
uint32_t owner_id(int64_t id, const char* kind, std::string_view path, const std::string& name) {
  if (id < 0 || id >= std::numeric_limits<uint32_t>::max())
    throw failed("'{}' has an entry of {} {}: '{}'", name, kind, id, shown(path))
        .hint("a user or group is a number from 0 to 4294967294");
  return static_cast<uint32_t>(id);
}

TreeEntry tree_entry(archive_entry* e, const std::string& name) {
  const char* path = archive_entry_pathname(e);
  if (!path) throw failed("'{}' has an entry without a name", name);
  TreeEntry entry;
  entry.path = plain(path, name);
  entry.mode = archive_entry_mode(e);
  entry.uid = owner_id(archive_entry_uid(e), "user", path, name);
  entry.gid = owner_id(archive_entry_gid(e), "group", path, name);
  entry.mtime = archive_entry_mtime(e);
  // libarchive reads "-1.5" as half a second after -1.
  entry.mtime_ns = entry.mtime < 0 ? 0 : static_cast<uint32_t>(archive_entry_mtime_nsec(e));
  entry.major = static_cast<unsigned>(archive_entry_rdevmajor(e));
  entry.minor = static_cast<unsigned>(archive_entry_rdevminor(e));
  if (const char* link = archive_entry_hardlink(e)) {
    entry.hard_link = true;
    entry.mode = S_IFREG | entry.permissions(); // tars say no more of it
    entry.target = plain(link, name);
    return entry;
  }
  if (const char* target = archive_entry_symlink(e)) entry.target = target;
  archive_entry_xattr_reset(e);
  const char* key = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  while (archive_entry_xattr_next(e, &key, &value, &size) == ARCHIVE_OK)
    if (key) entry.attributes[key] = std::string(static_cast<const char*>(value), size);
  take_acls(e, entry);
  if (!entry.is_file()) return entry;
  entry.size = archive_entry_size(e);
  archive_entry_sparse_reset(e);
  la_int64_t offset = 0, length = 0;
  bool mapped = false;
  while (archive_entry_sparse_next(e, &offset, &length) == ARCHIVE_OK) {
    mapped = true;
    if (length > 0) entry.data.push_back({offset, length});
  }
  if (!mapped && entry.size > 0) entry.data = {{0, entry.size}};
  return entry;
}

} // namespace

struct Reader::Impl {
  Impl(Pull pull, std::string name, Paths p) : tar(std::move(pull), std::move(name)), paths(p) {}
  Input tar;
  Paths paths;
  Utf8Names utf8{};
  bool open = false, in_entry = false, ended = false;
  int64_t size = 0; // of the current entry
};

Reader::Reader(Pull pull, std::string name, Paths paths)
    : impl_(std::make_unique<Impl>(std::move(pull), std::move(name), paths)) {
  archive_read_support_format_tar(impl_->tar.get());
}
Reader::Reader(Reader&&) noexcept = default;
Reader::~Reader() = default;

std::optional<TreeEntry> Reader::next() {
  Impl& t = *impl_;
  if (t.ended) return {};
  Utf8Names::Scope utf8(t.utf8);
  if (!std::exchange(t.open, true)) t.tar.open();
  if (std::exchange(t.in_entry, false)) t.tar.check(archive_read_data_skip(t.tar.get()));
  int64_t before = archive_filter_bytes(t.tar.get(), 0);
  archive_entry* e = t.tar.next();
  if (!e) {
    // libarchive takes the end of the bytes for the tar's, which must be marked.
    if (archive_filter_bytes(t.tar.get(), 0) == before)
      throw failed("'{}' is cut short: the end of the tar is missing", t.tar.name());
    t.ended = true;
    // Only behind the end does a packed archive tell whether it is whole, and a program how it
    // ended. Zeros from the begin on are no tar, and may go on for ever.
    if (t.paths == Paths::relative || before > 0) t.tar.end("the tar's end");
    return {};
  }
  t.in_entry = true;
  if (t.paths == Paths::relative)
    for (const char* path : {archive_entry_pathname(e), archive_entry_hardlink(e)})
      if (path && *path == '/') throw leads_out(path, t.tar.name());
  TreeEntry entry = tree_entry(e, t.tar.name());
  t.size = entry.size;
  return entry;
}

std::optional<Chunk> Reader::chunk() {
  const void* data = nullptr;
  size_t size = 0;
  la_int64_t offset = 0;
  Input& tar = impl_->tar;
  if (tar.check(archive_read_data_block(tar.get(), &data, &size, &offset)) == ARCHIVE_EOF)
    return {};
  return Chunk{offset, {static_cast<const char*>(data), size}};
}

std::string Reader::content(size_t max) {
  if (impl_->size < 0 || static_cast<uint64_t>(impl_->size) > max)
    throw failed("cannot read '{}': a file is larger than {}", impl_->tar.name(),
                 format_size(static_cast<int64_t>(max)));
  std::string out(static_cast<size_t>(impl_->size), '\0');
  while (auto piece = chunk()) {
    auto at = static_cast<size_t>(piece->offset);
    if (piece->offset < 0 || at > out.size() || piece->data.size() > out.size() - at)
      throw failed("cannot read '{}': a file's holes are not where it says", impl_->tar.name());
    out.replace(at, piece->data.size(), piece->data);
  }
  return out;
}

} // namespace banger::archive
