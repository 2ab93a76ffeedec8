// From words to a verb with its options set.
//
// Two steps: split_line finds the verb (and touches nothing else), parse_line binds the options of
// that one verb. Both throw Error(usage), with a hint that names the near word or the help to read.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/verb.h"

namespace banger::cli {

// The options that every verb of every tool takes.
struct Common {
  bool help = false, version = false, json = false, quiet = false, no_progress = false;
  std::optional<Level> log_level;
  std::optional<std::string> config, state_dir;
};
std::vector<Option> common_options(Common& common);

// A command line, split at the verb and at "--". No option has been interpreted.
struct Line {
  const VerbEntry* verb = nullptr; // null: none was named
  std::string_view group;          // "snapshot", where only the first word of verbs was
  std::vector<std::string> args;   // all but the verb, up to "--"
  std::optional<std::vector<std::string>> tail; // what stands after "--", if it does
  bool help = false, version = false;           // whether these stand anywhere in args
};

// `words` is argv without the program.
Line split_line(const Tool& tool, std::span<const std::string> words);
void parse_line(const Tool& tool, const VerbEntry& verb, Spec& spec, Common& common,
                const Line& line);

// Null if there is none. "" is the verb without a name; `ls` is `list`, where a tool has that.
const VerbEntry* find_verb(const Tool& tool, std::string_view name);
// The first word of verbs of two, "snapshot", if `word` is that of any; else empty.
std::string_view find_group(const Tool& tool, std::string_view word);
// "create" of "snapshot create" in the group "snapshot"; the whole name where `group` is empty;
// empty where it is not in it.
std::string_view name_in_group(const VerbEntry& verb, std::string_view group);

// Those of them that are not a guest's command, so far as that can be told before they are read.
std::span<const std::string> own_words(const Tool& tool, std::span<const std::string> words);
// Whether "--json" stands before "--": known before the line is read, which may fail.
bool asks_for_json(std::span<const std::string> words);
// The first word that is no common option (or its value); words.size() if there is none. Throws for
// an option that is not a common one: before the verb there are no others.
size_t find_operand(const Tool& tool, std::span<const std::string> words);

// "banger vm create": how people call it.
std::string called(const Tool& tool, const VerbEntry* verb);
std::string called(const Tool& tool, std::string_view words);

// The long form of "-f,--force" (the short one where there is no long).
std::string_view main_flag(const Option& option);

} // namespace banger::cli
