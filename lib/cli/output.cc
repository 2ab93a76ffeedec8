#include <cerrno>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/app.h"
#include "cli/layout.h"
#include "cli/terminal.h"
#include "core/text.h"

namespace banger::cli {

namespace {

constexpr size_t buffer_limit = size_t{64} << 10;
constexpr int schema_version = 1;

} // namespace

void Output::object(std::string_view kind, const Json& fields) {
  object_text(kind, fields.dump(-1, ' ', true, Json::error_handler_t::replace));
}

void Output::object_text(std::string_view kind, std::string_view text) {
  bool empty = text == "{}" || text == "null";
  // Made once: growing it costs a fresh page for every old one.
  buffer_.reserve(buffer_limit + (size_t{8} << 10));
  fmt::format_to(std::back_inserter(buffer_), "{{\"kind\":\"{}\",\"v\":{}{}", kind, schema_version,
                 empty ? "" : ",");
  buffer_ += empty ? "}" : text.substr(1);
  buffer_ += '\n';
  if (buffer_.size() >= buffer_limit) push();
}

void Output::line(std::string_view text) {
  buffer_ += text;
  buffer_ += '\n';
  if (buffer_.size() >= buffer_limit) push();
}

void Output::fact(std::string_view key, size_t indent, std::string_view value) {
  if (value.empty()) return;
  line(fmt::format("{:<{}}{}", key, indent,
                   wrapped(escape_for_terminal(value), output_width(), indent)));
}

void Output::bytes(std::string_view data) {
  buffer_ += data;
  if (buffer_.size() >= buffer_limit) push();
}

void Output::table(const Table& table) { bytes(table.text(output_width())); }

void Output::push() noexcept {
  if (buffer_.empty()) return;
  if (over_progress && line_begins_ && progress_is_shown()) buffer_.insert(0, erase_line);
  line_begins_ = buffer_.back() == '\n';
  std::string_view rest = buffer_;
  while (!rest.empty() && error_ == 0) {
    ssize_t n = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (n >= 0)
      rest.remove_prefix(static_cast<size_t>(n));
    else if (errno != EINTR)
      error_ = errno;
  }
  buffer_.clear();
}

void Output::flush() {
  push();
  if (error_ == EPIPE) throw OutputClosed();
  if (error_ != 0) throw sys_error(error_, "cannot write to standard output");
}

} // namespace banger::cli
