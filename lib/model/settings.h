// The settings that config file, environment and flags decide, as plain values (cli/config.h reads
// them), and the places on disk that follow from them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/log.h"
#include "core/units.h"
#include "model/endpoint.h"
#include "model/subnet.h"
#include "model/vm.h"

namespace banger {

// Flags beat environment beat config beat these defaults. An empty optional is `auto`.
struct Settings {
  std::string runtime_dir; // of the bundle; empty: found (bundle/runtime_dir.h)
  Level log_level = Level::info;
  std::string vm_image; // empty: the bundle's own image
  int vm_cpus = 1;
  int64_t vm_memory = int64_t{512} << 20;
  std::optional<int64_t> vm_memory_limit; // bytes, of all VMs that run; none: no limit
  std::optional<VmmKind> vm_vmm;
  std::optional<Accel> vm_accel;
  std::optional<RootWay> vm_root;
  bool vm_confined = true; // a VMM reaches nothing of its host but what its VM needs
  Millis vm_stop_timeout{10'000};
  Millis vm_ready_timeout{60'000};
  std::optional<NetMode> net_mode;
  Subnet net_subnet = Subnet::parse("10.0.2.0/24");
  bool net_isolated_outbound = false;
  bool net_host_access = false; // VMs on `user` may reach the host's own addresses
  std::string dns_zone = "vm";
  Endpoint dns_listen{{0x7f000001}, 42069};
  std::chrono::seconds dns_ttl{0};
  bool dns_autostart = true; // a VM that is started starts the DNS daemon
  std::string qemu_binary = "qemu-system-x86_64";
  std::string firecracker_binary = "firecracker";
};

// Absolute paths. Nothing here exists until something makes it.
struct Dirs {
  std::string state;   // BANGER_STATE_DIR, XDG_STATE_HOME/banger, root: /var/lib/banger
  std::string runtime; // XDG_RUNTIME_DIR/banger, root: /run/banger; state/run where there is none
  std::string config_file;
  std::string bin;     // where this program lies
  std::string libexec; // banger-monitor and the like
  std::string share;

  std::string db() const { return state + "/state.db"; }
  std::string log_file() const { return state + "/log/banger.jsonl"; }
  std::string keys() const { return state + "/keys"; }
  std::string identity() const { return keys() + "/id_ed25519"; } // the state's ssh key
  std::string known_hosts() const { return keys() + "/known_hosts"; }
  std::string vm(const std::string& id) const { return state + "/vms/" + id; }
  std::string vm_file(const std::string& id, const char* file) const { return vm(id) + "/" + file; }
  std::string console_log(const std::string& vm_id) const { return vm_file(vm_id, "console.log"); }
  // Where the logs of a VM of `run --rm` that failed are kept.
  std::string kept_logs(const std::string& vm_name, const std::string& vm_id) const {
    return state + "/log/kept/" + vm_name + "-" + vm_id;
  }
  std::string image(const std::string& id) const { return state + "/images/" + id; }
  std::string image_root(const std::string& id) const { return image(id) + "/root.ext4"; }
};

} // namespace banger
