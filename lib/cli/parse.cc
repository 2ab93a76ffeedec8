#include "cli/parse.h"

#include <algorithm>

#include "cli/elsewhere.h"
#include "cli/kinds.h"
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

const Option* find_option(std::span<const Option> options, std::string_view flag) {
  for (const Option& o : options)
    if (has_flag(o, flag)) return &o;
  return nullptr;
}

Error unknown_option(const Tool& tool, const VerbEntry* verb, std::span<const Option> known,
                     std::string_view word) {
  std::string flag(word.substr(0, word.find('=')));
  std::vector<std::string> flags, names; // the names of those that may be guessed at
  for (const Option& o : known)
    for (std::string& f : split(o.flags, ',')) {
      if (!o.destroys && f.starts_with("--")) names.push_back(f.substr(2));
      flags.push_back(std::move(f));
    }
  auto known_elsewhere = option_from_elsewhere(
      flag, [&](std::string_view f) { return std::ranges::find(flags, f) != flags.end(); });
  // Short options are all near one another: a guess would be noise.
  std::optional<std::string> near;
  if (flag.starts_with("--")) near = did_you_mean(flag.substr(2), names);
  return usage("unknown option '{}'", flag)
      .subject(flag)
      .hint(known_elsewhere ? *known_elsewhere
            : near          ? fmt::format("did you mean '--{}'?", *near)
                            : help_hint(tool, verb));
}

// `group`: the verb's first word, which is known; or empty.
Error unknown_verb(const Tool& tool, std::string_view group, const std::string& word) {
  std::vector<std::string> names, all;
  // A guess must not lead to a loss: only verb_from_elsewhere names a verb that destroys.
  for (const VerbEntry& v : tool.verbs)
    if (auto name = name_in_group(v, group); !v.hidden && !name.empty()) {
      all.push_back(fmt::format("'{} {}'", called(tool, group), name));
      if (!v.destroys) names.emplace_back(name);
    }
  std::string place = called(tool, group);
  auto known_elsewhere = verb_from_elsewhere(place, word);
  auto near = did_you_mean(word, names);
  return usage("unknown command '{} {}'", place, word)
      .subject(word)
      .hint(known_elsewhere ? *known_elsewhere
            : near          ? fmt::format("did you mean '{} {}'?", place, *near)
            : group.empty() ? fmt::format("see '{} --help'", place)
                            : fmt::format("there are {}", join(all, ", ")));
}

bool is_option(std::string_view word) { return word.size() > 1 && word[0] == '-'; }

// The place of the first word that is none of these options nor the value of one.
size_t skip_options(std::span<const Option> options, std::span<const std::string> words) {
  size_t at = 0;
  while (at < words.size() && is_option(words[at])) {
    std::string_view word = words[at];
    const Option* option = find_option(options, word.substr(0, word.find('=')));
    if (option == nullptr) return at;
    at += !option->target.is_switch() && word.find('=') == std::string_view::npos ? 2 : 1;
  }
  return std::min(at, words.size());
}

bool is_switch(std::span<const Option> options, std::string_view flag) {
  const Option* option = find_option(options, flag);
  return option != nullptr && option->target.is_switch();
}

// The place of the operand after which all words are a guest's command; none where there is none.
std::optional<size_t> find_followed(const Tool& tool, std::span<const std::string> words) {
  const VerbEntry* verb = find_verb(tool, "");
  if (verb == nullptr || !verb->make) return {};
  Spec spec;
  auto instance = verb->make();
  instance->declare(spec);
  if (!spec.tail_follows) return {};
  Common unused;
  std::vector<Option> options = common_options(unused);
  options.insert(options.end(), spec.options.begin(), spec.options.end());
  size_t at = skip_options(options, words);
  while (at < words.size() && is_option(words[at]) && !words[at].starts_with("--")) { // "-tn"
    for (char c : std::string_view(words[at]).substr(1))
      if (!is_switch(options, fmt::format("-{}", c))) return {};
    at += 1 + skip_options(options, words.subspan(at + 1));
  }
  if (at >= words.size() || words[at].empty() || is_option(words[at])) return {};
  if (find_verb(tool, words[at]) != nullptr) return {};
  return at;
}

