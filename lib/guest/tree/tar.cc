#include "guest/tree/tar.h"

#include <algorithm>

namespace banger::guest {

namespace {

constexpr int64_t largest_file = int64_t{1} << 50;
constexpr int64_t latest = 9'000'000'000; // in seconds; nanoseconds must fit in 64 bits

} // namespace

TarSource::TarSource(Pull pull, mode_t root, const std::string& name)
    : root_(root), name_(name), reader_(std::move(pull), name, archive::Reader::Paths::relative) {}

Error TarSource::damaged(std::string_view why) const {
  return failed("cannot read '{}': {}", name_, why);
}

void TarSource::check(TreeEntry& entry) {
  bool alone = root_ != S_IFDIR;
  if (alone) entry.path.clear();
  if (entry.path.empty() && any_)
    throw damaged(alone ? "it has more than what was asked for" : "its root comes late");
  if (entry.mtime > latest || entry.mtime < -latest) throw damaged("a time is none");
  if (entry.is_symlink() && (entry.target.empty() || entry.target.size() > longest_path))
    throw damaged("a link is none");
  if (entry.is_file()) {
    if (entry.size < 0 || entry.size > largest_file) throw damaged("a file is too large");
    if (entry.data.size() > most_extents) throw damaged("a file has too many holes");
  } else if (!entry.hard_link && !entry.is_dir() && !entry.is_symlink()) {
    throw damaged("it has an entry of an unknown kind");
  }
  // A caller that asked for a file must not get a link: the next copy would write through it.
  if (entry.path.empty() && (entry.hard_link || (entry.mode & S_IFMT) != root_))
    throw damaged("something else came than was asked for");
}

std::optional<TreeEntry> TarSource::next() {
  extent_ = 0;
  within_ = 0;
  piece_ = {};
  is_file_ = false;
  while (auto entry = reader_.next()) {
    if (!entry->hard_link &&
        (S_ISCHR(entry->mode) || S_ISBLK(entry->mode) || S_ISFIFO(entry->mode))) {
      left_out_++;
      continue;
    }
    check(*entry);
    any_ = true;
    extents_ = entry->data;
    is_file_ = entry->is_file();
    return entry;
  }
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

void TarSink::entry(const TreeEntry& entry) {
  extents_ = entry.data;
  extent_ = 0;
  within_ = 0;
  if (!entry.path.empty()) writer_.entry(entry);
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
