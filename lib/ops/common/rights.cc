#include "ops/common/rights.h"

#include "core/error.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

// All directories on its way count: who may rename one may put another program there.
void require_roots_own(std::string path) {
  for (;;) {
    auto info = sys::find_link_info(path);
    bool sticky = info && (info->mode & 01000);
    if (!info || info->uid != 0 || ((info->mode & 022) && !sticky))
      throw preflight("banger's helper may not have root's rights: '{}' is not root's alone", path)
          .hint("install banger below a directory of root's: sudo cmake --install BUILD_DIR");
    if (path == "/") return;
    size_t slash = path.rfind('/');
    path.resize(slash == 0 ? 1 : slash);
  }
}

} // namespace

sys::Command helper_command(const Dirs& dirs) {
  std::string program = dirs.libexec + "/banger-helper";
  if (!sys::exists(program))
    throw preflight("no banger-helper in '{}'", dirs.libexec).hint("install banger again");
  // Who is root by sudo works for root all the same: the state is root's.
  if (sys::is_root()) return {{program}, {{"SUDO_UID", "0"}}, {}, true};
  program = sys::real_path(program);
  require_roots_own(program);
  if (!sys::find_program("sudo"))
    throw preflight("no 'sudo' in PATH").hint("install sudo, or run banger as root");
  return {{"sudo", "-n", "--", program}, {}, {}, true};
}

} // namespace banger::ops