// Reads the options of one verb. Nothing goes where it is bound before all of them are known.
class OptionReader {
public:
  OptionReader(const Tool& tool, const VerbEntry& verb, const Spec& spec,
               std::span<const Option> options, std::span<const std::string> args)
      : tool_(tool), verb_(verb), spec_(spec), options_(options), args_(args) {}

  // The words that are no options, in order.
  std::vector<std::string> read() {
    std::vector<std::string> rest;
    while (at_ < args_.size()) {
      const std::string& word = args_[at_++];
      if (!is_option(word)) {
        rest.push_back(word);
        check_command(rest.size());
      } else if (word.starts_with("--"))
        read_long(word);
      else
        read_short(word);
    }
    for (const auto& [option, values] : given_) take(*option, values);
    return rest;
  }

private:
  // One word too many, where a command may be given, is its first: the words after it are not ours,
  // options or not.
  void check_command(size_t words) const {
    auto repeats = [](const Operand& o) { return o.target.repeats(); };
    if (spec_.tail == nullptr || words <= spec_.operands.size() ||
        std::ranges::any_of(spec_.operands, repeats))
      return;
    std::vector<std::string> command;
    for (const std::string& word : args_.subspan(at_ - 1)) command.push_back(shell_quote(word));
    throw usage("unexpected operand '{}'", args_[at_ - 1])
        .subject(args_[at_ - 1])
        .hint(fmt::format("a command for the guest comes after '--': … -- {}", join(command, " ")));
  }

  void read_long(std::string_view word) {
    size_t equals = word.find('=');
    const Option& option = find(word.substr(0, equals), word);
    std::optional<std::string> value;
    if (equals != std::string_view::npos) value = word.substr(equals + 1);
    if (!option.target.is_switch()) return give(option, value ? *value : next(option));
    // "--json=true" was always taken.
    if (value && *value != "true")
      throw usage("option '{}' takes no value", main_flag(option)).subject(*value);
    give(option, {});
  }

  // "-fqj4": switches, and at the end one with its value.
  void read_short(std::string_view word) {
    for (size_t i = 1; i < word.size(); i++) {
      const Option& option = find(fmt::format("-{}", word[i]), fmt::format("-{}", word.substr(i)));
      if (!option.target.is_switch()) {
        std::string value(word.substr(i + 1));
        return give(option, value.empty() ? next(option) : value);
      }
      give(option, {});
    }
  }

  // `typed`: the part of the word that is not understood where there is no such option.
  const Option& find(std::string_view flag, std::string_view typed) const {
    if (const Option* option = find_option(options_, flag)) return *option;
    throw unknown_option(tool_, &verb_, options_, typed);
  }

  std::string next(const Option& option) {
    if (at_ < args_.size()) return args_[at_++];
    throw usage("option '{}' needs a value", main_flag(option)).hint(help_hint(tool_, &verb_));
  }

  void give(const Option& option, std::string value) {
    auto same = [&](const auto& given) { return given.first == &option; };
    auto found = std::find_if(given_.begin(), given_.end(), same);
    if (found == given_.end()) found = given_.insert(found, {&option, {}});
    found->second.push_back(std::move(value));
  }

  static void take(const Option& option, const std::vector<std::string>& values) {
    const Target& target = option.target;
    if (target.is_switch()) return target.set();
    // Given twice, the last one counts: so an alias can be overridden.
    size_t first = target.repeats() ? 0 : values.size() - 1;
    for (size_t i = first; i < values.size(); i++) {
      // An empty text is a variable that nobody set. Taken for an option that was left out it does
      // what nobody asked for: 'vm reset --image "$NEW"' would throw a disk away for nothing.
      if (values[i].empty() && target.form() == Form::text && target.words().empty())
        throw usage("invalid {} '': it is empty", main_flag(option))
            .hint("leave the option out where nothing is to be given");
      target.take(main_flag(option), values[i]);
    }
  }

  const Tool& tool_;
  const VerbEntry& verb_;
  const Spec& spec_;
  std::span<const Option> options_;
  std::span<const std::string> args_;
  size_t at_ = 0;
  std::vector<std::pair<const Option*, std::vector<std::string>>> given_;
};

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
    if (!o.target.repeats()) free = std::min<size_t>(free, 1);
    for (; free > 0; free--) o.target.take(o.name, words[at++]);
  }
  if (at < words.size())
    throw usage("unexpected operand '{}'", words[at])
        .subject(words[at])
        .hint(help_hint(tool, &verb));
}

} // namespace

