#include "guest/tree/remote_copy.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <set>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "guest/tree/remote_script.h"
#include "guest/tree/remote_scripts.h"

namespace banger::guest {

namespace {

constexpr Millis time_to_clean_up{3'000};
constexpr size_t most_doubted_bytes = size_t{64} << 20;
constexpr size_t most_apart = 1000;
constexpr int64_t latest_time = 9'000'000'000; // nanoseconds must fit in 64 bits

// As `own` in the scripts sees it.
bool ends_as_directory(const std::string& path) {
  std::string last = path.substr(path.find_last_of('/') + 1); // npos + 1 is 0
  return last.empty() || last == "." || last == "..";
}

std::optional<size_t> find_number(std::string_view text) {
  size_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

// "cat:444:1700000000": a file that comes without a tar, with its mode and time; none for others.
std::optional<TreeEntry> plain_file(const std::string& word) {
  auto parts = split(word, ':');
  if (parts.size() != 3 || parts[0] != "cat") return {};
  TreeEntry entry;
  unsigned mode = 0644;
  std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), mode, 8);
  std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), entry.mtime);
  if (entry.mtime < 0 || entry.mtime > latest_time) entry.mtime = 0;
  entry.mode = S_IFREG | (mode & 07777);
  return entry;
}

mode_t type_of(CopyItem::Kind kind) {
  return kind == CopyItem::Kind::directory ? S_IFDIR
         : kind == CopyItem::Kind::link    ? S_IFLNK
                                           : S_IFREG;
}

std::string name_of(CopyItem::Kind kind) {
  return kind == CopyItem::Kind::directory ? "directory"
         : kind == CopyItem::Kind::link    ? "link"
                                           : "file";
}

} // namespace

CopyItem::Kind sent_kind(const std::string& word, const std::string& path, bool deep) {
  if (word == "directory" && deep) return CopyItem::Kind::directory;
  if (!ends_as_directory(path)) {
    if (word == "file") return CopyItem::Kind::file;
    if (word == "link" && deep) return CopyItem::Kind::link;
  }
  throw failed("cannot read '{}': something else came than was asked for", path);
}

// Files of a directory in the guest, one after another by one command: a command for each costs as
// much as a login's start-up files do.
class RemoteTreeSource::FilesBelow {
public:
  FilesBelow(std::shared_ptr<Session> session, const std::string& path, int signals)
      : path_(path), mark_(new_mark()),
        pipe_(std::move(session), script({scripts::read_below}, {path, mark_}), signals) {
    begin_script(pipe_, mark_, "read", path);
  }

  // The one before must have been read to its end.
  void ask(const std::string& below) {
    shown_ = path_.empty() ? below : path_ + "/" + below;
    std::string word = new_mark();
    end_ = "\n" + word + "\n";
    at_end_ = false;
    if (!pipe_.write(word + "\n" + printf_escaped(below) + "\n")) fail();
  }

  // 0 at the end of the file.
  size_t read(std::span<char> buffer) {
    while (!at_end_) {
      // Bytes that may be the beginning of the end mark are held back.
      size_t whole = held_.size() < end_.size() ? 0 : held_.size() - end_.size() + 1;
      if (whole > 0) return give(whole, buffer);
      std::vector<char> more(buffer.size());
      size_t n = pipe_.read(more);
      if (n == 0) fail();
      held_.append(more.data(), n);
      size_t at = held_.find(end_);
      if (at == std::string::npos) continue;
      if (at + end_.size() != held_.size())
        throw failed("cannot read '{}': the guest says something else", shown_);
      held_.resize(at);
      at_end_ = true;
    }
    return held_.empty() ? 0 : give(held_.size(), buffer);
  }

  void finish() {
    pipe_.end_input();
    if (int status = pipe_.finish(); status != 0) throw refused("read", path_, status, pipe_);
  }

private:
  size_t give(size_t at_most, std::span<char> buffer) {
    size_t n = held_.copy(buffer.data(), std::min(at_most, buffer.size()));
    held_.erase(0, n);
    return n;
  }

  [[noreturn]] void fail() {
    int status = pipe_.finish();
    throw refused("read", shown_, status, pipe_);
  }

  std::string path_, mark_;
  RemotePipe pipe_;
  std::string shown_, end_, held_;
  bool at_end_ = true;
};

