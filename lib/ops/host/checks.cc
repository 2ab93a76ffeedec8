#include "ops/host/checks.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle/bundle.h"
#include "bundle/runtime_dir.h"
#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "disk/ext4.h"
#include "model/confinement.h"
#include "ops/host/accel.h"
#include "ops/host/firecracker.h"
#include "ops/host/net_support.h"
#include "ops/host/slow_kvm.h"
#include "state/state.h"
#include "sys/confine.h"
#include "sys/file.h"
#include "sys/host_records.h"
#include "sys/loop.h"
#include "sys/owner.h"
#include "sys/proc.h"
#include "sys/process.h"

namespace banger::ops {

std::string apt(std::string_view package) {
  return fmt::format("{}apt-get install {}", sys::is_root() ? "" : "sudo ", package);
}

namespace {

constexpr int64_t little_space = int64_t{2} << 30; // less: a few VMs, no bundle build

// "/usr/bin/qemu-system-x86_64, QEMU emulator version 7.2.17"; the path alone if it tells nothing.
std::string with_version(const std::string& path, const char* flag) {
  sys::RunResult r = sys::run({{path, flag}, {}, {}, false}, {}, Millis(10'000));
  std::string text = r.out.empty() ? r.err : r.out; // ssh -V speaks on standard error
  std::string first(trim(text.substr(0, text.find('\n'))));
  return first.empty() ? path : fmt::format("{}, {}", path, escape_for_terminal(first));
}

} // namespace

Check check_program(const Host& host, const char* id, const std::string& program,
                    const char* version_flag, const char* package, Verdict absent) {
  auto path = sys::find_program(program);
  if (!path) return {id, absent, fmt::format("no '{}' in PATH", program), apt(package)};
  bool ask = version_flag && host.versions;
  return {id, Verdict::ok, ask ? with_version(*path, version_flag) : *path, {}};
}

Check make_check(const std::string& id, const std::function<Check()>& check) {
  try {
    return check();
  } catch (const Error& e) {
    std::string fix = e.hint().empty() ? "see what the message says" : e.hint();
    return {id, Verdict::missing, e.message(), fix};
  }
}

namespace {

// The command that lets this user open a device: to join its group, if that may open it.
std::string opens(const std::string& device) {
  struct stat info {};
  constexpr mode_t both = S_IRGRP | S_IWGRP;
  if (::stat(device.c_str(), &info) == 0 && info.st_gid != 0 && (info.st_mode & both) == both)
    if (auto group = sys::group_name(info.st_gid))
      return fmt::format("sudo usermod -aG {} $USER, then log in again", shell_quote(*group));
  return "sudo chmod 666 " + device;
}

} // namespace

Check check_kvm(const Host& host) {
  const std::string device = "/dev/kvm";
  constexpr const char* slow = "; VMs are emulated in software, which is slow";
  try {
    sys::open_file(device, O_RDWR);
  } catch (const Error& e) {
    if (e.error_number() == EACCES || e.error_number() == EPERM)
      return {"kvm", Verdict::warn, fmt::format("{} may not be opened{}", device, slow),
              opens(device)};
    if (e.error_number() == ENOENT)
      return {
          "kvm", Verdict::warn, fmt::format("no {}{}", device, slow),
          "switch virtualisation on in the firmware, or in the machine that this is a guest of"};
    return {"kvm", Verdict::warn, e.message() + slow, "modprobe kvm_intel or kvm_amd"};
  }
  std::optional<std::string> fault;
  try {
    if (host.state) {
      fault = known_kvm_fault(*host.state);
    } else {
      auto state = state::State::open(host.dirs, state::Mode::read);
      fault = known_kvm_fault(state);
    }
  } catch (const Error&) {
    // A state that cannot be read has a check of its own.
  }
  if (!fault || fault->empty()) {
    std::string found =
        fault ? "a kernel boots on " + device : device + " can be opened; the first start tries it";
    SlowKvm creation = slow_kvm();
    if (creation.why.empty()) return {"kvm", Verdict::ok, found, {}};
    return {"kvm", Verdict::warn, found + "; " + creation.why, creation.mend};
  }
  return {"kvm", Verdict::warn, device + ": " + *fault + slow,
          "use a host whose KVM boots kernels"};
}

Check check_qemu(const Host& host) {
  return check_program(host, "qemu", host.settings.qemu_binary, "--version", "qemu-system-x86",
                       Verdict::missing);
}

Check check_firecracker(const Host& host) {
  auto found = find_firecracker(host.settings, host.state);
  std::string oldest = to_text(vmm::oldest_usable);
  if (!found) {
    Check absent{"firecracker", Verdict::ok, found.error() + "; VMs run on QEMU", {}};
    if (host.settings.vm_vmm == VmmKind::firecracker) absent.verdict = Verdict::missing;
    if (sys::find_program(host.settings.firecracker_binary) && absent.verdict == Verdict::ok)
      absent.verdict = Verdict::warn;
    if (absent.verdict != Verdict::ok)
      absent.fix = fmt::format(
          "put Firecracker {} or later into PATH, or name it: firecracker.binary", oldest);
    return absent;
  }
  std::string what = fmt::format("{}, {}", found->path, to_text(found->version));
  auto faults = vmm::known_faults(found->version);
  if (faults.empty()) return {"firecracker", Verdict::ok, what, {}};
  return {"firecracker", Verdict::warn, fmt::format("{}: {}", what, join(faults, "; ")),
          "take another version of Firecracker if you need what is broken in this one"};
}

Check check_e2fsprogs(const Host& host) {
  std::string first;
  for (const char* program : {"mke2fs", "e2fsck", "resize2fs"}) {
    try {
      std::string path = disk::e2fs_program(program);
      if (first.empty()) first = path;
    } catch (const Error& e) {
      return {"e2fsprogs", Verdict::missing, e.message(), apt("e2fsprogs")};
    }
  }
  return {"e2fsprogs", Verdict::ok, host.versions ? with_version(first, "-V") : first, {}};
}

// Without it banger ssh speaks for itself.
Check check_ssh(const Host& host) {
  return check_program(host, "ssh", "ssh", "-V", "openssh-client", Verdict::warn);
}

Check check_network(const Host& host) {
  UserNetFault fault = user_net_fault(host.dirs, host.state);
  if (fault.missing.empty())
    return {"network", Verdict::ok, "VMs share a private network; this host allows it", {}};
  return {"network", Verdict::warn,
          fmt::format("each VM is alone in its network: {}", join(fault.missing, "; ")),
          join(fault.mends, "; ")};
}

namespace {

Check check_parts(const Host& host, bool all) {
  auto place = bundle::runtime_dir(host.settings, host.dirs);
  auto found = bundle::find_bundle(place.path);
  if (!found)
    return {"bundle", Verdict::missing,
            fmt::format("no runtime bundle in '{}' ({})", place.path, place.origin),
            "banger bundle build"};
  if (all)
    for (const bundle::Part& part : found->parts) bundle::require_part(*found, part);
  bundle::require_part(*found, found->kernel_elf());
  bundle::require_part(*found, found->initrd());
  return {"bundle",
          Verdict::ok,
          fmt::format("{} in {} ({})", found->name, found->path, place.origin),
          {}};
}

} // namespace

Check check_bundle(const Host& host) { return check_parts(host, true); }
Check check_boot_files(const Host& host) { return check_parts(host, false); }

namespace {

// Why nothing can be made in that directory, or, while it is not there, itself; empty: it can.
std::string why_closed(std::string dir) {
  while (dir.size() > 1 && !sys::exists(dir)) dir.resize(std::max<size_t>(dir.rfind('/'), 1));
  if (::access(dir.c_str(), W_OK | X_OK) == 0) return {};
  return sys_error(errno, "nothing can be written in '{}'", dir).message();
}

} // namespace

Check check_state(const Host& host) {
  auto state = state::State::open(host.dirs, state::Mode::read);
  if (auto mend = sys::how_to_own(host.dirs.state); !state.is_absent() && !mend.empty())
    return {"state", Verdict::missing,
            fmt::format("files of other users lie in '{}'", host.dirs.state), mend};
  if (std::string why = why_closed(host.dirs.state); !why.empty())
    return {"state", Verdict::missing, why, "set BANGER_STATE_DIR to a directory of your own"};
  if (state.is_absent())
    return {"state", Verdict::ok, fmt::format("{}, empty so far", host.dirs.state), {}};
  return {"state",
          Verdict::ok,
          fmt::format("{}, tag {}; VMs: {}, images: {}", host.dirs.state, state.tag(),
                      state.vm_names().size(), state.images().size()),
          {}};
}

Check check_space(const Host& host) {
  int64_t free = sys::free_space(host.dirs.state);
  std::string found = fmt::format("{} free for {}", format_size(free), host.dirs.state);
  std::string fix = "make room there, or set BANGER_STATE_DIR to a place with more room";
  if (free < least_space)
    return {"space", Verdict::missing,
            fmt::format("only {} are free in '{}'", format_size(free), host.dirs.state), fix};
  if (free < little_space) return {"space", Verdict::warn, found, fix};
  return {"space", Verdict::ok, found, {}};
}

void require_space(const std::string& dir, int64_t needs) {
  if (int64_t free = sys::free_space(dir); free < needs + least_space)
    throw preflight("its disk takes {}, and {} are to stay free; '{}' has {}", format_size(needs),
                    format_size(least_space), dir, format_size(free))
        .hint("make room there, or set BANGER_STATE_DIR to a place with more room");
}

Check check_runtime(const Host& host) {
  const std::string& dir = host.dirs.runtime;
  auto info = sys::find_info(dir);
  if (info) {
    if (!info->is_dir)
      return {"runtime", Verdict::missing, fmt::format("'{}' is no directory", dir),
              "rm " + shell_quote(dir)};
    if (info->uid != ::geteuid())
      return {"runtime", Verdict::missing,
              fmt::format("'{}' belongs to {}", dir, sys::owner_text(info->uid)),
              "set XDG_RUNTIME_DIR to a directory of your own"};
    // Of root's own, each state's part is closed.
    const mode_t least = dir == sys::host_directory ? 0755 : 0700;
    if (mode_t open = info->mode & 077 & ~least)
      return {"runtime", Verdict::missing,
              fmt::format("others can {} '{}'", open & 022 ? "write to" : "enter", dir),
              fmt::format("chmod {:o} {}", least, shell_quote(dir))};
  }
  if (std::string why = why_closed(dir); !why.empty())
    return {"runtime", Verdict::missing, why, "set XDG_RUNTIME_DIR to a directory of your own"};
  return {"runtime", Verdict::ok, info ? dir : dir + ", made when needed", {}};
}

Check check_programs(const Host& host) {
  for (const char* program : {"banger-monitor", "banger-guest"})
    if (std::string path = host.dirs.libexec + "/" + program; !sys::exists(path))
      return {"programs", Verdict::missing, fmt::format("no '{}'", path), "install banger again"};
  return {"programs", Verdict::ok, host.dirs.libexec, {}};
}

Check check_key(const Host& host) {
  std::string path = host.dirs.identity();
  auto info = sys::find_info(path);
  if (!info) return {"key", Verdict::ok, "no ssh key yet; the first start makes it", {}};
  if (info->mode & 077)
    return {"key", Verdict::missing, fmt::format("others can read the ssh key '{}'", path),
            "chmod 600 " + shell_quote(path)};
  return {"key", Verdict::ok, path, {}};
}

// A monitor has about 20 open, QEMU about 40.
Check check_files(const Host&) {
  constexpr int64_t least = 64, enough = 256;
  int64_t most = sys::most_open_files();
  std::string found = fmt::format("a process may have {} files open", most);
  if (most >= enough) return {"files", Verdict::ok, found, {}};
  return {"files", most < least ? Verdict::missing : Verdict::warn, found, "ulimit -n 1024"};
}

// Why this host allows a VMM no namespaces; empty: it does. Trying is the only way to know.
std::string cell_fault(const Host& host) {
  std::string program = host.dirs.libexec + "/banger-enter";
  if (!sys::exists(program)) return fmt::format("no '{}'", program);
  sys::RunResult trial =
      sys::run({{program, "try"}, {}, host.dirs.libexec, false}, {}, Millis(10'000));
  if (trial.status.ok()) return {};
  std::string said = escape_for_terminal(last_lines(trial.err, 1));
  constexpr std::string_view own_name = "banger-enter: ";
  if (said.starts_with(own_name)) said.erase(0, own_name.size());
  return said.empty() ? trial.status.text() : said;
}

Check check_confinement(const Host& host) {
  Check c{"confinement", Verdict::ok, {}, {}};
  auto warn = [&](const std::string& found, const std::string& fix) {
    c = {c.id, Verdict::warn, found, fix};
    return c;
  };
  if (!host.settings.vm_confined) return warn("turned off by vm.confined", "vm.confined = true");
  int version = sys::landlock_version();
  std::string fault = cell_fault(host);
  // Networks differ: this is of those that are the host's.
  auto left = left_open({fault.empty(), version}, false);
  std::string open = left.empty() ? "" : "; open to it: " + join(left, ", ");
  constexpr const char* allow =
      "allow user, mount and process namespaces to this user (a limit, AppArmor or a container may "
      "forbid them)";
  constexpr const char* boot =
      "boot a kernel with it, and lsm=landlock,... on its command line where it is off";
  if (version == 0 && !fault.empty())
    return warn(fmt::format("a VMM that its guest takes over reaches all that you do: this kernel "
                            "has no Landlock, and this host allows no namespaces ({})",
                            fault),
                allow);
  if (version == 0)
    return warn("a VMM reaches its VM's files alone, by namespaces; this kernel has no Landlock" +
                    open,
                boot);
  if (!fault.empty())
    return warn(fmt::format("a VMM reaches its VM's files alone, by Landlock {}; this host allows "
                            "no namespaces ({}){}",
                            version, fault, open),
                allow);
  c.found =
      fmt::format("a VMM reaches its VM's files alone (namespaces, Landlock {}){}", version, open);
  return c;
}

// Its limits are a user's, and other programs take their share: trying is the only way to know.
Check check_inotify(const Host&) {
  try {
    sys::require_watch();
    return {"inotify", Verdict::ok, "files can be followed", {}};
  } catch (const Error& e) {
    return {"inotify", Verdict::missing, e.message(),
            "sudo sysctl fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=65536"};
  }
}

} // namespace banger::ops
