#include "ops/image/tar_disk.h"

#include <algorithm>
#include <utility>

#include "core/text.h"
#include "image/content.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

// Enough to tell that a disk may begin so.
constexpr size_t begin_size = 2048;
constexpr ptrdiff_t deepest = 1; // "disk.raw", "debian-12/disk.raw"

// The directories of a root file system, of any Linux.
bool is_of_a_root(std::string_view path) {
  constexpr std::string_view names[] = {
      "bin",  "boot", "dev", "etc",  "home", "lib", "lib32", "lib64", "media", "mnt",  "opt",
      "proc", "root", "run", "sbin", "srv",  "sys", "tmp",   "usr",   "var",   "init", "sysroot"};
  return std::ranges::find(names, path.substr(0, path.find('/'))) != std::end(names);
}

} // namespace

TarDisk::TarDisk(std::string name, std::string spool, Limits limits)
    : name_(std::move(name)), spool_path_(std::move(spool)), limits_(limits) {}

std::string TarDisk::shown(const TreeEntry& entry) const {
  return fmt::format("{}' in '{}", escape_for_terminal(entry.path), name_);
}

bool TarDisk::may_hold_a_disk(const TreeEntry& entry) {
  if (is_of_a_root(entry.path)) root_seen_ = true;
  return !root_seen_ && entry.is_file() && std::ranges::count(entry.path, '/') <= deepest;
}

void TarDisk::put_back(const TreeEntry& entry, disk::Ext4Files& to) {
  to.make(entry, sys::chunks_of(spool_->fd(), entry.size, shown(entry)));
  spool_.reset();
  sys::remove_file(spool_path_);
}

void TarDisk::take(const TreeEntry& entry, archive::Reader& tar, disk::Ext4Files& to) {
  bool candidate = may_hold_a_disk(entry);
  if (root_seen_ && kept_) put_back(*std::exchange(kept_, {}), to);
  if (!candidate) return to.make(entry, [&] { return tar.chunk(); });

  // The bytes that were read to look at it come first.
  std::string begin;
  std::optional<Chunk> next = tar.chunk();
  while (next && begin.size() < begin_size && next->offset < static_cast<int64_t>(begin_size)) {
    begin.resize(static_cast<size_t>(next->offset)); // over a hole
    begin += next->data;
    next = tar.chunk();
  }
  bool given = false;
  auto content = [&]() -> std::optional<Chunk> {
    if (!std::exchange(given, true) && !begin.empty()) return Chunk{0, begin};
    return next ? std::exchange(next, {}) : tar.chunk();
  };
  if (!image::may_be_disk(begin)) return to.make(entry, content);
  if (kept_)
    throw failed("'{}' holds several disks, '{}' and '{}'", name_, escape_for_terminal(kept_->path),
                 escape_for_terminal(entry.path))
        .hint("one alone is read from standard input: tar -xOf TARBALL DISK | banger image import "
              "NAME -");
  spool_.emplace(spool_path_);
  limits_.check(*spool_, entry.size, shown(entry));
  for (auto chunk = content(); chunk; chunk = content()) {
    limits_.check(*spool_, chunk->offset, shown(entry));
    spool_->write(chunk->offset, chunk->data);
  }
  spool_->set_size(entry.size);
  // A kernel, or a file system of another kind, may begin like a disk.
  if (!image::is_disk(spool_->fd(), entry.size)) return put_back(entry, to);
  kept_ = entry;
}

std::optional<TarDisk::Disk> TarDisk::disk() const {
  if (!kept_) return {};
  return Disk{shown(*kept_), kept_->size, spool_->fd()};
}

} // namespace banger::ops
