#include "ops/image/fill.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "archive/reader.h"
#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "image/hygiene.h"
#include "sys/proc.h"
#include "sys/walk.h"

namespace banger::ops {

namespace {

constexpr size_t most_name = 255;
constexpr size_t most_text = size_t{1} << 20; // of an fstab or a unit
constexpr int64_t most_block = int64_t{1} << 18;

// The order in which the guest's first process looks (runtime/init/switch.cc).
constexpr const char* inits[] = {"sbin/init", "lib/systemd/systemd", "etc/init", "bin/init",
                                 "init"};

// The ids that a root's own /etc/passwd or /etc/group gives to names.
std::map<std::string, uint32_t> ids_in(disk::Ext4Files& root, const std::string& path) {
  std::map<std::string, uint32_t> ids;
  auto node = root.find(path);
  if (!node || !S_ISREG(node->meta.mode) || node->size > static_cast<int64_t>(most_text))
    return ids;
  for (const std::string& line : split(root.read(path, most_text), '\n')) {
    auto fields = split(line, ':');
    if (fields.size() < 3) continue;
    uint32_t id = 0;
    const std::string& text = fields[2];
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error == std::errc() && end == text.data() + text.size()) ids.try_emplace(fields[0], id);
  }
  return ids;
}

// Lists of access that name users and groups without ids: whose they are is known when the root's
// own tables of them are there.
class NamedAcls {
public:
  void keep(const TreeEntry& entry) {
    if (entry.acl.empty() && entry.default_acl.empty()) return;
    if ((size_ += entry.path.size() + 64 * (entry.acl.size() + entry.default_acl.size())) > most)
      throw failed("the access lists that name users without their ids are too many (more than {})",
                   format_size(static_cast<int64_t>(most)))
          .hint("make the tarball with tar --numeric-owner");
    kept_.push_back(entry);
  }
  void set(disk::Ext4Files& root) {
    if (kept_.empty()) return;
    auto users = ids_in(root, "etc/passwd"), groups = ids_in(root, "etc/group");
    for (TreeEntry& entry : kept_) {
      std::map<std::string, std::string> lists;
      for (auto [acl, attribute] :
           {std::pair(&entry.acl, access_acl), std::pair(&entry.default_acl, default_acl)}) {
        if (acl->empty()) continue;
        for (AclEntry& a : *acl) {
          bool user = a.tag == AclEntry::Tag::user;
          if (a.id || (!user && a.tag != AclEntry::Tag::group)) continue;
          auto& ids = user ? users : groups;
          auto found = ids.find(a.name);
          if (found == ids.end())
            throw failed("the access list of '{}' names {} '{}', whom the root's /etc/{} has not",
                         escape_for_terminal(entry.path), user ? "user" : "group",
                         escape_for_terminal(a.name), user ? "passwd" : "group")
                .hint("make the tarball with tar --numeric-owner");
          a.id = found->second;
        }
        lists[attribute] = acl_attribute(*acl);
      }
      root.set_attributes(entry.path, lists);
    }
  }

private:
  static constexpr size_t most = size_t{64} << 20;
  std::vector<TreeEntry> kept_;
  size_t size_ = 0;
};

struct Owners {
  bool as_root = sys::is_root();
  uid_t uid = ::geteuid();
  gid_t gid = ::getegid();
  uint32_t user(uid_t id) const { return !as_root && id == uid ? 0 : id; }
  uint32_t group(gid_t id) const { return !as_root && id == gid ? 0 : id; }
};

// The first `size` bytes of a file, without its holes. What cannot be read, or is there no more, is
// an error: else it would become zeros.
ChunkSource content_of(int fd, int64_t size, const std::string& shown) {
  struct Reader {
    int fd;
    int64_t size;
    std::string shown;
    int64_t offset = 0;
    std::string block{};

    std::optional<Chunk> next() {
      if (offset >= size) return {};
      off_t data = ::lseek(fd, offset, SEEK_DATA);
      if (data < 0 && errno != ENXIO) throw sys_error(errno, "cannot read '{}'", shown);
      if (data < 0) { // a hole up to the end, or behind an end that has moved
        struct stat st {};
        if (::fstat(fd, &st) != 0 || st.st_size < size) throw shrank();
      }
      if (data < 0 || data >= size) return {};
      block.resize(static_cast<size_t>(std::min(most_block, size - data)));
      ssize_t n = 0;
      do n = ::pread(fd, block.data(), block.size(), data);
      while (n < 0 && errno == EINTR);
      if (n < 0) throw sys_error(errno, "cannot read '{}'", shown);
      if (n == 0) throw shrank();
      offset = data + n;
      return Chunk{data, std::string_view(block).substr(0, static_cast<size_t>(n))};
    }
    Error shrank() const { return failed("cannot read '{}': it shrank meanwhile", shown); }
  };
  return [reader = Reader{fd, size, shown}]() mutable { return reader.next(); };
}

} // namespace

