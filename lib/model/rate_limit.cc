#include "model/rate_limit.h"

#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "model/limits.h"

namespace banger {

namespace {

constexpr std::pair<std::string_view, RateLimit RateLimits::*> places[] = {
    {"root", &RateLimits::root}, {"work", &RateLimits::work}, {"net", &RateLimits::net}};
constexpr std::pair<std::string_view, int64_t RateLimit::*> kinds[] = {
    {"bandwidth", &RateLimit::bandwidth}, {"ops", &RateLimit::ops}};
constexpr std::string_view none = "none";

Error bad(std::string_view text, std::string_view why) {
  return usage("invalid limit '{}': {}", text, why)
      .hint("root.bandwidth=20M is 20 MiB a second; root, work or net; bandwidth or ops; "
            "net.ops=none lifts a limit");
}

int64_t rate(std::string_view text, std::string_view word, int64_t RateLimit::*kind) {
  if (word == none) return 0;
  if (kind == &RateLimit::ops) return parse_number("limit", word, 1, most_ops, text);
  int64_t value = parse_size("limit of bandwidth", word, most_bandwidth);
  if (value < least_bandwidth)
    throw bad(text, fmt::format("less than {} a second", format_size(least_bandwidth)));
  return value;
}

std::string to_text(const RateLimit& limit) {
  std::string text;
  if (limit.bandwidth) text = format_size(limit.bandwidth) + "/s";
  if (limit.ops) text += fmt::format("{}{} ops/s", text.empty() ? "" : " and ", limit.ops);
  return text;
}

} // namespace

LimitChange parse_limit(std::string_view text) {
  size_t equals = text.find('='), dot = text.find('.');
  if (equals == text.npos || dot > equals) throw bad(text, "it is not PLACE.KIND=RATE");
  std::string_view place = text.substr(0, dot), kind = text.substr(dot + 1, equals - dot - 1);
  for (const auto& [place_word, of] : places)
    for (const auto& [kind_word, what] : kinds)
      if (place == place_word && kind == kind_word)
        return {of, what, rate(text, text.substr(equals + 1), what)};
  throw bad(text, fmt::format("there is no '{}'", text.substr(0, equals)));
}

RateLimits changed_by(RateLimits limits, const std::vector<LimitChange>& changes) {
  for (const LimitChange& c : changes) limits.*c.of.*c.kind = c.value;
  return limits;
}

std::string to_text(const RateLimits& limits) {
  std::string text;
  for (const auto& [word, of] : places)
    if (limits.*of)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", word, to_text(limits.*of));
  return text;
}

std::string to_words(const RateLimits& limits) {
  std::string text;
  for (const auto& [place, of] : places)
    for (const auto& [kind, what] : kinds) {
      int64_t value = limits.*of.*what;
      text += fmt::format("{}{}.{}={}", text.empty() ? "" : " ", place, kind,
                          value ? fmt::format("{}", value) : std::string(none));
    }
  return text;
}

RateLimits limits_of_words(std::string_view words) {
  std::vector<LimitChange> all;
  for (const auto& word : split(words, ' ')) all.push_back(parse_limit(word));
  return changed_by({}, all);
}

} // namespace banger
