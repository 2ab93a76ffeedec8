#include "core/log.h"

#include <exception>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>

#include "core/error.h"
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

// spdlog's file sink opens with O_APPEND and writes a line at once, so processes that share the
// file don't mix within a line.
struct Log::Sink {
  std::unique_ptr<spdlog::logger> logger;
};

Log::Log(std::string path, Level level, std::string op)
    : path_(std::move(path)), level_(path_.empty() ? Level::off : level), op_(std::move(op)) {}

Log::~Log() = default;

namespace {

// The log tells what the user does, so it is the user's alone, and so is each directory made for
// it: the first record may come before the state's own directory is there. spdlog would make them
// for all to read.
void make_private_file(const std::string& path) {
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    ::mkdir(path.substr(0, at).c_str(), 0700); // most are there; what fails, the open below tells
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
}

void append_string(fmt::memory_buffer& out, std::string_view s) {
  out.push_back('"');
  for (char ch : s) {
    auto c = static_cast<unsigned char>(ch);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(ch);
    } else if (c < 0x20 || c >= 0x7f) {
      // Bytes above ASCII may be no UTF-8; a log line must stay valid JSON whatever a guest sent.
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    } else {
      out.push_back(ch);
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
}

} // namespace

void Log::write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (level < level_ || level_ == Level::off) return;
  try {
    if (!sink_) {
      make_private_file(path_);
      auto file = std::make_shared<spdlog::sinks::basic_file_sink_st>(path_);
      file->set_pattern("%v");
      sink_ = std::make_unique<Sink>();
      sink_->logger = std::make_unique<spdlog::logger>("banger", std::move(file));
      sink_->logger->flush_on(spdlog::level::trace);
    }
    fmt::memory_buffer line;
    fmt::format_to(std::back_inserter(line), R"({{"time":"{}","level":"{}","op":"{}","event":)",
                   to_rfc3339(wall_now()), name_of(level), op_);
    append_string(line, event);
    for (const Field& f : fields) {
      line.push_back(',');
      append_string(line, f.key);
      line.push_back(':');
      append_value(line, f.value);
    }
    line.push_back('}');
    sink_->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  } catch (const std::exception&) {
    level_ = Level::off; // a log that cannot be written must not fail what it describes
  }
}

std::string new_op_id() {
  uint32_t id = 0;
  if (getrandom(&id, sizeof id, 0) != sizeof id)
    id = static_cast<uint32_t>(steady_now().time_since_epoch().count());
  return fmt::format("{:08x}", id);
}

Stage::~Stage() {
  log_.info(event_, {{"subject", subject_}, {"seconds", Seconds(steady_now() - start_).count()}});
}

} // namespace banger
