#include "ops/host/doctor.h"

#include "bundle/runtime_dir.h"
#include "ops/host/checks.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

// mmdebstrap is needed only while there is no bundle.
Check check_mmdebstrap(const Host& host) {
  auto place = bundle::runtime_dir(host.settings, host.dirs);
  bool has_bundle = sys::exists(place.path + "/bundle.json");
  return check_program(host, "mmdebstrap", "mmdebstrap", "--version", "mmdebstrap",
                       has_bundle ? Verdict::warn : Verdict::missing);
}

struct Entry {
  const char* id;
  Check (*check)(const Host&);
};
constexpr Entry checks[] = {{"kvm", check_kvm},
                            {"qemu", check_qemu},
                            {"firecracker", check_firecracker},
                            {"programs", check_programs},
                            {"e2fsprogs", check_e2fsprogs},
                            {"ssh", check_ssh},
                            {"network", check_network},
                            {"helper", check_helper},
                            {"bridge", check_own_bridge},
                            {"mmdebstrap", check_mmdebstrap},
                            {"bundle", check_bundle},
                            {"state", check_state},
                            {"key", check_key},
                            {"space", check_space},
                            {"runtime", check_runtime},
                            {"files", check_files},
                            {"inotify", check_inotify},
                            {"confinement", check_confinement}};

} // namespace

std::vector<Check> check_host(const Settings& settings, const Dirs& dirs) {
  std::vector<Check> all;
  Host host{settings, dirs, true};
  for (const Entry& entry : checks)
    all.push_back(make_check(entry.id, [&] { return entry.check(host); }));
  return all;
}

} // namespace banger::ops
