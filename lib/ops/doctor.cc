#include "ops/doctor.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "bundle/bundle.h"
#include "bundle/runtime_dir.h"
#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "disk/ext4.h"
#include "ops/accel.h"
#include "state/state.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "sys/process.h"

namespace banger::ops {

namespace {

constexpr int64_t little_space = int64_t{2} << 30;      // less: a few VMs, no bundle build
constexpr int64_t too_little_space = int64_t{64} << 20; // less: no VM is made

struct Host {
  const Settings& settings;
  const Dirs& dirs;
};

std::string apt(std::string_view package) {
  return fmt::format("{}apt-get install {}", sys::is_root() ? "" : "sudo ", package);
}

// "/usr/bin/qemu-system-x86_64, QEMU emulator version 7.2.17"; the path alone if it tells nothing.
std::string with_version(const std::string& path, const char* flag) {
  sys::RunResult r = sys::run({{path, flag}, {}, {}, false}, {}, Millis(10'000));
  std::string text = r.out.empty() ? r.err : r.out; // ssh -V speaks on standard error
  std::string first(trim(text.substr(0, text.find('\n'))));
  return first.empty() ? path : fmt::format("{}, {}", path, escape_for_terminal(first));
}

Check check_program(const char* id, const std::string& program, const char* version_flag,
                    const char* package, Verdict absent) {
  auto path = sys::find_program(program);
  if (!path) return {id, absent, fmt::format("no '{}' in PATH", program), apt(package)};
  return {id, Verdict::ok, version_flag ? with_version(*path, version_flag) : *path, {}};
}

Check check_kvm(const Host& host) {
  const std::string device = "/dev/kvm";
  constexpr const char* slow = "; VMs are emulated in software, which is slow";
  try {
    sys::open_file(device, O_RDWR);
  } catch (const Error& e) {
    if (e.error_number() == EACCES || e.error_number() == EPERM)
      return {"kvm", Verdict::warn, fmt::format("{} may not be opened{}", device, slow),
              "sudo usermod -aG kvm $USER, then log in again"};
    if (e.error_number() == ENOENT)
      return {
          "kvm", Verdict::warn, fmt::format("no {}{}", device, slow),
          "switch virtualisation on in the firmware, or in the machine that this is a guest of"};
    return {"kvm", Verdict::warn, e.message() + slow, "modprobe kvm_intel or kvm_amd"};
  }
  std::optional<std::string> fault;
  try {
    auto state = state::State::open(host.dirs, state::Mode::read);
    fault = known_kvm_fault(state);
  } catch (const Error&) {
    // A state that cannot be read has a check of its own.
  }
  if (!fault) return {"kvm", Verdict::ok, device + " can be opened; the first start tries it", {}};
  if (fault->empty()) return {"kvm", Verdict::ok, "a kernel boots on " + device, {}};
  return {"kvm", Verdict::warn, device + ": " + *fault + slow,
          "use a host whose KVM boots kernels"};
}

Check check_qemu(const Host& host) {
  return check_program("qemu", host.settings.qemu_binary, "--version", "qemu-system-x86",
                       Verdict::missing);
}

Check check_e2fsprogs(const Host&) {
  std::string first;
  for (const char* program : {"mke2fs", "e2fsck", "resize2fs"}) {
    try {
      std::string path = disk::e2fs_program(program);
      if (first.empty()) first = path;
    } catch (const Error& e) {
      return {"e2fsprogs", Verdict::missing, e.message(), apt("e2fsprogs")};
    }
  }
  return {"e2fsprogs", Verdict::ok, with_version(first, "-V"), {}};
}

Check check_ssh(const Host&) {
  return check_program("ssh", "ssh", "-V", "openssh-client", Verdict::missing);
}

// Whoever has a bundle needs none to be built.
Check check_mmdebstrap(const Host& host) {
  auto place = bundle::runtime_dir(host.settings, host.dirs);
  bool has_bundle = sys::exists(place.path + "/bundle.json");
  return check_program("mmdebstrap", "mmdebstrap", "--version", "mmdebstrap",
                       has_bundle ? Verdict::warn : Verdict::missing);
}

Check check_bundle(const Host& host) {
  auto place = bundle::runtime_dir(host.settings, host.dirs);
  auto found = bundle::find_bundle(place.path);
  if (!found)
    return {"bundle", Verdict::missing, fmt::format("none in {} ({})", place.path, place.origin),
            "banger bundle build"};
  for (const bundle::Part& part : found->parts) bundle::require_part(*found, part);
  return {"bundle",
          Verdict::ok,
          fmt::format("{} in {} ({})", found->name, found->path, place.origin),
          {}};
}

Check check_state(const Host& host) {
  auto state = state::State::open(host.dirs, state::Mode::read);
  if (state.is_absent())
    return {"state", Verdict::ok, fmt::format("{}, empty so far", host.dirs.state), {}};
  return {"state",
          Verdict::ok,
          fmt::format("{}, tag {}, {} VMs, {} images", host.dirs.state, state.tag(),
                      state.vms().size(), state.images().size()),
          {}};
}

Check check_space(const Host& host) {
  int64_t free = sys::free_space(host.dirs.state);
  std::string found = fmt::format("{} free for {}", format_size(free), host.dirs.state);
  std::string fix = "make room there, or set BANGER_STATE_DIR to a place with more";
  if (free < too_little_space) return {"space", Verdict::missing, found, fix};
  if (free < little_space) return {"space", Verdict::warn, found, fix};
  return {"space", Verdict::ok, found, {}};
}

Check check_runtime(const Host& host) {
  const std::string& dir = host.dirs.runtime;
  if (auto info = sys::find_info(dir)) {
    if (!info->is_dir)
      return {"runtime", Verdict::missing, fmt::format("'{}' is no directory", dir),
              "rm " + shell_quote(dir)};
    if (info->uid != ::geteuid())
      return {"runtime", Verdict::missing, fmt::format("'{}' belongs to another user", dir),
              "set XDG_RUNTIME_DIR to a directory of your own"};
    if (info->mode & 077)
      return {"runtime", Verdict::missing, fmt::format("others can enter '{}'", dir),
              "chmod 700 " + shell_quote(dir)};
    return {"runtime", Verdict::ok, dir, {}};
  }
  std::string parent = dir;
  while (parent.size() > 1 && !sys::exists(parent))
    parent.resize(std::max<size_t>(parent.rfind('/'), 1));
  if (::access(parent.c_str(), W_OK | X_OK) != 0)
    return {"runtime", Verdict::missing, fmt::format("'{}' cannot be made", dir),
            "set XDG_RUNTIME_DIR to a directory of your own"};
  return {"runtime", Verdict::ok, dir + ", made when needed", {}};
}

struct Entry {
  const char* id;
  Check (*check)(const Host&);
};
constexpr Entry checks[] = {{"kvm", check_kvm},
                            {"qemu", check_qemu},
                            {"e2fsprogs", check_e2fsprogs},
                            {"ssh", check_ssh},
                            {"mmdebstrap", check_mmdebstrap},
                            {"bundle", check_bundle},
                            {"state", check_state},
                            {"space", check_space},
                            {"runtime", check_runtime}};

} // namespace

std::string_view name_of(Verdict v) {
  switch (v) {
  case Verdict::ok:
    return "ok";
  case Verdict::warn:
    return "warn";
  case Verdict::missing:
    return "missing";
  }
  return "?";
}

std::vector<Check> check_host(const Settings& settings, const Dirs& dirs) {
  std::vector<Check> all;
  Host host{settings, dirs};
  for (const Entry& entry : checks) {
    try {
      all.push_back(entry.check(host));
    } catch (const Error& e) {
      std::string fix = e.hint().empty() ? "see what the message says" : e.hint();
      all.push_back({entry.id, Verdict::missing, e.message(), fix});
    }
  }
  return all;
}

} // namespace banger::ops
