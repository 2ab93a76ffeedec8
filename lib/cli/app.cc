#include "cli/app.h"

#include <cmath>
#include <set>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/terminal.h"
#include "core/text.h"
#include "sys/file.h"

namespace banger::cli {

namespace {

// One write, so that lines of several processes don't mix. A progress line that stands on the
// terminal is erased first, a neighbour's in a pipeline too; it is drawn anew below. Another
// program's output stays.
void write_stderr(std::string_view text) {
  std::string out;
  bool may_be_there = progress_is_shown() || is_pipe(STDIN_FILENO) || is_pipe(STDOUT_FILENO);
  if (may_be_there && can_erase(STDERR_FILENO)) out = erase_line;
  out += text;
  [[maybe_unused]] auto n = ::write(STDERR_FILENO, out.data(), out.size());
}

// "hint: first line" with the further lines below it.
std::string labelled(std::string_view label, const std::string& text) {
  std::string out, indent(label.size() + 2, ' ');
  for (const std::string& line : split(text, '\n'))
    out += fmt::format("{}{}\n", out.empty() ? fmt::format("{}: ", label) : indent, line);
  return out;
}

} // namespace

void App::notice(std::string_view text) {
  if (out.json || out.quiet) return;
  out.push();
  write_stderr(fmt::format("{}: {}\n", tool_, escape_for_terminal(text)));
}

std::vector<std::string> App::common_words() const {
  std::vector<std::string> words{"--log-level", std::string(name_of(settings.log_level))};
  if (out.json) words.emplace_back("--json");
  if (out.quiet) words.emplace_back("--quiet");
  // One that is named must be there.
  if (sys::exists(dirs.config_file)) words.insert(words.end(), {"--config", dirs.config_file});
  return words;
}

int common_status(const std::set<int>& statuses) {
  if (statuses.empty()) return 0;
  return statuses.size() == 1 ? *statuses.begin() : status_mixed;
}

bool stdout_is_terminal() { return is_terminal(1); }

Json result_json(std::string_view verb, std::string_view name, const Done& done, double seconds,
                 const std::optional<Error>& error) {
  return {{"verb", verb},
          {"name", name},
          {"ok", !error},
          {"changed", !error && done.changed},
          {"state", done.state},
          {"seconds", std::round(seconds * 1000) / 1000},
          {"error", error ? error_json(*error) : Json()}};
}

Json error_json(const Error& error) {
  auto text = [](const std::string& s) { return s.empty() ? Json() : Json(s); };
  return {{"code", name_of(error.code())},
          {"subject", text(error.subject())},
          {"message", error.message()},
          {"hint", text(error.hint())},
          {"log", text(error.log())}};
}

void report(std::string_view tool, const Error& error, bool json) {
  if (json) {
    Json object{{"kind", "error"}, {"v", 1}};
    object.update(error_json(error));
    write_stderr(object.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n");
    return;
  }
  std::string text = fmt::format("{}: {}\n", tool, escape_for_terminal(error.message()));
  if (!error.hint().empty()) text += labelled("hint", escape_for_terminal(error.hint()));
  if (!error.log().empty()) text += labelled("log", escape_for_terminal(error.log()));
  write_stderr(text);
}

} // namespace banger::cli