std::vector<Option> common_options(Common& c) {
  return {
      {.flags = "-h,--help", .help = "show this help", .target = &c.help},
      {.flags = "--version", .help = "show the version", .target = &c.version},
      {.flags = "--json", .help = "print JSON Lines: one object a line", .target = &c.json},
      {.flags = "-q,--quiet",
       .help = "print bare names only, no notices, no progress",
       .target = &c.quiet},
      {.flags = "--log-level",
       .value = "LEVEL",
       .help = "what goes into the log",
       .fallback = "info",
       .target = {kinds::log_level(), &c.log_level}},
      {.flags = "--config",
       .value = "FILE",
       .help = "read this config file",
       .complete = Complete::files,
       .target = &c.config},
      {.flags = "--state-dir",
       .value = "DIR",
       .help = "keep the state in this directory",
       .complete = Complete::directories,
       .target = &c.state_dir},
      {.flags = "--no-progress", .help = "never show progress", .target = &c.no_progress},
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

std::string_view find_group(const Tool& tool, std::string_view word) {
  for (const VerbEntry& v : tool.verbs)
    if (!name_in_group(v, word).empty()) return v.name.substr(0, word.size());
  return {};
}

std::string_view name_in_group(const VerbEntry& verb, std::string_view group) {
  if (group.empty()) return verb.name;
  bool is_in = verb.name.size() > group.size() && verb.name.starts_with(group) &&
               verb.name[group.size()] == ' ';
  return is_in ? verb.name.substr(group.size() + 1) : std::string_view();
}

std::span<const std::string> own_words(const Tool& tool, std::span<const std::string> words) {
  auto followed = find_followed(tool, words);
  return followed ? words.first(*followed) : words;
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
  if (auto operand = find_followed(tool, words)) {
    auto rest = words.subspan(*operand + 1);
    if (!rest.empty() && rest[0] == "--") rest = rest.subspan(1);
    if (!rest.empty()) line.tail.emplace(rest.begin(), rest.end());
    words = words.first(*operand + 1);
    line.args.assign(words.begin(), words.end());
    line.verb = find_verb(tool, "");
    auto own = words.first(*operand);
    line.help = std::ranges::any_of(own, [](auto& w) { return w == "--help" || w == "-h"; });
    line.version = std::ranges::find(own, "--version") != own.end();
    return line;
  }
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
  std::string name = line.args[at];
  line.group = find_group(tool, name);
  if (!line.group.empty()) {
    remove(at);
    at = find_operand(tool, line.args);
    if (at == line.args.size()) return line;
    name = fmt::format("{} {}", line.group, line.args[at] == "ls" ? "list" : line.args[at]);
  }
  line.verb = find_verb(tool, name);
  if (line.verb == nullptr) throw unknown_verb(tool, line.group, line.args[at]);
  line.group = {};
  remove(at);
  return line;
}

void parse_line(const Tool& tool, const VerbEntry& verb, Spec& spec, Common& common,
                const Line& line) {
  std::vector<Option> options = common_options(common);
  options.insert(options.end(), spec.options.begin(), spec.options.end());
  std::vector<std::string> words = OptionReader(tool, verb, spec, options, line.args).read();
  if (line.tail && spec.tail != nullptr)
    *spec.tail = *line.tail;
  else if (line.tail)
    words.insert(words.end(), line.tail->begin(), line.tail->end());
  assign_operands(tool, verb, spec, std::move(words));
}

std::string called(const Tool& tool, const VerbEntry* verb) {
  return called(tool, verb != nullptr ? verb->name : std::string_view());
}

std::string called(const Tool& tool, std::string_view words) {
  std::string name(tool.name);
  if (name.starts_with("banger-")) name[6] = ' ';
  if (!words.empty()) name += fmt::format(" {}", words);
  return name;
}

std::string_view main_flag(const Option& option) {
  std::string_view flags = option.flags;
  size_t at = flags.find("--");
  if (at != std::string_view::npos) flags.remove_prefix(at);
  return flags.substr(0, flags.find(','));
}

} // namespace banger::cli
