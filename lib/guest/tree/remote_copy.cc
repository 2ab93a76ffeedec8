#include "guest/tree/remote_copy.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>
#include <vector>

#include <sys/random.h>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"

namespace banger::guest {

namespace {

// What tar gives as if nothing were in it may be read otherwise; a file of holes alone that is
// larger is believed to be one.
constexpr int64_t doubted_size = int64_t{16} << 20;
constexpr size_t most_doubted_bytes = size_t{64} << 20;
constexpr int64_t latest_time = 9'000'000'000; // nanoseconds must fit in 64 bits

// Before each script: says why not and gives a status that tells what kind of failure it is.
constexpr std::string_view common = R"sh(
say() { printf '%s\n' "$2" >&2; exit "$1"; }
own() { # $1 made a path that no program takes for an option, without slashes at its end
  own=$1 slash=
  case $own in '') own=. ;; esac
  case $own in /*) ;; *) own=./$own ;; esac
  case $own in */ | */. | */..) slash=1 ;; esac
  while :; do
    case $own in ?*/) own=${own%/} ;; *) break ;; esac
  done
}
# GNU tar calls a full disk a short write.
unpack() { # DIRECTORY OPTIONS
  d=$1
  shift
  tar -x -p -f - -C "$d" "$@" && return
  set -- $(df -Pk "$d" | tail -n 1)
  [ "${4:-64}" -ge 64 ] || say 1 'no space left on device'
  exit 1
}
how=old
quiet='--warning=no-timestamp --warning=no-unknown-keyword' # pax's mark of a name that is no UTF-8
tars() {
  LC_ALL=C # names are bytes
  export LC_ALL
  command -v tar >/dev/null || say 105 'there is no tar in the guest'
  case $(tar --version 2>/dev/null) in *'GNU tar'*) how=gnu ;; esac
}
)sh";

// PATH DEEP MARK
constexpr std::string_view send_script = R"sh(
# Its size may not be what can be read of it, so that tar would give something else: it has none, or
# no blocks, and is no large file of holes; and it is not truly empty.
doubted() {
  if [ -s "$1" ]; then
    set -- "$1" $(du -kL "$1")
    [ "${2:-1}" = 0 ] && [ -n "$(find "$1" -follow -size -16777217c)" ]
  else
    [ "$({ cat "$1" 2>/dev/null && printf .; } | wc -c)" -ne 1 ]
  fi
}
own "$1"
if [ -L "$own" ] && [ -n "$2" ] && [ -z "$slash" ]; then kind=link
elif [ -d "$own" ]; then kind=directory
  [ -n "$2" ] || say 101 'it is a directory'
elif [ -f "$own" ]; then kind=file
  [ -z "$slash" ] || say 1 'not a directory'
elif [ -e "$own" ]; then say 1 'it is no regular file'
else say 103 'no such file or directory'
fi
tars
if [ $kind = directory ]; then
  cd "$own" || exit 1
  name=. follow=
else
  cd "${own%/*}/" || exit 1
  name=./${own##*/} follow=
  [ $kind = link ] || follow=-h
fi
if [ $kind = file ] && doubted "$name"; then
  set -- "$3" $(stat -L -c '%a %Y' "$name" 2>/dev/null)
  printf '\n%s cat:%s:%s file\n' "$1" "${2:-644}" "${3:-0}"
  exec cat "$name"
fi
printf '\n%s %s %s\n' "$3" $how $kind
if [ $how = gnu ]; then
  exec tar -c -f - --format=posix --sparse --sparse-version=1.0 \
    --pax-option=delete=atime,delete=ctime $follow -- "$name"
fi
exec tar -c -f - $follow "$name"
)sh";

// PATH KIND NAME INTO MARK
constexpr std::string_view receive_script = R"sh(
own "$1"
to=$own
if [ -d "$own" ]; then
  [ "$3" = . ] || to=${own%/}/$3
else
  [ -z "$4" ] || say 1 'not a directory'
  [ -z "$slash" ] || [ "$2" = directory ] || say 1 'not a directory'
fi
if [ -L "$to" ] && [ -f "$to" ] && [ "$2" = file ]; then to=$(readlink -f "$to"); fi
tars
if [ -d "$to" ]; then
  [ "$2" = directory ] || say 1 'it is a directory'
  printf '\n%s %s merge\n' "$5" $how
  if [ $how = gnu ]; then
    unpack "$to" --numeric-owner --keep-directory-symlink $quiet
  else
    unpack "$to"
  fi
  exit
