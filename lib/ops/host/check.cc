#include "ops/host/check.h"

#include "core/error.h"

namespace banger::ops {

std::string_view name_of(Verdict v) {
  switch (v) {
  case Verdict::ok:
    return "ok";
  case Verdict::warn:
    return "warn";
  case Verdict::missing:
    return "missing";
  }
  return "?";
}

void require(const std::string& what, const std::string& subject, std::span<const Check> checks) {
  std::string found, fixes;
  for (const Check& c : checks) {
    if (c.verdict != Verdict::missing) continue;
    found += (found.empty() ? "" : "; ") + c.found;
    if (!c.fix.empty()) fixes += (fixes.empty() ? "" : "\n") + c.fix;
  }
  if (!found.empty()) throw preflight("{}: {}", what, found).subject(subject).hint(fixes);
}

} // namespace banger::ops
