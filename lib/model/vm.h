// A VM: its wishes (VmSpec), its record (Vm), its states. Plain values, no effects.
//
// Sizes are bytes. Times are core/clock.h's WallTime, 0 where it never happened.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "model/name.h"
#include "model/rate_limit.h"

namespace banger {

// The reason of a VM that is paused because somebody asked for it; any other goes on by itself.
inline constexpr const char* paused_on_request = "on request";
inline constexpr const char* paused_for_snapshot = "a snapshot is being made";

enum class VmState { creating, stopped, starting, running, paused, stopping, failed, removing };
enum class NetMode { user, bridge, isolated };
enum class RootWay { reflink, dm_snapshot, overlay, copy };
enum class VmmKind { qemu, firecracker };
enum class Accel { kvm, tcg };

// Each enum's words on the wire and on the command line: name_of gives one, parse_X takes it back
// (Error(usage) otherwise).
std::string_view name_of(VmState s);
std::string_view name_of(NetMode m);
std::string_view name_of(RootWay w);
std::string_view name_of(VmmKind k);
std::string_view name_of(Accel a);
VmState parse_vm_state(std::string_view text);
NetMode parse_net_mode(std::string_view text);
RootWay parse_root_way(std::string_view text);
VmmKind parse_vmm_kind(std::string_view text);
Accel parse_accel(std::string_view text);

// A process known by more than its pid, so that a recycled pid is never taken for it.
struct ProcessId {
  int pid = 0;
  uint64_t start_time = 0; // clock ticks after boot, /proc/PID/stat field 22
  std::string boot_id;     // /proc/sys/kernel/random/boot_id
  bool operator==(const ProcessId&) const = default;
  explicit operator bool() const { return pid > 0; }
};

struct Port {
  std::string proto = "tcp"; // tcp | udp
  std::string host_address;
  int host = 0; // the host's port
  int guest = 0;
  bool operator==(const Port&) const = default;
};

// Beyond these a wish is a mistake in typing. Sizes have bytes.
inline constexpr int most_cpus = 64;
inline constexpr int64_t most_memory = int64_t{1} << 44, most_disk = int64_t{1} << 44;

// The wishes for a VM. An empty optional means `auto`: chosen at create (root) or at each start
// (vmm, accel) and shown.
struct VmSpec {
  std::string name;
  std::string image;
  int cpus = 1;
  int64_t memory = 0;
  std::optional<int64_t> disk; // root disk; the image's own size where not given
  std::optional<RootWay> root;
  std::optional<int64_t> work_disk; // none: no work disk
  std::string work_mount = "/root";
  std::optional<NetMode> net;
  std::optional<std::string> ip; // the guest's own address, on a shared network
  std::optional<VmmKind> vmm;
  std::optional<Accel> accel;
  std::vector<Port> publish;
  RateLimits limits;
  Labels labels;
  bool remove_when_stopped = false; // run --rm
};

// How long the phases of the last boot took, in seconds; they follow one another and add up to the
// whole. A phase that was not reached is absent.
struct BootTimings {
  std::optional<double> prepare;  // the verb's begin to the start of the VMM
  std::optional<double> vmm;      // to the first byte on the console
  std::optional<double> kernel;   // to the guest's init (the bundle's)
  std::optional<double> userland; // to the ssh banner
  std::optional<double> ready;    // to a command done over ssh
  bool operator==(const BootTimings&) const = default;
};

// The last failure of a VM, kept until the next start.
struct VmFault {
  std::string code; // core/error.h's names
  std::string message;
  std::string hint;
  std::string log = {}; // the file that tells more; empty: the console's
};

// The present run of a VM: its part of the host besides its files. It begins when a monitor takes
// the VM and ends when all of that was given back (ops/release).
struct VmRun {
  ProcessId monitor;
  ProcessId vmm;              // empty until it was started
  std::string runtime_dir;    // absolute; recorded because XDG_RUNTIME_DIR may differ later
  std::string vmm_api_socket; // absolute, empty for a VMM without one
  bool outbound_open = false; // isolated, but its VMM was started with the way out open
  bool operator==(const VmRun&) const = default;
};

struct Vm {
  std::string id, name;
  std::string image_id, image_name;
  VmState state = VmState::creating;
  std::string reason; // why it is in that state; empty where there is nothing to say
  int cpus = 1;
  int64_t memory = 0;

  RootWay root_way = RootWay::copy;
  int64_t root_size = 0;
  int64_t work_size = 0; // 0: no work disk
  std::string work_mount;

  NetMode net_mode = NetMode::isolated;
  bool host_open = false; // on `user`: last started with the host's own addresses open to it
  std::string address, gateway, mac; // the guest's own
  int prefix = 24;
  std::string reach; // where the host reaches it
  int ssh_port = 22; // on `reach`
  std::vector<Port> ports;
  bool nat = true; // on `bridge`: it has a way out, as the host
  RateLimits limits;

  std::optional<VmmKind> want_vmm;
  std::optional<Accel> want_accel;
  ProcessId creator; // the process that makes it (`creating`), removes it, or runs it (--rm)
  std::optional<VmRun> run;

  // Of the last start, and told until the next.
  VmmKind vmm = VmmKind::qemu;
  std::string vmm_version;
  std::optional<Accel> accel;
  // What keeps the VMM to its own: "namespaces, landlock 7", or one of them; empty: nothing does.
  std::string confinement;
  BootTimings timings;

  bool remove_when_stopped = false;
  Labels labels;
  WallTime created, started, stopped;
  std::optional<VmFault> fault;

  // Empty where none runs.
  ProcessId vmm_process() const { return run ? run->vmm : ProcessId{}; }
  ProcessId monitor_process() const { return run ? run->monitor : ProcessId{}; }
};

// States in which a VMM may run.
bool is_live(VmState s);

} // namespace banger
