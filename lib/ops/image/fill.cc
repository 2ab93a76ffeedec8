#include "ops/image/fill.h"

#include <algorithm>
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
#include "sys/sparse.h"
#include "sys/walk.h"

namespace banger::ops {

namespace {

constexpr size_t most_name = 255;
constexpr size_t most_text = size_t{1} << 20; // of an fstab or a unit

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
      throw failed("too many access lists name users without their ids (more than {})",
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
            throw failed("the access list of '{}' names {} '{}', who is not in the root's /etc/{}",
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

} // namespace

void fill_from_tar(disk::Ext4Files& to, archive::Reader& tar, const OnEntry& on_entry,
                   TarDisk* disk) {
  NamedAcls acls;
  while (auto entry = tar.next()) {
    on_entry(entry->path);
    if (disk)
      disk->take(*entry, tar, to);
    else
      to.make(*entry, [&] { return tar.chunk(); });
    acls.keep(*entry);
  }
  if (!disk || !disk->disk()) acls.set(to);
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
    to.make(entry, sys::chunks_of(e.fd, st.st_size, dir + "/" + e.path));
  });
}

namespace {

bool has_init(disk::Ext4Files& root, const std::string& below) {
  return std::ranges::any_of(inits, [&](const char* path) {
    auto node = root.find(below + path);
    return node && S_ISREG(node->meta.mode) && node->meta.mode & 0111;
  });
}

// The hint for a tree that people took for a root file system: the way to make one of it.
std::string what_would_help(disk::Ext4Files& root) {
  constexpr std::string_view packed[] = {".qcow2", ".vmdk", ".vdi", ".vhd",  ".vhdx",     ".img",
                                         ".raw",   ".iso",  ".tar", ".ext4", ".squashfs", ".cpio"};
  std::vector<std::string> names = root.list("");
  std::erase(names, "lost+found");
  auto is_there = [&](const char* name) { return std::ranges::find(names, name) != names.end(); };
  // As docker save and podman save write them, by their age; a directory is a layer of its own.
  auto is_layer = [&](const std::string& name) {
    return name == "repositories" || name == "blobs" || name.ends_with(".tar") ||
           name.ends_with(".tar.gz") || root.find(name + "/layer.tar");
  };
  if (is_there("oci-layout") || (is_there("manifest.json") && std::ranges::any_of(names, is_layer)))
    return "a container's image is in layers: docker export $(docker create IMAGE) gives its "
           "files; "
           "add an init to them, systemd or busybox";
  for (const std::string& name : names) {
    std::string shown = escape_for_terminal(name);
    if (has_init(root, name + "/"))
      return fmt::format(
          "its root is in '{0}': import that directory, or a tarball of what is in it "
          "(tar -C {0} -c .)",
          shown);
    for (std::string_view ending : packed)
      if (name.ends_with(ending) || name.find(std::string(ending) + ".") != name.npos)
        return fmt::format("it holds '{}': import that", shown);
  }
  return "a container's image often has none: add an init to it, systemd or busybox";
}

} // namespace

void require_init(disk::Ext4Files& root, const std::string& source) {
  if (!has_init(root, ""))
    throw failed("'{}' is no root file system: it has no /sbin/init or the like", source)
        .hint(what_would_help(root));
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
