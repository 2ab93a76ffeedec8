// The machine that a VMM boots, the same for every kind of VMM. A plain value; pure functions.
//
// Every file is a name relative to the VM's runtime directory, which is the VMM's working
// directory: no socket path is ever too long, and a snapshot names nothing outside. What lies
// elsewhere has a link there, which is made anew before each start. The target of a link is a value
// here, and never read back from that directory: a guest that has taken over its VMM would say then
// what the next one is given.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/vm.h"

namespace banger::vmm {

// The names in a VM's runtime directory.
inline constexpr const char* kernel_file = "kernel";
inline constexpr const char* initrd_file = "initrd";
inline constexpr const char* root_file = "root";
inline constexpr const char* upper_file = "upper"; // of an overlay root
inline constexpr const char* work_file = "work";
inline constexpr const char* console_file = "console"; // the console's log
inline constexpr const char* vsock_file = "vsock.sock";
inline constexpr const char* saved_dir = "saved"; // of a guest that is saved, or was
// Its memory, and where that does not have it all, the state of its devices.
inline constexpr const char* memory_name = "memory";
inline constexpr const char* devices_name = "devices";
inline constexpr const char* saved_memory = "saved/memory";
inline constexpr const char* saved_devices = "saved/devices";
// The one directory there in which a VMM that is confined makes files.
inline constexpr const char* made_dir = "made";

struct KernelVersion {
  int major = 0, minor = 0;
  auto operator<=>(const KernelVersion&) const = default;
};

struct Disk {
  std::string file;
  bool read_only = false;
  std::string target = {}; // what the link leads to; empty: the file itself lies there
  RateLimit limit = {};
  bool operator==(const Disk&) const = default;
};

// The VMM's own user-mode network: the guest alone behind a gateway.
struct UserNet {
  std::string subnet;     // "10.0.2.0/24"
  std::string gateway;    // the host's side, "10.0.2.2"
  std::string dns;        // "10.0.2.3"
  std::string guest;      // "10.0.2.15"
  bool restricted = true; // the guest reaches neither the host nor others
  std::vector<Port> forwards;
  bool operator==(const UserNet&) const = default;
};

// A tap in the network namespace that the VMM runs in.
struct TapNet {
  std::string name;
  int mtu = 0; // the guest is told, where the VMM's device can; 0: it is not
  bool operator==(const TapNet&) const = default;
};

// monostate: the guest has no network.
using Net = std::variant<std::monostate, UserNet, TapNet>;

// A socket between the guest and its host that no network knows, at vsock_file in made_dir.
struct Vsock {
  uint32_t cid = 3;     // the guest's number, 3 or more
  KernelVersion kernel; // the guest's: some versions of a VMM do not carry well what new ones send
  bool operator==(const Vsock&) const = default;
};

struct Machine {
  std::string name;
  Accel accel = Accel::tcg;
  int cpus = 1;
  int64_t memory = 0;       // bytes, a multiple of 1 MiB
  std::string command_line; // of the kernel; the driver adds how it reboots
  std::vector<Disk> disks;  // vda, vdb, …
  std::string mac;
  Net net;
  RateLimit net_limit = {};              // of a tap's either direction
  std::optional<Vsock> vsock = {};       // none: there is no such device
  bool verbose = false;                  // the VMM logs whatever it can
  std::string kernel = {}, console = {}; // what their links lead to, as Disk::target
  // The target of saved_dir: its guest goes on from the files there, and does not boot. Empty: it
  // boots.
  std::string saved = {};
  bool operator==(const Machine&) const = default;
};

// The kernel's command line. `tsc_khz` is the host's counter, given under TCG only: there the guest
// cannot calibrate its clock, and about one boot in fifteen would hang trying; under KVM the guest
// has kvm-clock.
std::string kernel_command_line(Accel accel, int64_t tsc_khz);

// "52:54:00:…" from 24 bits of the id, for a VM alone in its network: the same at each start.
std::string mac_of(const std::string& vm_id);

} // namespace banger::vmm
