// Where a VM's files and sockets are.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "core/outlives.h"
#include "model/host_object.h"
#include "model/settings.h"
#include "model/vm.h"
#include "sys/file.h"

namespace banger::ops {

struct Places {
  std::string dir;      // STATE/vms/ID
  std::string op_lock;  // held by a verb for its operation
  std::string run_lock; // held by the monitor for its life
  std::string root;     // root.img; of an overlay and of dm-snapshot the image's, which is below
  std::string upper;    // upper.img of an overlay; else empty
  std::string cow;      // cow.img of dm-snapshot; else empty
  std::string mapped;   // the device that is the guest's first disk then, while it runs
  std::string work;     // work.img; empty for a VM without a work disk
  std::string console, vmm_log, lifecycle;
  std::string host_key; // the VM's ssh host key, OpenSSH's private format
  std::string runtime;  // RUNTIME/TAG/ID: the VMM's working directory, gone when it does not run
  std::string way;      // beside that, out of the VMM's reach: its way out's (ops/net/way_out.h)
  std::string monitor_socket;
};

// The name of the file that has what is the VM's own of its root disk.
inline const char* own_root_name(RootWay way) {
  return way == RootWay::overlay       ? "upper.img"
         : way == RootWay::dm_snapshot ? "cow.img"
                                       : "root.img";
}

// Of the directory of a VM's way out, which is named by its runtime directory.
inline constexpr std::string_view way_suffix = ".way";

inline Places places_of(const Dirs& dirs, const std::string& tag, const Vm& vm) {
  Places p;
  p.dir = dirs.vm(vm.id);
  p.op_lock = p.dir + "/op.lock";
  p.run_lock = p.dir + "/run.lock";
  p.root = p.dir + "/" + own_root_name(vm.root_way);
  if (vm.root_way == RootWay::overlay) {
    p.upper = std::exchange(p.root, dirs.image_root(vm.image_id));
  } else if (vm.root_way == RootWay::dm_snapshot) {
    p.cow = std::exchange(p.root, dirs.image_root(vm.image_id));
    p.mapped = mapping_node(tag, vm.id);
  }
  if (vm.work_size) p.work = p.dir + "/work.img";
  p.console = dirs.console_log(vm.id);
  p.vmm_log = p.dir + "/vmm.log";
  p.lifecycle = p.dir + "/lifecycle.jsonl";
  p.host_key = p.dir + "/host_key";
  // The directory that a start recorded holds while its VMM may run, whatever the environment is.
  p.runtime = dirs.runtime + "/" + tag + "/" + vm.id;
  if (vm.run && !vm.run->runtime_dir.empty()) p.runtime = vm.run->runtime_dir;
  p.way = p.runtime + std::string(way_suffix);
  p.monitor_socket = p.runtime + "/monitor.sock";
  return p;
}

// How long a commit about a VM's processes must last. A power cut ends them, and takes their
// runtime directory where that is in memory. On a disk (STATE/run) the directory stays, and so must
// the row that tells of it.
inline Outlives outlives_of_runtime(const std::string& runtime_dir) {
  bool goes = runtime_dir.empty() || sys::is_in_memory(runtime_dir);
  return goes ? Outlives::process : Outlives::power_cut;
}

// The root disk's part that is the VM's alone.
inline const std::string& own_root(const Places& p) {
  return !p.upper.empty() ? p.upper : !p.cow.empty() ? p.cow : p.root;
}

} // namespace banger::ops
