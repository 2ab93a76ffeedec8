#include <unistd.h>

#include "core/error.h"
#include "net/helper.h"
#include "ops/common/rights.h"
#include "ops/host/checks.h"
#include "sys/owner.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

constexpr const char* no_state = "0000"; // to look at its bridge says whether the helper works

// A rule of sudo for exactly that program.
std::string how_to_allow(const Dirs& dirs) {
  return fmt::format("echo '{} ALL=(root) NOPASSWD: {}/banger-helper \"\"' | sudo tee "
                     "/etc/sudoers.d/banger",
                     sys::user_name(::geteuid()).value_or(fmt::format("#{}", ::geteuid())),
                     dirs.libexec);
}

} // namespace

Check check_bridge(const Host& host) {
  try {
    net::Helper(helper_command(host.dirs)).look(no_state);
  } catch (const Error& e) {
    bool by_sudo = !sys::is_root() && e.hint().starts_with("banger doctor");
    return {"bridge", Verdict::warn, e.message(), by_sudo ? how_to_allow(host.dirs) : e.hint()};
  }
  return {"bridge", Verdict::ok, "banger net up can make a bridge that the host reaches", {}};
}

} // namespace banger::ops
