// What banger needs of this machine, looked at one by one; nothing is changed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/settings.h"

namespace banger::ops {

// warn: VMs run, but slower, or something that not everybody needs is not there.
// missing: something that a first VM needs is not there.
enum class Verdict { ok, warn, missing };
std::string_view name_of(Verdict v);

struct Check {
  std::string id; // "kvm", "qemu", …
  Verdict verdict = Verdict::ok;
  std::string found; // what was found, for people
  std::string fix;   // the command that mends it; empty when ok
};

// All checks, always in the same order. A check that cannot be made is itself `missing` with the
// reason; nothing is thrown for what is found.
std::vector<Check> check_host(const Settings& settings, const Dirs& dirs);

} // namespace banger::ops
