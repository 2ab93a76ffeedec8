// The kinds of leaks, a file for those that are alike; for leaks.cc alone.
//
// A kind is two functions and a row of `kinds` in leaks.cc. What it finds is looked at a second
// time a moment later, so it need not be sure of what is just being made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/bridge_traces.h"
#include "ops/common/context.h"
#include "ops/recover/leak.h"

namespace banger::ops {

// A process's file below the state or runtime directory, by its real path ("(deleted)" cut off).
struct OpenFile {
  ProcessId process;
  std::string path;
  bool locked; // through this descriptor
};

// The objects that the host shows; the same for all kinds. Real paths.
struct Scene {
  std::string state_dir, net_lock;        // empty where there is no state yet
  std::vector<std::string> bundle_dirs;   // where this user's builds go
  std::vector<std::string> runtime_roots; // RUNTIME/TAG, those that exist
  struct Process {
    ProcessId id;
    std::string comm, cwd;
    bool is_banger;   // runs a program of our libexec
    std::string cell; // the runtime directory whose cell's first process it is
  };
  std::vector<Process> processes; // but for this one
  std::vector<OpenFile> open_files;
  // Of the network `bridge`; all links of ours where only those could be looked at.
  net::BridgeTraces bridge;
  std::string unseen, mend; // why the rest could not, and what mends that; else empty
};

struct LeakKind {
  // Gives all of this kind, with a row or not; of those that name no row, only the leaks.
  std::vector<Leak> (*find)(const Scene&, Reader&);
  // Makes it absent; absence is no failure.
  void (*remove)(const Leak&, Reader&);
};

// leak_processes.cc; the second of a host on which the state does not exist.
Scene look_at_host(Reader& in);
Scene look_without_state(Reader& in);
void look_at_bridge(Scene& scene, Reader& in); // leak_bridge.cc

// The directories of the networks that VMs share stand among those of the VMs.
bool is_network(std::string_view name);

// A runtime directory of another state that has the same tag, or of a probe that is at work.
bool is_strange(const Scene& scene, const std::string& runtime_dir);
// The id of the VM in whose directories `path` lies; else empty.
std::string vm_of(const Scene& scene, const std::string& path);
// The id of a VM by the name of its runtime directory, or of its way out's beside that.
std::string vm_in(std::string name);
// The id of a VM, as a leak's owner: none for the network's directory.
std::string owner_of(const std::string& id);

// leak_processes.cc: VMMs and what else works in a runtime directory, monitors and verbs by their
// locks.
std::vector<Leak> find_processes(const Scene& scene, Reader& in);
void end_process(const Leak& leak, Reader& in);
// leak_files.cc: directories named by the id of a VM or image; temporaries of writers that died;
// what a build of a bundle left that died so that it could not tidy up.
std::vector<Leak> find_runtime(const Scene& scene, Reader& in);
std::vector<Leak> find_vm_dirs(const Scene& scene, Reader& in);
std::vector<Leak> find_image_dirs(const Scene& scene, Reader& in);
std::vector<Leak> find_temporaries(const Scene& scene, Reader& in);
std::vector<Leak> find_builds(const Scene& scene, Reader& in);
void remove_path(const Leak& leak, Reader& in);
void remove_temporary(const Leak& leak, Reader& in);
// leak_private_net.cc: taps and forwards, as the network's holder and slirp4netns show them.
// Removed under net.lock and after another look: a VM that starts may have taken its name since.
std::vector<Leak> find_taps(const Scene& scene, Reader& in);
void remove_tap(const Leak& leak, Reader& in);
std::vector<Leak> find_forwards(const Scene& scene, Reader& in);
void remove_forward(const Leak& leak, Reader& in);
// leak_disks.cc: root disks that device-mapper shows; loop devices on files of the state that no
// other device stands on, and that are mounted nowhere.
std::vector<Leak> find_mapped(const Scene& scene, Reader& in);
void unmap(const Leak& leak, Reader& in);
std::vector<Leak> find_loops(const Scene& scene, Reader& in);
void clear_loop(const Leak& leak, Reader& in);
// leak_bridge.cc: what this host has of the state's bridge, and bridges of states that are no more.
// Removed under net.lock, and after another look whether the state wants it now.
std::vector<Leak> find_bridge(const Scene& scene, Reader& in);
std::vector<Leak> find_bridges_of_none(const Scene& scene, Reader& in);
void remove_of_bridge(const Leak& leak, Reader& in);
void remove_bridge_of_none(const Leak& leak, Reader& in);

} // namespace banger::ops
