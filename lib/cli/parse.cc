#include "cli/parse.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "cli/elsewhere.h"
#include "core/error.h"
#include "core/text.h"

namespace banger::cli {

namespace {

std::string help_hint(const Tool& tool, const VerbEntry* verb) {
  return fmt::format("see '{} --help'", called(tool, verb));
}

bool has_flag(const Option& option, std::string_view word) {
  for (const std::string& flag : split(option.flags, ','))
    if (flag == word) return true;
  return false;
}

Error unknown_option(const Tool& tool, const VerbEntry* verb, std::span<const Option> known,
                     std::string_view word) {
  std::string flag(word.substr(0, word.find('=')));
  std::vector<std::string> flags;
  for (const Option& o : known)
    for (std::string& f : split(o.flags, ',')) flags.push_back(std::move(f));
  auto known_elsewhere = option_from_elsewhere(
      flag, [&](std::string_view f) { return std::ranges::find(flags, f) != flags.end(); });
  // Short options are all near one another: a guess would be noise.
  std::optional<std::string> near;
  if (flag.starts_with("--")) near = did_you_mean(flag, flags);
  return usage("unknown option '{}'", flag)
      .subject(flag)
      .hint(known_elsewhere ? *known_elsewhere
            : near          ? fmt::format("did you mean '{}'?", *near)
                            : help_hint(tool, verb));
}

Error unknown_verb(const Tool& tool, const std::string& word) {
  std::vector<std::string> names;
  // A guess must not lead to a loss: who types "delete" is told what removes, in its own words.
  for (const VerbEntry& v : tool.verbs)
    if (!v.hidden && !v.destroys && !v.name.empty()) names.emplace_back(v.name);
  std::string place = called(tool, nullptr);
  auto known_elsewhere = verb_from_elsewhere(place, word);
  auto near = did_you_mean(word, names);
  return usage("unknown command '{} {}'", place, word)
      .subject(word)
      .hint(known_elsewhere ? *known_elsewhere
            : near          ? fmt::format("did you mean '{} {}'?", place, *near)
                            : help_hint(tool, nullptr));
}

bool is_option(std::string_view word) { return word.size() > 1 && word[0] == '-'; }

// The place of the first word that is none of these options nor the value of one.
size_t skip_options(std::span<const Option> options, std::span<const std::string> words) {
  size_t at = 0;
  while (at < words.size() && is_option(words[at])) {
    std::string_view word = words[at];
    auto option = std::find_if(options.begin(), options.end(), [&](const Option& o) {
      return has_flag(o, word.substr(0, word.find('=')));
    });
    if (option == options.end()) return at;
    at += takes_value(*option) && word.find('=') == std::string_view::npos ? 2 : 1;
  }
  return std::min(at, words.size());
}

// CLI11 takes "--opt=" for "--opt" and eats the next word; given as two words it does not.
std::vector<std::string> without_empty_values(std::span<const std::string> args) {
  std::vector<std::string> out;
  for (const std::string& arg : args) {
    if (arg.size() > 3 && arg.starts_with("--") && arg.ends_with('=')) {
      out.push_back(arg.substr(0, arg.size() - 1));
      out.emplace_back();
    } else {
      out.push_back(arg);
    }
  }
  return out;
}

// Whether one of the words may be this option. CLI11 takes most of a small command's time to learn
// an option; it is told only those that can matter. A word too many does no harm.
bool may_stand_in(const Option& option, std::span<const std::string> words) {
  for (const std::string& flag : split(option.flags, ','))
    for (const std::string& word : words)
      if (flag.starts_with("--") ? word.starts_with(flag)
                                 : is_option(word) && word.find(flag[1]) != std::string::npos)
        return true;
  return false;
}

void check_choice(const Option& option, const std::string& value) {
  if (option.complete != Complete::words || option.words.empty()) return;
  if (std::find(option.words.begin(), option.words.end(), value) != option.words.end()) return;
  auto near = did_you_mean(value, option.words);
  auto error =
      usage("invalid {} '{}': it is one of {}", main_flag(option), value, join(option.words, ", "))
          .subject(value);
  if (near) error.default_hint(fmt::format("did you mean '{}'?", *near));
  throw error;
}

struct Assign {
  const Option& option;
  const std::vector<std::string>& values; // as often as it was given, at least once

