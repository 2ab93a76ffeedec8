#include "ops/image/fill.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <utility>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "archive/tree.h"
#include "core/error.h"
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

void add_tar_entry(disk::Ext4Files& to, archive::TreeReader& tar, const archive::TreeEntry& e) {
  disk::FileMeta meta{e.mode, e.uid, e.gid, e.mtime, e.mtime_ns, e.attributes};
  if (e.hard_link) {
    to.make_hard_link(e.path, e.target);
  } else if (S_ISDIR(e.mode)) {
    to.make_dir(e.path, meta);
  } else if (S_ISREG(e.mode)) {
    to.make_file(e.path, meta, e.size, [&]() -> std::optional<disk::FileChunk> {
      auto chunk = tar.chunk();
      if (!chunk) return {};
      return disk::FileChunk{chunk->offset, chunk->data};
    });
  } else if (S_ISLNK(e.mode)) {
    to.make_link(e.path, meta, e.target);
  } else {
    to.make_node(e.path, meta, e.major, e.minor);
  }
}

struct Owners {
  bool as_root = sys::is_root();
  uid_t uid = ::geteuid();
  gid_t gid = ::getegid();
  uint32_t user(uid_t id) const { return !as_root && id == uid ? 0 : id; }
  uint32_t group(gid_t id) const { return !as_root && id == gid ? 0 : id; }
};

// The first `size` bytes of a file, without its holes. What cannot be read, or is there no more, is
// an error: else it would become zeros.
disk::FileSource content_of(int fd, int64_t size, const std::string& shown) {
  struct Reader {
    int fd;
    int64_t size;
    std::string shown;
    int64_t offset = 0;
    std::string block{};

    std::optional<disk::FileChunk> next() {
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
      return disk::FileChunk{data, std::string_view(block).substr(0, static_cast<size_t>(n))};
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
  std::optional<archive::TreeReader> tar;
  std::optional<archive::TreeEntry> entry;
  try {
    entry = tar.emplace(fd, name).next();
  } catch (Error& e) {
    throw std::move(e.default_hint(sources));
  }
  // Zeros, as a file system begins with them, are the end of a tarball.
  if (!entry) throw failed("'{}' is no tarball, or an empty one", name).hint(sources);
  for (; entry; entry = tar->next()) {
    on_entry(entry->path);
    add_tar_entry(to, *tar, *entry);
  }
}

void fill_from_dir(disk::Ext4Files& to, const std::string& dir, const OnEntry& on_entry) {
  Owners owners;
  std::map<std::pair<dev_t, ino_t>, std::string> names; // of files with several
  sys::walk(dir, [&](const sys::WalkEntry& e) {
    on_entry(e.path);
    const struct stat& st = e.info;
    disk::FileMeta meta{st.st_mode,
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
    if (S_ISREG(st.st_mode))
      to.make_file(e.path, meta, st.st_size, content_of(e.fd, st.st_size, dir + "/" + e.path));
    else if (S_ISLNK(st.st_mode))
      to.make_link(e.path, meta, e.target);
    else
      to.make_node(e.path, meta, major(st.st_rdev), minor(st.st_rdev));
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
    disk::FileMeta meta;
    meta.mode = S_IFLNK | 0777;
    meta.mtime = systemd->meta.mtime;
    root.make_link(dir + "/" + unit, meta, "/dev/null");
  }
}

} // namespace banger::ops