RemoteTreeSource::RemoteTreeSource(Session session, const std::string& path, bool deep, int signals)
    : session_(std::make_shared<Session>(std::move(session))), path_(path), mark_(new_mark()),
      signals_(signals),
      pipe_(session_, script({scripts::send}, {path, deep ? "1" : "", mark_}), signals) {
  auto words = begin_script(pipe_, mark_, "read", path);
  kind_ = sent_kind(words[1], path, deep);
  if (auto sent = plain_file(words[0])) {
    if (kind_ != CopyItem::Kind::file)
      throw failed("cannot read '{}': something else came than was asked for", path);
    alone_ = *sent;
    return;
  }
  if (words[0] == "kernel" && kind_ == CopyItem::Kind::directory) {
    kernel_ = std::make_unique<KernelTree>(pipe_, session_, path, signals);
    return;
  }
  auto shape = split(words[0], ':');
  by_gnu_ = shape[0] == "gnu";
  if (shape.size() == 2) read_apart(find_number(shape[1]).value_or(most_apart + 1));
  tar_ = std::make_unique<TarSource>([this](std::span<char> buffer) { return pull(buffer); },
                                     type_of(kind_), path);
}

RemoteTreeSource::~RemoteTreeSource() = default;

// Of places that lie in one another the first is all that counts.
void RemoteTreeSource::read_apart(size_t lines) {
  std::set<std::string> places;
  for (size_t i = 0; i < lines; i++) {
    auto line = i < most_apart ? pipe_.read_line() : std::nullopt;
    if (!line) throw failed("cannot read '{}': the guest says something else", path_);
    places.insert(*line + "/");
  }
  for (const auto& place : places) {
    if (!apart_.empty() && place.starts_with(apart_.back() + "/")) continue;
    apart_.push_back(place.substr(0, place.size() - 1));
  }
}

size_t RemoteTreeSource::pull(std::span<char> buffer) {
  if (ended_) return 0;
  size_t n = pipe_.read(buffer);
  if (n > 0) return n;
  ended_ = true;
  int status = pipe_.finish();
  // GNU tar's word for a file that was written to meanwhile, of which it says nothing then.
  bool only_changed = by_gnu_ && status == 1 && trim(pipe_.complaint()).empty();
  if (status != 0 && !only_changed) throw refused("read", path_, status, pipe_);
  return 0;
}

Unread RemoteTreeSource::unread() const { return kernel_ ? kernel_->unread() : Unread{}; }

size_t RemoteTreeSource::left_out() const { return tar_ ? tar_->left_out() : 0; }

std::optional<TreeEntry> RemoteTreeSource::next() {
  spool_.reset();
  if (alone_) {
    TreeEntry entry = *std::exchange(alone_, {});
    spool_.emplace([this](std::span<char> buffer) { return pull(buffer); }, path_);
    return sized(std::move(entry));
  }
  if (kernel_) return kernel_->next();
  if (!tar_) return {};
  if (!told_) {
    if (auto entry = tar_->next()) {
      doubt(*entry);
      return entry;
    }
    told_ = true;
    if (!doubted_.empty()) check_doubted();
  }
  if (doubted_.empty()) {
    if (again_) std::exchange(again_, {})->finish();
    return {};
  }
  TreeEntry entry = std::move(doubted_.back());
  doubted_.pop_back();
  if (!again_) again_ = std::make_unique<FilesBelow>(session_, path_, signals_);
  again_->ask(entry.path);
  spool_.emplace([this](std::span<char> buffer) { return again_->read(buffer); }, entry.path);
  return sized(std::move(entry));
}

size_t RemoteTreeSource::read(std::span<char> buffer) {
  if (kernel_) return kernel_->read(buffer);
  return spool_ ? spool_->read(buffer) : tar_ ? tar_->read(buffer) : 0;
}

TreeEntry RemoteTreeSource::sized(TreeEntry entry) const {
  entry.size = spool_->size();
  entry.data.clear();
  if (entry.size > 0) entry.data.push_back({0, entry.size});
  return entry;
}

void RemoteTreeSource::doubt(const TreeEntry& entry) {
  if (!entry.is_file() || !entry.data.empty() || entry.size > doubted_size || entry.path.empty())
    return;
  doubted_bytes_ += sizeof entry + entry.path.size();
  if (doubted_bytes_ > most_doubted_bytes)
    throw failed("cannot copy '{}': it has too many empty files", path_)
        .hint(fmt::format("what is kept of them takes at most {}: copy it in parts",
                          format_size(most_doubted_bytes)));
  doubted_.push_back(entry);
}