void fill_from_tar(disk::Ext4Files& to, int fd, const std::string& name, const OnEntry& on_entry) {
  constexpr const char* sources =
      "an image is made of a tarball (plain, gz, xz, zst, bz2), from a file or standard input, "
      "of a file with an ext4 file system or a raw disk with partitions, or of a directory";
  auto tar = archive::Reader::of_file(fd, name);
  std::optional<TreeEntry> entry;
  try {
    entry = tar.next();
  } catch (Error& e) {
    throw std::move(e.default_hint(sources));
  }
  // Zeros, as a file system begins with them, are the end of a tarball.
  if (!entry) throw failed("'{}' is no tarball, or an empty one", name).hint(sources);
  NamedAcls acls;
  for (; entry; entry = tar.next()) {
    on_entry(entry->path);
    to.make(*entry, [&] { return tar.chunk(); });
    acls.keep(*entry);
  }
  acls.set(to);
}

void fill_from_dir(disk::Ext4Files& to, const std::string& dir, const OnEntry& on_entry) {
  Owners owners;
  std::map<std::pair<dev_t, ino_t>, std::string> names; // of files with several
  sys::walk(dir, [&](const sys::WalkEntry& e) {
    on_entry(e.path);
    const struct stat& st = e.info;
    FileMeta meta{st.st_mode,
                  owners.user(st.st_uid),
                  owners.group(st.st_gid),
                  st.st_mtim.tv_sec,
                  static_cast<uint32_t>(st.st_mtim.tv_nsec),
                  e.attributes};
    if (S_ISDIR(st.st_mode)) return to.make_dir(e.path, meta);
    if (S_ISSOCK(st.st_mode)) return; // worth nothing without the process that made it
    if (st.st_nlink > 1) {
      auto [known, is_new] = names.emplace(std::pair(st.st_dev, st.st_ino), e.path);
      if (!is_new) return to.make_hard_link(e.path, known->second);
    }
    TreeEntry entry{meta};
    entry.path = e.path;
    entry.target = e.target;
    entry.size = st.st_size;
    entry.major = major(st.st_rdev);
    entry.minor = minor(st.st_rdev);
    to.make(entry, content_of(e.fd, st.st_size, dir + "/" + e.path));
  });
}

void require_init(disk::Ext4Files& root, const std::string& source) {
  for (const char* path : inits)
    if (auto node = root.find(path); node && S_ISREG(node->meta.mode) && node->meta.mode & 0111)
      return;
  throw failed("'{}' is no root file system: it has no /sbin/init or the like", source)
      .hint("a container's image often has none: add an init to it, systemd or busybox");
}

void scrub_root(disk::Ext4Files& root) {
  std::set<std::string> units;
  auto fstab = root.find("etc/fstab");
  if (fstab && S_ISREG(fstab->meta.mode) && fstab->size <= static_cast<int64_t>(most_text)) {
    std::string text = root.read("etc/fstab", most_text);
    image::Scrubbed scrubbed = image::scrub_fstab(text);
    for (const std::string& place : scrubbed.places) units.insert(image::mount_unit(place));
    if (scrubbed.text != text) root.make_file("etc/fstab", fstab->meta, scrubbed.text);
  }
  const std::string dir = "etc/systemd/system";
  for (const std::string& name : root.list(dir)) {
    if (!name.ends_with(".mount") && !name.ends_with(".swap")) continue;
    auto unit = root.find(dir + "/" + name);
    if (unit && S_ISREG(unit->meta.mode) && unit->size <= static_cast<int64_t>(most_text) &&
        image::is_for_a_disk(root.read(dir + "/" + name, most_text)))
      units.insert(name);
  }
  auto systemd = root.find("etc/systemd");
  if (!systemd || !S_ISDIR(systemd->meta.mode)) return;
  for (const std::string& unit : units) {
    if (unit.size() > most_name) continue; // no unit can have that name
    FileMeta meta;
    meta.mode = S_IFLNK | 0777;
    meta.mtime = systemd->meta.mtime;
    root.make_link(dir + "/" + unit, meta, "/dev/null");
  }
}

} // namespace banger::ops
