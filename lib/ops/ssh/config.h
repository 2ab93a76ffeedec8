// An ssh_config with all VMs of a state, so that `ssh demo.vm` works with OpenSSH's client, scp,
// rsync, editors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/settings.h"
#include "model/vm.h"
#include "ops/common/context.h"
#include "state/state.h"

namespace banger::ops {

// Pure: one Host block a VM. Throws Error(failed) for a state directory with a '"' or a newline in
// its path, which ssh_config cannot express.
// `zone`: where the VMs have their names.
std::string ssh_config(const std::vector<Vm>& vms, const Dirs& dirs, std::string_view zone);

// STATE/ssh_config, where install_ssh_config puts it.
std::string ssh_config_path(const Dirs& dirs);
// The line that makes OpenSSH read it, for the top of ~/.ssh/config.
std::string ssh_include_line(const Dirs& dirs);
// Writes it, with the settings' zone, which becomes the state's. Once it was written,
// refresh_ssh_config keeps it up to date.
void install_ssh_config(Reader& in);
// Writes it anew, with the state's zone (ops/common/zone.h), if it was installed and differs. For
// operations that remove VMs or move their ports; a file that cannot be written is a warning in the
// log, never their failure.
void refresh_ssh_config(Context& ctx);
// Makes the settings' zone the state's. Where it was another the config follows at once; a VM that
// runs goes on knowing itself by the name that it was started with. Every verb that changes
// anything does this first.
void settle_zone(Context& ctx);

} // namespace banger::ops
