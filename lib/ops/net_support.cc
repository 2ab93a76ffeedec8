#include "ops/net_support.h"

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
  const char *name, *refuses; // a sysctl and the value with which it forbids
  const char* mend;
};
// Debian's and others' own switch; the limit of all kernels; Ubuntu's since 23.10.
constexpr Switch switches[] = {
    {"kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"},
    {"user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"},
    {"kernel/apparmor_restrict_unprivileged_userns", "1",
     "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
};

std::string value_of(const Switch& s) {
  try {
    auto text = sys::find_content(std::string("/proc/sys/") + s.name, 64);
    return std::string(trim(text.value_or("")));
  } catch (const Error&) {
    return {}; // not for this user to see
  }
}

// Everything that the outcome of the trial hangs on.
std::string circumstances() {
  std::string all = sys::boot_id() + (sys::is_root() ? " root" : " user");
  for (const Switch& s : switches) all += " " + value_of(s);
  return all;
}

} // namespace

UserNetFault user_net_fault(const Dirs& dirs, state::State* verdicts) {
  UserNetFault fault;
  auto miss = [&](std::string what, std::string mend) {
    fault.missing.push_back(std::move(what));
    fault.mends.push_back(std::move(mend));
  };
  std::string sudo = sys::is_root() ? "" : "sudo ";
  if (!sys::find_program(net::slirp_program))
    miss("no 'slirp4netns' in PATH", sudo + "apt-get install slirp4netns");
  if (int err = sys::tun_fault(); err == EACCES || err == EPERM)
    miss("/dev/net/tun may not be opened", sudo + "chmod 666 /dev/net/tun");
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
  bool named = false;
  if (!sys::is_root())
    for (const Switch& s : switches)
      if (value_of(s) == s.refuses) {
        miss(fmt::format("{} is {}", s.name, s.refuses), sudo + s.mend);
        named = true;
      }
  if (!named)
    miss(fmt::format("network namespaces: {}", escape_for_terminal(last_lines(trial.err, 1))),
         "allow user and network namespaces to this user (a container may forbid them)");
  return fault;
}

} // namespace banger::ops
