#include "guest/tree/kernel_tree.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "guest/tree/remote_script.h"
#include "guest/tree/remote_scripts.h"

namespace banger::guest {

namespace {

constexpr size_t most_listed_bytes = size_t{64} << 20, most_answered = size_t{256} << 20;
constexpr size_t at_once = 64;
constexpr int64_t latest_time = 9'000'000'000; // nanoseconds must fit in 64 bits

// Whose reader waits for what is not there yet, or who says by its mode that nobody reads it.
bool likely_fails(const TreeEntry& file) {
  std::string_view name = std::string_view(file.path).substr(file.path.find_last_of('/') + 1);
  return (file.mode & 0444) == 0 || name == "kmsg" || name.starts_with("trace_pipe");
}

template <typename T>
std::optional<T> find_number(std::string_view text, int base) {
  T number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

} // namespace

KernelTree::KernelTree(RemotePipe& listing, std::shared_ptr<Session> session, std::string path,
                       int signals)
    : session_(std::move(session)), path_(std::move(path)), signals_(signals) {
  while (auto line = listing.read_line()) take_line(listing, *line);
  if (int status = listing.finish(); status != 0) throw refused("read", path_, status, listing);
  // A root that could not be listed, whatever was said of it.
  if (places_.empty() || !places_.front().path.empty() || !places_.front().is_dir())
    throw failed("cannot read '{}' in the guest: {}", path_,
                 unread_.first.empty() ? "it is not listed" : unread_.first.front());
}

Error KernelTree::says_something_else() const {
  return failed("cannot read '{}': the guest says something else", path_);
}

// "d 755 1700000000 ./a", the same with f, or l, whose next line is "./a -> target", in quotes from
// busybox, and without " -> target" where that cannot be read; or "e " and a complaint.
void KernelTree::take_line(RemotePipe& listing, const std::string& line) {
  if (line.starts_with("e ")) {
    // What has gone meanwhile is no part of the tree; a link that leads nowhere stays.
    bool gone = line.ends_with("No such file or directory") && line.find("link") == line.npos;
    if (!gone) unread_.add(line.substr(2));
    return;
  }
  auto words = split(line, ' ');
  if (words.size() < 4 || words[0].size() != 1) throw says_something_else();
  std::string name = line.substr(words[0].size() + words[1].size() + words[2].size() + 3);
  auto mode = find_number<unsigned>(words[1], 8);
  auto time = find_number<int64_t>(words[2], 10);
  auto path = plain_path(name);
  if (!mode || !time || !path) throw says_something_else();
  // The root is a directory, and comes first.
  bool is_first = places_.empty() && files_.empty();
  if (is_first != path->empty() || (is_first && words[0] != "d")) throw says_something_else();
  TreeEntry entry;
  entry.path = *path;
  entry.mtime = *time >= 0 && *time <= latest_time ? *time : 0;
  entry.mode = *mode & 07777;
  listed_bytes_ += sizeof entry + path->size();
  if (listed_bytes_ > most_listed_bytes)
    throw failed("cannot copy '{}': it has too many files", path_).hint("copy it in parts");
  switch (words[0][0]) {
  case 'd':
    entry.mode |= S_IFDIR;
    places_.push_back(std::move(entry));
    return;
  case 'f':
    entry.mode |= S_IFREG;
    files_.push_back({entry, likely_fails(entry)});
    return;
  case 'l': {
    auto told = listing.read_line();
    if (!told) throw says_something_else();
    bool quoted = told->starts_with('\'');
    std::string before = quoted ? "'" + name + "' -> '" : name + " -> ";
    if (!told->starts_with(before)) return; // its complaint comes
    entry.target = told->substr(before.size());
    if (quoted && entry.target.ends_with('\'')) entry.target.pop_back();
    if (entry.target.empty() || entry.target.size() > longest_path) throw says_something_else();
    entry.mode |= S_IFLNK;
    places_.push_back(std::move(entry));
    return;
  }
  default:
    throw says_something_else();
  }
}

std::optional<TreeEntry> KernelTree::next() {
  current_ = {};
  given_ = 0;
  if (!places_.empty()) {
    TreeEntry entry = std::move(places_.front());
    places_.pop_front();
    return entry;
  }
  while (ready_.empty() && !files_.empty()) fetch();
  if (ready_.empty()) {
    if (pipe_) pipe_->finish();
    pipe_.reset();
    return {};
  }
  current_ = std::move(ready_.front());
  ready_.pop_front();
  return current_.entry;
}

size_t KernelTree::read(std::span<char> buffer) {
  size_t n = current_.bytes.copy(buffer.data(), buffer.size(), given_);
  given_ += n;
  return n;
}

// The next files: one alone, or some.
void KernelTree::fetch() {
  std::vector<TreeEntry> files;
  bool alone = files_.front().alone;
  do {
    files.push_back(std::move(files_.front().entry));
    files_.pop_front();
  } while (!alone && !files_.empty() && !files_.front().alone && files.size() < at_once);
  read_some(files);
}

// By one program, since to begin one costs more than what it does; where that cannot read all of
// them, by one for each half, and so on.
void KernelTree::read_some(std::span<TreeEntry> files) {
  if (!pipe_) {
    std::string mark = new_mark();
    pipe_.emplace(
        session_,
        script({scripts::read_kernel}, {path_, mark, fmt::format("{}", most_of_file + 1)}),
        signals_);
    begin_script(*pipe_, mark, "read", path_);
  }
  std::string word = new_mark();
  std::string asked = fmt::format("{}\n{}\n", word, files.size());
  for (const TreeEntry& file : files) asked += file.path + "\n";
  if (!pipe_->write(asked)) {
    int status = pipe_->finish();
    throw refused("read", path_, status, *pipe_);
  }
  auto [bytes, why] = answer(word);
  if (files.size() == 1) {
    if (why == "waits") why = "nothing comes of it";
    if (why.empty()) return take(std::move(files[0]), std::move(bytes));
    size_t colon = why.rfind(": "); // after the names of the program and the file
    if (colon != why.npos) why.erase(0, colon + 2);
    unread_.add(
        fmt::format("'{}': {}", escape_for_terminal(files[0].path), escape_for_terminal(why)));
  } else if (!why.empty() || !take_all(files, bytes)) {
    // Nothing is waited for again and again.
    size_t part = why == "waits" ? 1 : (files.size() + 1) / 2;
    for (; !files.empty(); files = files.subspan(std::min(part, files.size())))
      read_some(files.first(std::min(part, files.size())));
  }
}

// What comes until the line of this word, and what that says.
std::pair<std::string, std::string> KernelTree::answer(const std::string& word) {
  std::string bytes, end = "\n" + word + " ";
  std::vector<char> block(size_t{128} << 10);
  size_t searched = 0;
  for (;;) {
    size_t at = bytes.find(end, searched);
    if (at != std::string::npos && bytes.ends_with('\n') && bytes.size() > at + end.size()) {
      std::string why(trim(std::string_view(bytes).substr(at + end.size())));
      bytes.resize(at);
      return {std::move(bytes), std::move(why)};
    }
    searched = at != std::string::npos     ? at
               : bytes.size() > end.size() ? bytes.size() - end.size()
                                           : 0;
    size_t n = pipe_->read(block);
    if (n == 0) {
      int status = pipe_->finish();
      throw refused("read", path_, status, *pipe_);
    }
    bytes.append(block.data(), n);
    if (bytes.size() > most_answered)
      throw failed("cannot read '{}': the guest sends more than {} at once", path_,
                   format_size(static_cast<int64_t>(most_answered)));
  }
}

// As head tells several apart. False where they do not come so.
bool KernelTree::take_all(std::span<TreeEntry> files, std::string_view bytes) {
  std::vector<std::string_view> contents;
  std::string before = fmt::format("==> ./{} <==\n", files[0].path);
  if (!bytes.starts_with(before)) return false;
  bytes.remove_prefix(before.size());
  for (size_t i = 1; i < files.size(); i++) {
    before = fmt::format("\n==> ./{} <==\n", files[i].path);
    size_t at = bytes.find(before);
    if (at == bytes.npos) return false;
    contents.push_back(bytes.substr(0, at));
    bytes.remove_prefix(at + before.size());
  }
  contents.push_back(bytes);
  for (size_t i = 0; i < files.size(); i++) take(std::move(files[i]), std::string(contents[i]));
  return true;
}

void KernelTree::take(TreeEntry entry, std::string bytes) {
  auto size = static_cast<int64_t>(bytes.size());
  if (size > most_of_file) {
    unread_.add(fmt::format("'{}': it has more than {}", escape_for_terminal(entry.path),
                            format_size(most_of_file)));
    return;
  }
  entry.size = size;
  if (size > 0) entry.data.push_back({0, size});
  ready_.push_back({std::move(entry), std::move(bytes)});
}

} // namespace banger::guest
