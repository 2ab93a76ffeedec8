#include "guest/tree/tar.h"

#include <algorithm>
#include <array>

#include <sys/stat.h>

#include "core/text.h"

namespace banger::guest {

namespace {

constexpr int64_t largest_file = int64_t{1} << 50;
constexpr int64_t latest = 9'000'000'000;   // in seconds; nanoseconds must fit in 64 bits
constexpr int64_t most_after_end = 1 << 20; // tars are filled up to whole records
constexpr int64_t second = 1'000'000'000;

} // namespace

TarSource::TarSource(Pull pull, TreeEntry::Type root, const std::string& name)
    : pull_(std::move(pull)), root_(root), name_(name), reader_(pull_, name) {}

Error TarSource::damaged(std::string_view why) const {
  return failed("cannot read '{}': {}", name_, why);
}

// What follows the end is filling; the pull's own end tells whether the other side did well.
void TarSource::drain() {
  std::array<char, 4096> dropped;
  int64_t more = 0;
  while (size_t n = pull_(dropped))
    if ((more += static_cast<int64_t>(n)) > most_after_end)
      throw damaged("something follows the tar's end");
}

TreeEntry TarSource::checked(archive::TreeEntry&& from) {
  auto plain = [&](std::string path) {
    if (!path.empty() && !plain_path(path)) throw damaged("a path is too long");
    return path;
  };
  bool alone = root_ != TreeEntry::Type::directory;
  TreeEntry entry;
  entry.path = alone ? "" : plain(std::move(from.path));
  if (entry.path.empty() && any_)
    throw damaged(alone ? "it has more than what was asked for" : "its root comes late");
  entry.mode = from.mode & 07777;
  entry.uid = from.uid;
  entry.gid = from.gid;
  if (from.mtime > latest || from.mtime < -latest) throw damaged("a time is none");
  // libarchive reads "-1.5" as half a second after -1.
  entry.mtime_ns = from.mtime * second + (from.mtime < 0 ? 0 : from.mtime_ns);
  if (from.hard_link) {
    entry.type = TreeEntry::Type::hard_link;
    entry.target = plain(std::move(from.target));
  } else if (S_ISDIR(from.mode)) {
    entry.type = TreeEntry::Type::directory;
  } else if (S_ISLNK(from.mode)) {
    entry.type = TreeEntry::Type::symlink;
    if (from.target.empty() || from.target.size() > longest_path) throw damaged("a link is none");
    entry.target = std::move(from.target);
  } else if (S_ISREG(from.mode)) {
    if (from.size < 0 || from.size > largest_file) throw damaged("a file is too large");
    if (from.extents.size() > most_extents) throw damaged("a file has too many holes");
    entry.size = from.size;
    if (from.extents.empty()) from.extents = {{0, from.size}};
    for (auto [offset, length] : from.extents)
      if (length > 0) entry.data.push_back({offset, length});
  } else {
    throw damaged("it has an entry of an unknown kind");
  }
  // Whoever asked for a file must not get a link, through which the next copy would write.
  if (entry.path.empty() && entry.type != root_)
    throw damaged("something else came than was asked for");
  return entry;
}

std::optional<TreeEntry> TarSource::next() {
  if (ended_) return {};
  extent_ = 0;
  within_ = 0;
  piece_ = {};
  while (auto from = reader_.next()) {
    if (!from->hard_link && (S_ISCHR(from->mode) || S_ISBLK(from->mode) || S_ISFIFO(from->mode))) {
      left_out_++;
      continue;
    }
    TreeEntry entry = checked(std::move(*from));
    any_ = true;
    extents_ = entry.data;
    is_file_ = entry.type == TreeEntry::Type::file;
    return entry;
  }
  is_file_ = false;
  ended_ = true;
  drain();
  return {};
}

size_t TarSource::read(std::span<char> buffer) {
  while (is_file_ && piece_.empty()) {
    auto chunk = reader_.chunk();
    bool whole = extent_ == extents_.size();
    if (!chunk) {
      if (!whole) throw damaged("a file's content is not whole");
      is_file_ = false;
      break;
    }
    auto size = static_cast<int64_t>(chunk->data.size());
    if (size == 0) continue;
    // libarchive keeps silent about a map of holes that cannot be.
    if (whole || chunk->offset != extents_[extent_].offset + within_ ||
        size > extents_[extent_].length - within_)
      throw damaged("a file's holes are not where it says");
    piece_ = chunk->data;
    if ((within_ += size) == extents_[extent_].length) extent_++, within_ = 0;
  }
  size_t n = std::min(buffer.size(), piece_.size());
  std::copy_n(piece_.begin(), n, buffer.begin());
  piece_.remove_prefix(n);
  return n;
}

void TarSink::entry(const TreeEntry& from) {
  extents_ = from.data;
  extent_ = 0;
  within_ = 0;
  if (from.path.empty()) return;
  archive::TreeEntry entry;
  entry.path = from.path;
  entry.mode = from.mode;
  entry.uid = from.uid;
  entry.gid = from.gid;
  entry.mtime = from.mtime_ns / second - (from.mtime_ns % second < 0);
  entry.mtime_ns = static_cast<uint32_t>(from.mtime_ns - entry.mtime * second);
  entry.target = from.target;
  switch (from.type) {
  case TreeEntry::Type::directory:
    entry.mode |= S_IFDIR;
    break;
  case TreeEntry::Type::symlink:
    entry.mode |= S_IFLNK;
    break;
  case TreeEntry::Type::hard_link:
    entry.mode |= S_IFREG;
    entry.hard_link = true;
    break;
  case TreeEntry::Type::file:
    entry.mode |= S_IFREG;
    entry.size = from.size;
    if (from.size > 0 && from.data != std::vector<Extent>{{0, from.size}}) {
      for (auto [offset, length] : from.data) entry.extents.push_back({offset, length});
      // The end of the file, so that one without any data has a map as well.
      if (from.data.empty()) entry.extents = {{from.size, 0}};
    }
    break;
  }
  writer_.entry(entry);
}

void TarSink::data(std::string_view bytes) {
  while (!bytes.empty()) {
    Extent e = extents_.at(extent_);
    auto n = std::min<int64_t>(e.length - within_, static_cast<int64_t>(bytes.size()));
    writer_.chunk({e.offset + within_, bytes.substr(0, static_cast<size_t>(n))});
    bytes.remove_prefix(static_cast<size_t>(n));
    within_ += n;
    if (within_ == e.length) extent_++, within_ = 0;
  }
}

} // namespace banger::guest
