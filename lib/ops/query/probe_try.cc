#include "ops/query/probe_try.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace banger::ops {

namespace {

using Outcome = ProbeTry::Outcome;

constexpr std::pair<Barrier, std::string_view> barriers[] = {
    {Barrier::none, "none"},         {Barrier::guest, "guest"},
    {Barrier::setting, "setting"},   {Barrier::rule, "rule"},
    {Barrier::firewall, "firewall"}, {Barrier::forwarding, "forwarding"},
    {Barrier::routing, "routing"},   {Barrier::process, "process"},
    {Barrier::outside, "outside"},   {Barrier::unknown, "unknown"}};

} // namespace

std::string_view name_of(Barrier by) {
  return std::ranges::find(barriers, by, [](const auto& b) { return b.first; })->second;
}

std::string_view name_of(ProbeTry::Outcome outcome) {
  switch (outcome) {
  case Outcome::ok:
    return "ok";
  case Outcome::lost:
    return "lost";
  case Outcome::skipped:
    return "skipped";
  }
  return {};
}

Json to_json(const Vm& vm, const ProbeTry& t) {
  auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"vm", vm.name},
          {"test", t.test},
          {"outcome", name_of(t.outcome)},
          {"to", or_null(t.to)},
          {"by", t.by == Barrier::none ? Json() : Json(name_of(t.by))},
          {"at", or_null(t.at)},
          {"found", t.found},
          {"fix", or_null(t.fix)}};
}

} // namespace banger::ops
