#include "ops/common/rights.h"

#include <sys/xattr.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/file.h"
#include "sys/owner.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

// A set-up of capabilities is told from the file, which all may ask of it.
bool has_capabilities(const std::string& program) {
  return ::getxattr(program.c_str(), "security.capability", nullptr, 0) > 0;
}

} // namespace

HelperWay helper_way(const Dirs& dirs) {
  std::string program = dirs.libexec + "/banger-helper";
  if (!sys::exists(program))
    throw preflight("no banger-helper in '{}'", dirs.libexec).hint("install banger again");
  if (sys::is_root()) return {HelperWay::root, program};
  program = sys::real_path(program);
  if (auto place = sys::find_not_roots(program))
    throw preflight("banger's helper may not have root's rights: '{}' is not root's alone", *place)
        .hint("install banger below a directory of root's: sudo cmake --install BUILD_DIR");
  // Of its group, where it has one.
  if (has_capabilities(program) && ::access(program.c_str(), X_OK) == 0)
    return {HelperWay::capabilities, program};
  return {HelperWay::sudo, program};
}

sys::Command helper_command(const Dirs& dirs) {
  auto [way, program] = helper_way(dirs);
  // Who is root by sudo works for root all the same: the state is root's.
  if (way == HelperWay::root) return {{program}, {{"SUDO_UID", "0"}}, {}, true};
  if (way == HelperWay::capabilities) return {{program}, {}, {}, true};
  if (!sys::find_program("sudo"))
    throw preflight("no 'sudo' in PATH")
        .hint("banger doctor tells of two ways to allow it; or run banger as root");
  return {{"sudo", "-n", "--", program}, {}, {}, true};
}

} // namespace banger::ops
