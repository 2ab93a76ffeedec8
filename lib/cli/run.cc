#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/app.h"
#include "cli/complete.h"
#include "cli/config.h"
#include "cli/guard.h"
#include "cli/layout.h"
#include "cli/page.h"
#include "cli/parse.h"
#include "cli/terminal.h"
#include "core/text.h"
#include "core/version.h"

namespace banger::cli {

namespace {

std::vector<std::string> see_also(const Tool& tool, const VerbEntry* verb) {
  std::vector<std::string> pages;
  if (verb != nullptr && !verb->name.empty()) pages.push_back(fmt::format("{}(1)", tool.name));
  for (const VerbEntry& v : tool.verbs)
    if ((verb == nullptr || verb->name.empty()) && !v.hidden && !v.name.empty())
      pages.push_back(page_name(tool, v) + "(1)");
  for (const char* page : {"banger(7)", "banger-config(5)"}) pages.emplace_back(page);
  return pages;
}

const VerbEntry* nameless(const Tool& tool) {
  for (const VerbEntry& v : tool.verbs)
    if (v.name.empty()) return &v;
  return nullptr;
}

Page page_of(const Tool& tool, const VerbEntry* verb) {
  if (verb == nullptr) verb = nameless(tool);
  return verb == nullptr ? tool_page(tool) : verb_page(tool, *verb);
}

// `__man`: the names of the pages; `__man VERB` one of them ("" the tool's own).
void print_man(const Tool& tool, std::span<const std::string> words, Output& out) {
  if (words.empty()) {
    out.line(tool.name);
    for (const VerbEntry& v : tool.verbs)
      if (!v.hidden && !v.name.empty()) out.line(page_name(tool, v));
    return;
  }
  const VerbEntry* verb = nullptr;
  for (const VerbEntry& v : tool.verbs)
    if (!v.name.empty() && page_name(tool, v) == words[0]) verb = &v;
  if (verb == nullptr && words[0] != tool.name) throw not_found("no man page '{}'", words[0]);
  out.bytes(man_text(page_of(tool, verb), see_also(tool, verb)));
}

// `__describe`: one JSON line a public verb, for the tests that hold help, man page, completion and
// schema together.
void print_description(const Tool& tool, Output& out) {
  for (const VerbEntry& v : tool.verbs) {
    if (v.hidden) continue;
    auto verb = v.make();
    Spec spec;
    verb->declare(spec);
    Json flags = Json::array(), examples = Json::array();
    for (const Option& o : spec.options)
      for (const std::string& flag : split(o.flags, ',')) flags.push_back(flag);
    for (const Example& e : v.examples) examples.push_back(e.command);
    out.line(Json{{"tool", tool.name},
                  {"verb", v.name},
                  {"summary", v.summary},
                  {"objects", v.objects},
                  {"flags", flags},
                  {"examples", examples}}
                 .dump());
  }
}

void print_completion(const Tool& tool, std::span<const std::string> words, Output& out) {
  std::optional<Dirs> dirs;
  try {
    dirs = find_dirs(process_environment(), Common{}, this_executable(), ::geteuid() == 0);
  } catch (const Error&) {
    // No state to take names from; verbs and options are still there.
  }
  out.bytes(complete(tool, words, dirs ? &*dirs : nullptr));
}

// POSIX's order: the first that is set and not empty.
bool is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (!value || !*value) continue;
    for (const char* charset : {"UTF-8", "utf8"}) // "C.UTF-8", "de_DE.utf8"
      if (::strcasestr(value, charset)) return true;
    return false;
  }
  return false;
}

int run_verb(const Tool& tool, const Line& line) {
  if (!is_utf8()) use_plain_ellipsis();
  Spec spec;
  Common common;
  auto verb = line.verb->make();
  verb->declare(spec);
  parse_line(tool, *line.verb, spec, common, line);

  Environment env = process_environment();
  Dirs dirs = find_dirs(env, common, this_executable(), ::geteuid() == 0);
  Settings settings = load_settings(env, common, dirs);
  Level level = settings.log_level;
  App app(std::string(tool.name), std::move(settings), std::move(dirs), level);
  app.out.json = common.json;
  app.out.quiet = common.quiet;
  app.progress = !common.no_progress && !common.quiet && can_erase(STDERR_FILENO);
  app.out.over_progress = app.progress && is_terminal(STDOUT_FILENO);
  try {
    int status = verb->run(app);
    app.out.flush();
    return status;
  } catch (const Error&) {
    app.out.push(); // what it had to say before it failed comes first
    throw;
  }
}

} // namespace

int run_tool(const Tool& tool, int argc, char** argv) {
  fill_closed_stdio();
  std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  std::span<const std::string> rest(words);
  std::string_view first = words.empty() ? std::string_view() : words[0];
  bool done = false, relays = false;
  Output out;
  int status = guarded(tool.name, asks_for_json(own_words(tool, rest)), out, [&] {
    if (first == "__man") {
      print_man(tool, rest.subspan(1), out);
      return 0;
    }
    if (first == "__describe") {
      print_description(tool, out);
      return 0;
    }
    if (first == "__config") {
      for (const ConfigKey& key : config_keys()) out.line(key.full_name());
      return 0;
    }
    if (first == "__complete") {
      print_completion(tool, rest.subspan(1), out);
      return 0;
    }
    Line line = split_line(tool, rest);
    if (line.help) {
      out.bytes(
          help_text(line.group.empty() ? page_of(tool, line.verb) : group_page(tool, line.group)));
      return 0;
    }
    if (line.version) {
      out.line(fmt::format("{} {}", tool.name, version()));
      return 0;
    }
    if (line.verb == nullptr)
      throw usage("no command given")
          .hint(fmt::format("see '{} --help'", called(tool, line.group)));
    relays = line.verb->relays_status &&
             (line.verb->name.empty() || std::find(rest.begin(), rest.end(), "--") != rest.end());
    int own = run_verb(tool, line);
    done = true;
    return own;
  });
  return relays && !done ? status_own_failure : status;
}

} // namespace banger::cli
