#include "core/log.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"

namespace banger {

std::string_view name_of(Level level) {
  switch (level) {
  case Level::debug:
    return "debug";
  case Level::info:
    return "info";
  case Level::warn:
    return "warn";
  case Level::error:
    return "error";
  case Level::off:
    return "off";
  }
  return "info";
}

Level parse_level(std::string_view text) {
  for (Level l : {Level::debug, Level::info, Level::warn, Level::error, Level::off})
    if (text == name_of(l)) return l;
  throw usage("invalid log level '{}': it is one of debug, info, warn, error, off", text);
}

Log::Log(std::string path, Level level, std::string op, Directory directory)
    : path_(std::move(path)), level_(path_.empty() ? Level::off : level), directory_(directory),
      op_(std::move(op)) {}

namespace {

// Whether the file would lie in what belongs to another user. Root can write there, and the file
// would keep that user out.
bool is_in_anothers(const std::string& path) {
  std::string above = path;
  struct stat st {};
  do above.resize(std::max<size_t>(above.rfind('/'), 1));
  while (::stat(above.c_str(), &st) != 0 && above.size() > 1);
  return st.st_uid != ::geteuid() && st.st_uid != 0 && (st.st_mode & S_IWOTH) == 0;
}

// The log tells what the user does, so it is the user's alone, and so is each directory made for
// it: the first record may come before the state's own directory is there. Not open: it cannot be.
Fd open_private_file(const std::string& path, Log::Directory directory) {
  bool makes = directory == Log::Directory::made;
  if (path.starts_with('/') && is_in_anothers(path)) return {};
  for (size_t at = path.find('/', 1); makes && at != std::string::npos; at = path.find('/', at + 1))
    ::mkdir(path.substr(0, at).c_str(), 0700); // most are there; the open below tells of a failure
  return Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}

// Appends a line in one write, which O_APPEND never mixes with another process's.
bool append(int fd, std::string_view line) {
  ssize_t n;
  do n = ::write(fd, line.data(), line.size());
  while (n < 0 && errno == EINTR);
  return n == static_cast<ssize_t>(line.size());
}

// The line stays valid JSON and shows no control character, even if a guest or a program sent some.
void append_string(fmt::memory_buffer& out, std::string_view s) {
  auto escape = [&](unsigned code) { fmt::format_to(std::back_inserter(out), "\\u{:04x}", code); };
  out.push_back('"');
  while (!s.empty()) {
    auto c = static_cast<unsigned char>(s[0]);
    size_t length = utf8_length(s);
    std::string_view character = s.substr(0, std::max<size_t>(length, 1));
    s.remove_prefix(character.size());
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(character[0]);
    } else if (length == 0) {
      escape(c); // no UTF-8: the byte as if it were Latin-1
    } else if (is_shown_safely(character)) {
      out.append(character);
    } else {
      escape(static_cast<unsigned>(code_point(character)));
    }
  }
  out.push_back('"');
}

void append_value(fmt::memory_buffer& out, const Log::Value& value) {
  auto it = std::back_inserter(out);
  if (auto* s = std::get_if<std::string_view>(&value)) append_string(out, *s);
  if (auto* i = std::get_if<int64_t>(&value)) fmt::format_to(it, "{}", *i);
  if (auto* d = std::get_if<double>(&value)) fmt::format_to(it, "{:.6f}", *d);
  if (auto* b = std::get_if<bool>(&value)) fmt::format_to(it, "{}", *b);
  if (auto* o = std::get_if<Log::Object>(&value)) out.append(o->json);
}

} // namespace

void Log::write(Level level, std::string_view event, Fields fields, const std::exception* error) {
  if (level < level_ || level_ == Level::off) return;
  if (!file_) file_ = open_private_file(path_, directory_);
  fmt::memory_buffer line;
  fmt::format_to(std::back_inserter(line), R"({{"time":"{}","level":"{}","op":"{}","event":)",
                 to_rfc3339(wall_now()), name_of(level), op_);
  append_string(line, event);
  auto field = [&](std::string_view key, const Value& value) {
    line.push_back(',');
    append_string(line, key);
    line.push_back(':');
    append_value(line, value);
  };
  for (const Field& f : fields) field(f.key, f.value);
  if (error) field("error", std::string_view(error->what()));
  line.append(std::string_view("}\n"));
  if (!file_ || !append(file_.get(), {line.data(), line.size()}))
    level_ = Level::off; // a log that cannot be written must not fail what it describes
}

std::string new_op_id() {
  uint32_t id = 0;
  if (getrandom(&id, sizeof id, 0) != sizeof id)
    id = static_cast<uint32_t>(steady_now().time_since_epoch().count());
  return fmt::format("{:08x}", id);
}

LogSpan::~LogSpan() {
  log_.info(event_, {{"subject", subject_}, {"seconds", Seconds(steady_now() - start_).count()}});
}

} // namespace banger
