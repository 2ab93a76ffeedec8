#include "ops/ssh/config.h"

#include <string_view>

#include "core/error.h"
#include "model/zone.h"
#include "ops/common/zone.h"
#include "sys/file.h"
#include "sys/lock.h"

namespace banger::ops {

namespace {

// A path as one word of ssh_config; '%' begins a token there, and "${" a variable, always.
std::string ssh_word(const std::string& path) {
  if (path.find_first_of("\"\n") != std::string::npos || path.find("${") != std::string::npos)
    throw failed("cannot write an ssh_config: it cannot hold the path '{}'", path)
        .hint("set BANGER_STATE_DIR to one without a quote, a newline and \"${\"");
  std::string out = "\"";
  for (char c : path) {
    out += c;
    if (c == '%') out += c;
  }
  return out + "\"";
}

} // namespace

std::string ssh_config(const std::vector<Vm>& vms, const Dirs& dirs, std::string_view zone) {
  std::string identity = ssh_word(dirs.identity());
  std::string known_hosts = ssh_word(dirs.known_hosts());
  std::string out = "# Written by 'banger ssh config'; changes are lost.\n";
  for (const Vm& vm : vms) {
    // The host key is found by the address, which stays: a name changes with the zone.
    out += fmt::format("\nHost {0} {1}\n"
                       "  HostName {2}\n"
                       "  Port {3}\n"
                       "  User root\n"
                       "  IdentityFile {4}\n"
                       "  IdentitiesOnly yes\n"
                       "  UserKnownHostsFile {5}\n"
                       "  GlobalKnownHostsFile /dev/null\n"
                       "  HostKeyAlias {2}\n"
                       "  StrictHostKeyChecking yes\n"
                       "  UpdateHostKeys no\n",
                       vm.name, full_name(vm.name, zone), vm.reach, vm.ssh_port, identity,
                       known_hosts);
  }
  return out;
}

std::string ssh_config_path(const Dirs& dirs) { return dirs.state + "/ssh_config"; }

std::string ssh_include_line(const Dirs& dirs) {
  // Include takes a pattern, since OpenSSH 10 with tokens and variables in it: a character that
  // would begin one becomes a '?', which matches it and means the same to all of them.
  std::string pattern = ssh_config_path(dirs);
  for (char& c : pattern)
    if (std::string_view("%$*?[\\").find(c) != std::string_view::npos) c = '?';
  return "Include " + ssh_word(pattern);
}

namespace {

void write_ssh_config(Reader& in, std::string_view zone, Outlives outlives) {
  sys::make_dirs(in.dirs.state);
  std::string path = ssh_config_path(in.dirs);
  // Taken before the rows are read: so the writer that read the newest ones also writes last.
  auto lock = sys::FileLock::take(path + ".lock");
  sys::write_atomic(path, ssh_config(in.state.vms(), in.dirs, zone), 0600, outlives);
}

void refresh_with(Context& ctx, std::string_view zone) {
  try {
    auto before = sys::find_content(ssh_config_path(ctx.dirs));
    if (before && *before != ssh_config(ctx.state.vms(), ctx.dirs, zone))
      write_ssh_config(ctx, zone, Outlives::process); // the next change writes it again
  } catch (const Error& e) {
    ctx.log.warn("ssh.config.stale", e);
  }
}

} // namespace

void install_ssh_config(Reader& in) {
  const std::string& zone = in.settings.dns_zone;
  write_ssh_config(in, zone, Outlives::power_cut);
  if (in.state.is_absent() || zone_of(in.state) == zone) return;
  auto state = state::State::open(in.dirs, state::Mode::write);
  set_zone(state, zone);
}

void refresh_ssh_config(Context& ctx) { refresh_with(ctx, zone_of(ctx.state)); }

void settle_zone(Context& ctx) {
  const std::string& zone = ctx.settings.dns_zone;
  if (zone_of(ctx.state) == zone) return;
  refresh_with(ctx, zone); // first: killed before the rest, it is done again
  set_zone(ctx.state, zone);
}

} // namespace banger::ops
