#include "ops/host/net_support.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/text.h"
#include "net/slirp.h"
#include "sys/file.h"
#include "sys/namespace.h"
#include "sys/proc.h"
#include "sys/process.h"

namespace banger::ops {

namespace {

constexpr const char* fact_key = "net.user_allowed";

struct Switch {
  const char *name, *refuses, *allows; // a sysctl and its values
  bool binds_root = false;
};
// Debian's and others' own switch; the limits of all kernels; Ubuntu's since 23.10.
constexpr Switch switches[] = {
    {"kernel.unprivileged_userns_clone", "0", "1"},
    {"user.max_user_namespaces", "0", "15000"},
    {"user.max_net_namespaces", "0", "15000", true},
    {"kernel.apparmor_restrict_unprivileged_userns", "1", "0"},
};

std::string value_of(const Switch& s) {
  std::string path = std::string("/proc/sys/") + s.name;
  std::replace(path.begin(), path.end(), '.', '/');
  try {
    auto text = sys::find_content(path, 64);
    return std::string(trim(text.value_or("")));
  } catch (const Error&) {
    return {}; // not for this user to see
  }
}

// Everything that decides the outcome of the trial.
std::string circumstances() {
  std::string all = sys::boot_id() + (sys::is_root() ? " root" : " user");
  for (const Switch& s : switches) all += " " + value_of(s);
  return all;
}

} // namespace

UserNetFault user_net_fault(const Dirs& dirs, state::State* verdicts) {
  if (verdicts && verdicts->mode() == state::Mode::read) verdicts = nullptr;
  UserNetFault fault;
  auto miss = [&](std::string what, std::string mend) {
    fault.missing.push_back(std::move(what));
    fault.mends.push_back(std::move(mend));
  };
  std::string sudo = sys::is_root() ? "" : "sudo ";
  if (!sys::find_program(net::slirp_program))
    miss("no 'slirp4netns' in PATH", sudo + "apt-get install slirp4netns");
  if (int err = sys::tun_fault(); err == EACCES || err == EPERM)
    miss("no right to open /dev/net/tun", sudo + "chmod 666 /dev/net/tun");
  else if (err)
    miss(fmt::format("no /dev/net/tun ({})", std::strerror(err)), sudo + "modprobe tun");
  if (!sys::exists(dirs.libexec + "/banger-netns") || !sys::exists(dirs.libexec + "/banger-enter"))
    miss(fmt::format("no banger-netns or banger-enter in '{}'", dirs.libexec),
         "install banger again");
  if (!fault.missing.empty()) return fault;

  std::string now = circumstances();
  if (verdicts && verdicts->fact(fact_key) == now) return fault;
  sys::RunResult trial =
      sys::run({{dirs.libexec + "/banger-netns", "try"}, {}, {}, false}, {}, Millis(10'000));
  if (trial.status.ok()) {
    if (verdicts) verdicts->set_fact(fact_key, now);
    return fault;
  }
  for (const Switch& s : switches)
    if ((s.binds_root || !sys::is_root()) && value_of(s) == s.refuses)
      miss(fmt::format("{} set to {}", s.name, s.refuses),
           fmt::format("{}sysctl -w {}={}", sudo, s.name, s.allows));
  if (!fault.missing.empty()) return fault;
  std::string said = escape_for_terminal(last_lines(trial.err, 1));
  constexpr std::string_view own_name = "banger-netns: ";
  if (said.starts_with(own_name)) said.erase(0, own_name.size());
  if (said.empty()) said = trial.status.text();
  bool limit = said.find("max_user_namespaces") != std::string::npos;
  miss(fmt::format("no network namespaces ({})", said),
       limit ? sudo + "sysctl -w user.max_user_namespaces=15000 user.max_net_namespaces=15000"
             : "allow user and network namespaces to this user (a container may forbid them)");
  return fault;
}

} // namespace banger::ops
