#include "sys/log_follower.h"

#include <algorithm>

#include <fcntl.h>

#include "core/text.h"
#include "sys/file.h"

namespace banger::sys {

namespace {

constexpr size_t most_tail = size_t{8} << 20;
constexpr size_t most_kept = size_t{16} << 20; // more than a log is ever let grow to
constexpr size_t most_at_once = size_t{64} << 10;
constexpr size_t remembered = 4096;

// Where a front was given back as a hole, it reads as zeros.
size_t behind_hole(std::string_view text) {
  return std::min(text.find_first_not_of('\0'), text.size());
}

} // namespace

bool LogFollower::open() {
  if (fd_) return true;
  if (auto found = find_file(path_, O_RDONLY)) fd_ = std::move(*found);
  return bool(fd_);
}

void LogFollower::remember(const std::string& given) {
  last_ += given;
  if (last_.size() > remembered) last_.erase(0, last_.size() - remembered);
}

std::string LogFollower::tail(size_t lines) {
  if (!open()) return {};
  int64_t from = std::max<int64_t>(0, size_of(fd_.get()) - static_cast<int64_t>(most_tail));
  std::string text = read_at(fd_.get(), from, most_tail);
  offset_ = from + static_cast<int64_t>(text.size());
  text.erase(0, behind_hole(text));
  last_.clear();
  remember(text);
  if (lines == 0) return text;
  bool ended = text.ends_with('\n');
  std::string end = last_lines(text, lines);
  return ended && !end.empty() ? end + "\n" : end;
}

std::string LogFollower::next() {
  if (!open()) return {};
  auto read = [&] {
    return read_at(fd_.get(), offset_ - static_cast<int64_t>(last_.size()),
                   last_.size() + most_at_once);
  };
  std::string text = read();
  if (!text.starts_with(last_)) {
    find_place();
    text = read();
    if (!text.starts_with(last_)) return {}; // cut once more; the next look finds it
  }
  text.erase(0, last_.size());
  offset_ += static_cast<int64_t>(text.size());
  remember(text);
  // Only the first bytes can be a hole: later ones stand behind bytes that were given.
  if (last_.size() == text.size()) text.erase(0, behind_hole(text));
  return text;
}

void LogFollower::find_place() {
  int64_t from = std::max<int64_t>(0, size_of(fd_.get()) - static_cast<int64_t>(most_kept));
  std::string all = read_at(fd_.get(), from, most_kept);
  size_t at = all.rfind(last_);
  if (at != std::string::npos) {
    offset_ = from + static_cast<int64_t>(at + last_.size());
    return;
  }
  offset_ = from + static_cast<int64_t>(behind_hole(all));
  last_.clear();
}

} // namespace banger::sys
