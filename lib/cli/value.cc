#include "cli/value.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace banger::cli {

namespace {

Error invalid(std::string_view what, std::string_view value, std::string_view why) {
  return usage("invalid {} '{}': {}", what, value, why);
}

} // namespace

std::string Text::read(std::string_view what, std::string_view text) const {
  if (text.empty() && !may_be_empty) throw invalid(what, text, "it is empty");
  return std::string(text);
}

int64_t Number::read(std::string_view what, std::string_view text) const {
  return parse_number(what, text, least, most);
}

std::string Number::range() const { return fmt::format("{} to {}", least, most); }

int64_t Size::read(std::string_view what, std::string_view text) const {
  int64_t value = parse_size(what, text, most);
  if (value < least && text.find_first_not_of("0123456789") == std::string_view::npos)
    throw invalid(what, text, "that is a number of bytes; its unit is missing")
        .hint(fmt::format("{}M is so many mebibytes, {}G so many gibibytes", text, text));
  if (value < least)
    throw invalid(what, text, fmt::format("it must be at least {}", format_size(least)));
  if (value % multiple != 0)
    throw invalid(what, text,
                  fmt::format("it must be whole multiples of {}", format_size(multiple)));
  return value;
}

Millis Duration::read(std::string_view what, std::string_view text) const {
  Millis value = parse_duration(what, text);
  if (value < least) throw invalid(what, text, fmt::format("it is under {}ms", least.count()));
  return value;
}

bool Boolean::read(std::string_view what, std::string_view text) const {
  if (text == "true") return true;
  if (text == "false") return false;
  throw invalid(what, text, "it is true or false");
}

size_t choose(std::string_view what, std::string_view text, const std::vector<std::string>& words) {
  auto found = std::find(words.begin(), words.end(), text);
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  Error error = invalid(what, text,
                        words.size() == 1 ? fmt::format("it can only be '{}'", words[0])
                                          : fmt::format("it is one of {}", join(words, ", ")));
  error.default_subject(text);
  if (auto near = did_you_mean(text, words))
    error.default_hint(fmt::format("did you mean '{}'?", *near));
  throw error;
}

} // namespace banger::cli
