// A check of the host before something is done, and its finding.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace banger::ops {

// warn: it works all the same, but slower, or not for everybody. missing: it does not work.
enum class Verdict { ok, warn, missing };
std::string_view name_of(Verdict v);

struct Check {
  std::string id; // "kvm", "qemu", …
  Verdict verdict = Verdict::ok;
  std::string found; // the finding, for people
  std::string fix;   // the command that mends it; empty when ok
};

// Throws Error(preflight) that names everything that is missing at once, as "WHAT: A; B", each with
// its fix in a line of the hint.
void require(const std::string& what, const std::string& subject, std::span<const Check> checks);

} // namespace banger::ops
