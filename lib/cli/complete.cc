#include "cli/complete.h"

#include <algorithm>

#include "cli/parse.h"
#include "core/error.h"
#include "core/text.h"

namespace banger::cli {

namespace {

class Completion {
public:
  Completion(const Tool& tool, const Dirs* dirs, std::string typed)
      : tool_(tool), dirs_(dirs), typed_(std::move(typed)) {}

  // `before` stands in front of the candidates but is typed already ("--net=").
  // `owner`: the first operand.
  void place(Complete what, const Target& target, std::string_view before = {},
             const std::string& owner = {}) {
    for (const std::string& w : target.words()) add(std::string(before) + w, {});
    switch (what) {
    case Complete::nothing:
      return;
    case Complete::files:
      out_ = ":files\n";
      return;
    case Complete::directories:
      out_ = ":directories\n";
      return;
    case Complete::vms:
    case Complete::images:
    case Complete::snapshots:
      for (const std::string& name : names(what, owner)) add(std::string(before) + name, {});
      return;
    }
  }

  void options(std::span<const Option> options) {
    for (const Option& o : options)
      for (const std::string& flag : split(o.flags, ',')) add(flag, o.help);
  }

  // Of verbs of two words the first, once, or the second in their `group`.
  void verbs(std::string_view group = {}) {
    std::string_view last;
    for (const VerbEntry& v : tool_.verbs) {
      std::string_view name = name_in_group(v, group);
      std::string_view first = name.substr(0, name.find(' '));
      if (v.hidden || name.empty() || first == last) continue;
      last = first;
      add(std::string(first),
          first == name ? std::string(v.summary) : fmt::format("commands about a {}", first));
    }
  }

  std::string take() { return std::move(out_); }

private:
  std::vector<std::string> names(Complete what, const std::string& owner) {
    bool owned = what == Complete::snapshots;
    if (dirs_ == nullptr || (owned ? !tool_.names_of : !tool_.names)) return {};
    try {
      return owned ? tool_.names_of(what, *dirs_, owner) : tool_.names(what, *dirs_);
    } catch (const std::exception&) {
      return {}; // a state that cannot be read has no names; the verb itself will say why
    }
  }

  void add(const std::string& word, std::string_view description) {
    if (!word.starts_with(typed_)) return;
    out_ += word;
    if (!description.empty()) out_ += fmt::format("\t{}", description);
    out_ += '\n';
  }

  const Tool& tool_;
  const Dirs* dirs_;
  std::string typed_, out_;
};

const Option* find_option(std::span<const Option> options, std::string_view flag) {
  for (const Option& o : options)
    for (const std::string& f : split(o.flags, ','))
      if (f == flag) return &o;
  return nullptr;
}

// The meaning of the words before the cursor.
struct Place {
  const VerbEntry* verb = nullptr;
  std::unique_ptr<Verb> instance;
  Spec spec;
  std::vector<Option> options;
  std::string_view group;        // of the verb, whose second word is still to come
  size_t operands = 0;           // given already
  std::string first = {};        // of them
  const Option* wants = nullptr; // the option whose value is being typed
  bool tail = false;             // behind "--"
};

void enter_verb(Place& place, const VerbEntry& verb) {
  place.verb = &verb;
  place.instance = verb.make();
  place.instance->declare(place.spec);
  place.options.insert(place.options.begin(), place.spec.options.begin(), place.spec.options.end());
}

void walk(const Tool& tool, Place& place, Common& common, std::span<const std::string> before) {
  place.options = common_options(common);
  bool help = false;
  const VerbEntry* fallback = find_verb(tool, "");
  for (const std::string& word : before) {
    if (place.tail) return;
    if (place.wants != nullptr) {
      place.wants = nullptr;
    } else if (word == "--") {
      place.tail = true;
      return;
    } else if (word.size() > 1 && word[0] == '-') {
      if (place.verb == nullptr && fallback != nullptr) enter_verb(place, *fallback);
      const Option* option = find_option(place.options, word);
      if (option != nullptr && !option->target.is_switch()) place.wants = option;
    } else if (place.verb == nullptr && !help && word == "help" && fallback == nullptr) {
      help = true;
    } else if (place.verb == nullptr || (place.verb == fallback && place.operands == 0)) {
      if (place.group.empty()) {
        place.group = find_group(tool, word);
        if (!place.group.empty()) continue;
      }
      const VerbEntry* verb =
          find_verb(tool, place.group.empty() ? word : fmt::format("{} {}", place.group, word));
      if (verb == nullptr) verb = fallback;
      if (verb == nullptr) return;
      if (place.verb == nullptr) enter_verb(place, *verb);
      if (verb == fallback) place.operands++;
      place.tail = verb == fallback && place.spec.tail_follows;
    } else {
      if (place.operands++ == 0) place.first = word;
    }
  }
}

} // namespace

std::string complete(const Tool& tool, std::span<const std::string> words, const Dirs* dirs) {
  if (words.empty()) return {};
  const std::string& typed = words.back();
  Completion out(tool, dirs, typed);
  Common common;
  Place place;
  walk(tool, place, common, words.first(words.size() - 1));

  if (place.wants != nullptr) {
    out.place(place.wants->complete, place.wants->target);
    return out.take();
  }
  const VerbEntry* fallback = find_verb(tool, "");
  if (place.tail) return ":files\n";
  if (place.verb == nullptr && fallback != nullptr) enter_verb(place, *fallback);
  if (typed.starts_with('-')) {
    size_t eq = typed.find('=');
    if (eq == std::string::npos) {
      out.options(place.options);
    } else if (const Option* o = find_option(place.options, typed.substr(0, eq))) {
      out.place(o->complete, o->target, typed.substr(0, eq + 1));
    }
    return out.take();
  }
  if (place.verb == nullptr) {
    out.verbs(place.group);
    return out.take();
  }
  if (place.verb == fallback && place.operands == 0) out.verbs();
  const Operand* operand = nullptr;
  if (place.operands < place.spec.operands.size())
    operand = &place.spec.operands[place.operands];
  else if (!place.spec.operands.empty() && place.spec.operands.back().target.repeats())
    operand = &place.spec.operands.back();
  if (operand != nullptr) out.place(operand->complete, operand->target, {}, place.first);
  return out.take();
}

} // namespace banger::cli