  void operator()(bool* target) const {
    // A switch with "=x" comes as its value.
    for (const std::string& v : values)
      if (v != "true")
        throw usage("option '{}' takes no value", main_flag(option)).subject(std::string(v));
    *target = true;
  }
  void operator()(std::string* target) const { *target = checked(); }
  void operator()(std::optional<std::string>* target) const { *target = checked(); }
  void operator()(std::vector<std::string>* target) const {
    for (const std::string& v : values) {
      check_choice(option, v);
      target->push_back(v);
    }
  }

private:
  // Given twice, the last one counts: so an alias can be overridden.
  const std::string& checked() const {
    check_choice(option, values.back());
    return values.back();
  }
};

// The words that are no options, in order. Options go where they are bound.
std::vector<std::string> parse_options(const Tool& tool, const VerbEntry& verb,
                                       std::span<const Option> options,
                                       std::span<const std::string> args) {
  CLI::App parser;
  parser.set_help_flag();
  parser.allow_extras();
  std::vector<std::pair<const Option*, CLI::Option*>> bound;
  for (const Option& o : options) {
    if (!may_stand_in(o, args)) continue;
    CLI::Option* option =
        takes_value(o) ? parser.add_option(o.flags)->expected(1) : parser.add_flag(o.flags);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->allow_extra_args(false);
    bound.emplace_back(&o, option);
  }

  std::vector<std::string> words = without_empty_values(args);
  std::reverse(words.begin(), words.end()); // CLI11 takes them from the back
  try {
    parser.parse(words);
  } catch (const CLI::ArgumentMismatch& e) {
    std::string what = e.what();
    throw usage("option '{}' needs a value", what.substr(0, what.find(':')))
        .hint(help_hint(tool, &verb));
  } catch (const CLI::ParseError& e) {
    throw usage("cannot read the command line: {}", e.what()).hint(help_hint(tool, &verb));
  }

  std::vector<std::string> rest = parser.remaining();
  for (const std::string& word : rest)
    if (is_option(word)) throw unknown_option(tool, &verb, options, word);
  for (const auto& [option, found] : bound)
    if (!found->results().empty()) std::visit(Assign{*option, found->results()}, option->target);
  return rest;
}

void assign_operands(const Tool& tool, const VerbEntry& verb, const Spec& spec,
                     std::vector<std::string> words) {
  size_t needed = 0, at = 0; // needed by the operands that are still to come
  for (const Operand& o : spec.operands)
    if (o.required && needed++ == words.size())
      throw usage("no {} given", o.name).hint(help_hint(tool, &verb));
  for (const Operand& o : spec.operands) {
    needed -= o.required;
    size_t left = words.size() - at;
    size_t free = left > needed ? left - needed : 0;
    if (auto* one = std::get_if<std::string*>(&o.target)) {
      if (free > 0) **one = words[at++];
      continue;
    }
    auto* many = std::get<std::vector<std::string>*>(o.target);
    for (; free > 0; free--) many->push_back(words[at++]);
  }
  if (at < words.size())
    throw usage("unexpected operand '{}'", words[at])
        .subject(words[at])
        .hint(spec.tail ? fmt::format("a command for the guest comes after '--': … -- {}",
                                      shell_quote(words[at]))
                        : help_hint(tool, &verb));
}

} // namespace

std::vector<Option> common_options(Common& c) {
  auto words = Complete::words;
  return {
      {"-h,--help", "", "show this help", "", {}, {}, &c.help},
      {"--version", "", "show the version", "", {}, {}, &c.version},
      {"--json", "", "print JSON Lines: one object a line", "", {}, {}, &c.json},
      {"-q,--quiet", "", "print bare names only, no notices, no progress", "", {}, {}, &c.quiet},
      {"--log-level",
       "LEVEL",
       "what goes into the log",
       "info",
       words,
       {"debug", "info", "warn", "error", "off"},
       &c.log_level},
      {"--config", "FILE", "read this config file", "", Complete::files, {}, &c.config},
      {"--state-dir",
       "DIR",
       "keep the state in this directory",
       "",
       Complete::directories,
       {},
       &c.state_dir},
      {"--no-progress", "", "never show progress", "", {}, {}, &c.no_progress},
  };
}

const VerbEntry* find_verb(const Tool& tool, std::string_view name) {
  auto named = [&](std::string_view wanted) -> const VerbEntry* {
    for (const VerbEntry& v : tool.verbs)
      if (v.name == wanted) return &v;
    return nullptr;
  };
  const VerbEntry* verb = named(name);
  return verb == nullptr && name == "ls" ? named("list") : verb;
}

bool asks_for_json(std::span<const std::string> words) {
  auto end = std::find(words.begin(), words.end(), "--");
  return std::find(words.begin(), end, "--json") != end;
}

size_t find_operand(const Tool& tool, std::span<const std::string> words) {
  Common unused;
  const std::vector<Option> common = common_options(unused);
  size_t at = skip_options(common, words);
  if (at < words.size() && is_option(words[at]))
    throw unknown_option(tool, nullptr, common, words[at]);
  return at;
}

Line split_line(const Tool& tool, std::span<const std::string> words) {
  Line line;
  auto end = std::find(words.begin(), words.end(), "--");
  if (end != words.end()) line.tail.emplace(end + 1, words.end());
  line.args.assign(words.begin(), end);
  auto has = [&](std::string_view word) {
    return std::find(line.args.begin(), line.args.end(), word) != line.args.end();
  };
  line.help = has("--help") || has("-h");
  line.version = has("--version");
  auto remove = [&](size_t at) { line.args.erase(line.args.begin() + static_cast<ptrdiff_t>(at)); };

  line.verb = find_verb(tool, "");
  if (line.verb != nullptr) {
    // Options before the first operand may be the nameless verb's own.
    Common unused;
    size_t at = skip_options(common_options(unused), line.args);
    if (at == line.args.size() || line.args[at].empty()) return line;
    if (const VerbEntry* verb = find_verb(tool, line.args[at])) line.verb = verb, remove(at);
    return line;
  }

  size_t at = find_operand(tool, line.args);
  if (at < line.args.size() && line.args[at] == "help") {
    line.help = true;
    remove(at);
    at = find_operand(tool, line.args);
  }
  if (at == line.args.size()) return line;
  line.verb = find_verb(tool, line.args[at]);
  if (line.verb == nullptr) throw unknown_verb(tool, line.args[at]);
  remove(at);
  return line;
}

void parse_line(const Tool& tool, const VerbEntry& verb, Spec& spec, Common& common,
                const Line& line) {
  std::vector<Option> options = common_options(common);
  options.insert(options.end(), spec.options.begin(), spec.options.end());
  std::vector<std::string> words = parse_options(tool, verb, options, line.args);
  if (line.tail && spec.tail != nullptr)
    *spec.tail = *line.tail;
  else if (line.tail)
    words.insert(words.end(), line.tail->begin(), line.tail->end());
  assign_operands(tool, verb, spec, std::move(words));
}

std::string called(const Tool& tool, const VerbEntry* verb) {
  std::string name(tool.name);
  if (name.starts_with("banger-")) name[6] = ' ';
  if (verb != nullptr && !verb->name.empty()) name += fmt::format(" {}", verb->name);
  return name;
}

std::string_view main_flag(const Option& option) {
  std::string_view flags = option.flags;
  size_t at = flags.find("--");
  if (at != std::string_view::npos) flags.remove_prefix(at);
  return flags.substr(0, flags.find(','));
}

bool takes_value(const Option& option) { return !std::holds_alternative<bool*>(option.target); }

bool repeats(const Option& option) {
  return std::holds_alternative<std::vector<std::string>*>(option.target);
}

} // namespace banger::cli
