#include <cerrno>
#include <unordered_set>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/app.h"
#include "core/text.h"

namespace banger::cli {

namespace {

constexpr size_t max_input = size_t{16} << 20;

std::string read_stdin() {
  std::string all;
  char buffer[16 << 10];
  for (;;) {
    ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (n == 0) return all;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw sys_error(errno, "cannot read names from standard input");
    all.append(buffer, static_cast<size_t>(n));
    if (all.size() > max_input) throw usage("more than 16M of names on standard input");
  }
}

std::string name_in(std::string_view line, size_t number) {
  if (line.front() != '{') return std::string(line);
  auto object = Json::parse(line, nullptr, false);
  auto name = object.is_object() ? object.find("name") : object.end();
  if (!object.is_object() || name == object.end() || !name->is_string())
    throw usage("invalid line {} of standard input: no JSON object with a \"name\"", number)
        .hint("give one name a line, or what a command printed with --json");
  return name->get<std::string>();
}

} // namespace

std::vector<std::string> read_names(const std::vector<std::string>& operands) {
  std::vector<std::string> names;
  std::unordered_set<std::string> seen;
  auto add = [&](std::string name) {
    if (seen.insert(name).second) names.push_back(std::move(name));
  };
  for (const std::string& operand : operands) {
    if (operand != "-") {
      add(operand);
      continue;
    }
    size_t number = 0;
    for (const std::string& raw : split(read_stdin(), '\n')) {
      number++;
      std::string_view line = trim(raw);
      if (!line.empty()) add(name_in(line, number));
    }
  }
  return names;
}

} // namespace banger::cli