// Of those that came as if nothing were in them, keeps those that have something.
void RemoteTreeSource::check_doubted() {
  RemotePipe pipe(session_, script({scripts::check}, {path_, mark_}), signals_);
  begin_script(pipe, mark_, "read", path_);
  std::string lines;
  bool taken = true;
  auto flush = [&] {
    taken = taken && pipe.write(lines);
    lines.clear();
  };
  for (const TreeEntry& entry : doubted_) {
    lines += printf_escaped(entry.path) + "\n";
    if (lines.size() > (size_t{64} << 10)) flush();
  }
  flush();
  pipe.end_input();
  std::vector<TreeEntry> full;
  while (auto line = pipe.read_line()) {
    auto number = find_number(*line);
    // In order, so that no guest has one read twice.
    if (!number || *number >= doubted_.size() || doubted_[*number].path.empty())
      throw failed("cannot read '{}': the guest says something else", path_);
    full.push_back(std::move(doubted_[*number]));
    doubted_[*number].path.clear();
  }
  if (int status = pipe.finish(); status != 0) throw refused("read", path_, status, pipe);
  std::ranges::reverse(full);
  doubted_ = std::move(full);
}

RemoteTreeSink::RemoteTreeSink(Session session, const std::string& path, const CopyItem& item,
                               bool into, int signals)
    : path_(path), mark_(new_mark()),
      pipe_(std::make_shared<Session>(std::move(session)),
            script({scripts::placing, scripts::receive},
                   {path, name_of(item.kind), item.name, into ? "1" : "", mark_}),
            signals) {
  auto words = begin_script(pipe_, mark_, "write", path);
  tar_ =
      std::make_unique<TarSink>([this](std::string_view bytes) { push(bytes); },
                                words[0] == "gnu" ? archive::TarForm::pax : archive::TarForm::gnu);
}

void RemoteTreeSink::push(std::string_view bytes) {
  if (pipe_.write(bytes)) return;
  int status = pipe_.finish();
  throw refused("write", path_, status, pipe_);
}

RemoteTreeSink::~RemoteTreeSink() { pipe_.abandon(time_to_clean_up); }

void RemoteTreeSink::entry(const TreeEntry& entry) {
  TreeEntry placed = entry;
  auto below = [](const std::string& path) { return path.empty() ? "data" : "data/" + path; };
  placed.path = below(entry.path);
  if (entry.hard_link) placed.target = below(entry.target);
  tar_->entry(placed);
}

void RemoteTreeSink::finish() {
  TreeEntry end;
  end.path = "end";
  end.mode = S_IFREG | 0644;
  tar_->entry(end);
  tar_->finish();
  if (int status = pipe_.finish(); status != 0) throw refused("write", path_, status, pipe_);
}

int64_t write_remote_file(Session session, const std::string& path, int signals,
                          const TarSource::Pull& pull) {
  std::string mark = new_mark();
  RemotePipe pipe(std::make_shared<Session>(std::move(session)),
                  script({scripts::placing, scripts::write}, {path, mark}), signals);
  bool marked = begin_script(pipe, mark, "write", path)[1] != "into";
  struct AtEnd {
    RemotePipe& pipe;
    ~AtEnd() { pipe.abandon(time_to_clean_up); }
  } at_end{pipe};
  std::vector<char> buffer(size_t{128} << 10);
  int64_t total = 0;
  bool taken = true;
  while (size_t n = taken ? pull(buffer) : 0) {
    taken = pipe.write({buffer.data(), n});
    total += static_cast<int64_t>(n);
  }
  if (taken && marked) pipe.write(mark);
  if (int status = pipe.finish(); status != 0) throw refused("write", path, status, pipe);
  return total;
}

int64_t read_remote_file(Session session, const std::string& path, int signals,
                         const TarSink::Push& push) {
  std::string mark = new_mark();
  RemotePipe pipe(std::make_shared<Session>(std::move(session)),
                  script({scripts::read}, {path, mark}), signals);
  begin_script(pipe, mark, "read", path);
  std::vector<char> buffer(size_t{128} << 10);
  int64_t total = 0;
  while (size_t n = pipe.read(buffer)) {
    push({buffer.data(), n});
    total += static_cast<int64_t>(n);
  }
  if (int status = pipe.finish(); status != 0) throw refused("read", path, status, pipe);
  return total;
}

} // namespace banger::guest