fi
[ "$2" != directory ] || [ ! -e "$to" ] || say 1 'it is not a directory'
dir=${to%/*}/
[ -d "$dir" ] || say 103 'no such directory'
tmp=$(mktemp -d "$dir.banger-XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT PIPE TERM
printf '\n%s %s fresh\n' "$5" $how
if [ $how = gnu ]; then
  unpack "$tmp" --numeric-owner $quiet
else
  unpack "$tmp"
fi
[ -e "$tmp/end" ] || say 1 'the copy was cut short'
mv -f "$tmp/data" "$to"
)sh";

// PATH MARK; what comes ends with MARK, which no connection that is cut leaves behind.
constexpr std::string_view write_script = R"sh(
own "$1"
to=$own
[ ! -d "$to" ] || say 1 'it is a directory'
[ -z "$slash" ] || say 1 'not a directory'
[ ! -L "$to" ] || [ ! -f "$to" ] || to=$(readlink -f "$to")
dir=${to%/*}/
[ -d "$dir" ] || say 103 'no such directory'
tmp=$(mktemp "$dir.banger-XXXXXX") || exit 1
trap 'rm -f "$tmp"' EXIT
trap 'exit 1' HUP INT PIPE TERM
printf '\n%s old fresh\n' "$2"
cat >"$tmp" || exit 1
size=$(wc -c <"$tmp")
[ "$(tail -c ${#2} "$tmp")" = "$2" ] || say 1 'the copy was cut short'
dd of="$tmp" bs=1 seek=$((size - ${#2})) count=0 2>/dev/null </dev/null || exit 1
chmod "$(printf %03o $((0666 & ~0$(umask))))" "$tmp" && mv -f "$tmp" "$to"
)sh";

// PATH MARK; each line of what comes is the path of a file below PATH, as printf's %b takes it,
// that tar gave as if nothing were in it. What it says at the end are the numbers of those (from 0
// on) that have something, or cannot be read.
constexpr std::string_view check_script = R"sh(
own "$1"
cd "$own" || exit 1
printf '\n%s old list\n' "$2"
first=0 bad=
silent() { [ "$({ cat "$@" 2>/dev/null && printf .; } | wc -c)" -eq 1 ]; }
look() {
  [ $# -gt 0 ] || return
  if silent "$@"; then
    first=$((first + $#))
  else
    for p; do
      silent "$p" || bad="$bad $first"
      first=$((first + 1))
    done
  fi
}
set --
while IFS= read -r p; do
  case $p in *\\*) p=$(printf '%b.' "$p") p=${p%.} ;; esac
  set -- "$@" "./$p"
  [ $# -lt 64 ] || { look "$@" && set --; }
done
look "$@"
for n in $bad; do
  printf '%s\n' "$n"
done
)sh";

// PATH MARK
constexpr std::string_view read_script = R"sh(
own "$1"
[ ! -d "$own" ] || say 102 'it is a directory'
[ -e "$own" ] || say 103 'no such file or directory'
[ -z "$slash" ] || say 1 'not a directory'
[ -r "$own" ] || say 1 'permission denied'
printf '\n%s old file\n' "$2"
exec cat "$own"
)sh";

std::string script(std::string_view text, const std::vector<std::string>& words) {
  std::string command =
      "exec /bin/sh -c " + shell_quote(std::string(common) + std::string(text)) + " sh";
  for (const auto& word : words) command += " " + shell_quote(word);
  return command;
}

// Begins what a script says of itself, so that what a shell's own start-up files print is told
// apart from it.
std::string new_mark() {
  std::array<unsigned char, 12> random;
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    throw sys_error(errno, "cannot get random bytes");
  std::string mark = "banger-";
  for (unsigned char c : random) mark += fmt::format("{:02x}", c);
  return mark;
}

Error refused(std::string_view doing, const std::string& path, int status, const RemotePipe& pipe) {
  std::string why = escape_for_terminal(last_lines(trim(pipe.complaint()), 2));
  if (why.empty()) why = fmt::format("the guest's tar gave status {}", status);
  std::string message = fmt::format("cannot {} '{}' in the guest: {}", doing, path, why);
  switch (status) {
  case 101:
    return Error(Code::failed, message).hint("directories are copied with -r");
  case 102: // where -r is no help
    return sys_error(EISDIR, "cannot {} '{}' in the guest", doing, path);
  case 103:
    return Error(Code::not_found, message);
  case 105:
    return Error(Code::preflight, message).hint("install tar in the guest");
  default:
    return Error(Code::failed, message);
  }
}

// The words after the mark: of a script that has begun its work. Throws what kept it from that.
std::vector<std::string> begin(RemotePipe& pipe, const std::string& mark, std::string_view doing,
                               const std::string& path) {
  size_t heard = 0;
  for (;;) {
    auto line = pipe.read_line();
    if (!line) {
      int status = pipe.finish();
      throw refused(doing, path, status, pipe);
    }
    if (line->starts_with(mark)) {
      auto words = split(line->substr(std::min(line->size(), mark.size() + 1)), ' ');
      if (words.size() == 2) return words;
    }
    heard += line->size() + 1;
    if (heard > (size_t{64} << 10))
      throw failed("cannot {} '{}': the guest's shell says something else", doing, path);
  }
}

// As `own` in the scripts sees it.
bool ends_as_directory(const std::string& path) {
  std::string last = path.substr(path.find_last_of('/') + 1); // npos + 1 is 0
  return last.empty() || last == "." || last == "..";
}

// As printf's %b takes it, on one line.
std::string printf_escaped(std::string_view path) {
  std::string out;
  for (char c : path) {
    if (c == '\n')
      out += "\\0012";
    else if (c == '\\')
      out += "\\\\";
    else
      out += c;
  }
  return out;
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

RemoteTreeSource::RemoteTreeSource(Session session, const std::string& path, bool deep, int signals)
    : session_(std::make_shared<Session>(std::move(session))), path_(path), mark_(new_mark()),
      signals_(signals),
      pipe_(session_, script(send_script, {path, deep ? "1" : "", mark_}), signals) {
  auto words = begin(pipe_, mark_, "read", path);
  kind_ = sent_kind(words[1], path, deep);
  if (auto sent = plain_file(words[0])) {
    if (kind_ != CopyItem::Kind::file)
      throw failed("cannot read '{}': something else came than was asked for", path);
    alone_ = *sent;
    return;
  }
  tar_ = std::make_unique<TarSource>([this](std::span<char> buffer) { return pull(buffer); },
                                     type_of(kind_), path);
}

size_t RemoteTreeSource::pull(std::span<char> buffer) {
  if (ended_) return 0;
  size_t n = pipe_.read(buffer);
  if (n > 0) return n;
  ended_ = true;
  if (int status = pipe_.finish(); status != 0) throw refused("read", path_, status, pipe_);
  return 0;
}

size_t RemoteTreeSource::left_out() const { return tar_ ? tar_->left_out() : 0; }

std::optional<TreeEntry> RemoteTreeSource::next() {
  spool_.reset();
  if (alone_) {
    TreeEntry entry = *std::exchange(alone_, {});
    spool_.emplace([this](std::span<char> buffer) { return pull(buffer); }, path_);
    return sized(std::move(entry));
  }
  if (!tar_) return {};
  if (!told_) {
    if (auto entry = tar_->next()) {
      doubt(*entry);
      return entry;
    }
    told_ = true;
    if (!doubted_.empty()) check_doubted();
  }
  if (doubted_.empty()) return {};
  TreeEntry entry = std::move(doubted_.back());
  doubted_.pop_back();
  read_again(entry.path);
  return sized(std::move(entry));
}

size_t RemoteTreeSource::read(std::span<char> buffer) {
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
  RemotePipe pipe(session_, script(check_script, {path_, mark_}), signals_);
  begin(pipe, mark_, "read", path_);
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

void RemoteTreeSource::read_again(const std::string& below) {
  std::string path = path_.empty() ? below : path_ + "/" + below;
  RemotePipe pipe(session_, script(read_script, {path, mark_}), signals_);
  begin(pipe, mark_, "read", path);
  spool_.emplace([&](std::span<char> buffer) { return pipe.read(buffer); }, path);
  if (int status = pipe.finish(); status != 0) throw refused("read", path, status, pipe);
}

RemoteTreeSink::RemoteTreeSink(Session session, const std::string& path, const CopyItem& item,
                               bool into, int signals)
    : path_(path), mark_(new_mark()),
      pipe_(std::make_shared<Session>(std::move(session)),
            script(receive_script, {path, name_of(item.kind), item.name, into ? "1" : "", mark_}),
            signals) {
  auto words = begin(pipe_, mark_, "write", path);
  fresh_ = words[1] == "fresh";
  tar_ =
      std::make_unique<TarSink>([this](std::string_view bytes) { push(bytes); },
                                words[0] == "gnu" ? archive::TarForm::pax : archive::TarForm::gnu);
}

void RemoteTreeSink::push(std::string_view bytes) {
  if (pipe_.write(bytes)) return;
  int status = pipe_.finish();
  throw refused("write", path_, status, pipe_);
}

void RemoteTreeSink::entry(const TreeEntry& entry) {
  if (!fresh_) return tar_->entry(entry);
  TreeEntry placed = entry;
  auto below = [](const std::string& path) { return path.empty() ? "data" : "data/" + path; };
  placed.path = below(entry.path);
  if (entry.hard_link) placed.target = below(entry.target);
  tar_->entry(placed);
}

void RemoteTreeSink::finish() {
  if (fresh_) {
    TreeEntry end;
    end.path = "end";
    end.mode = S_IFREG | 0644;
    tar_->entry(end);
  }
  tar_->finish();
  if (int status = pipe_.finish(); status != 0) throw refused("write", path_, status, pipe_);
}

int64_t write_remote_file(Session session, const std::string& path, int signals,
                          const TarSource::Pull& pull) {
  std::string mark = new_mark();
  RemotePipe pipe(std::make_shared<Session>(std::move(session)), script(write_script, {path, mark}),
                  signals);
  begin(pipe, mark, "write", path);
  std::vector<char> buffer(size_t{128} << 10);
  int64_t total = 0;
  bool taken = true;
  while (size_t n = taken ? pull(buffer) : 0) {
    taken = pipe.write({buffer.data(), n});
    total += static_cast<int64_t>(n);
  }
  if (taken) pipe.write(mark);
  if (int status = pipe.finish(); status != 0) throw refused("write", path, status, pipe);
  return total;
}

int64_t read_remote_file(Session session, const std::string& path, int signals,
                         const TarSink::Push& push) {
  std::string mark = new_mark();
  RemotePipe pipe(std::make_shared<Session>(std::move(session)), script(read_script, {path, mark}),
                  signals);
  begin(pipe, mark, "read", path);
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
