// The kinds of leaks, a file for those that are alike; for leaks.cc alone.
//
// A kind is two functions and a row of `kinds` in leaks.cc. What it finds is looked at a second
// time a moment later, so it need not be sure of what is just being made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ops/common/context.h"
#include "ops/recover/leaks.h"

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
  std::string bundle_dir;                 // where this user's builds go
  std::vector<std::string> runtime_roots; // RUNTIME/TAG, those that exist
  struct Process {
    ProcessId id;
    std::string comm, cwd;
    bool is_banger; // runs a program of our libexec
  };
  std::vector<Process> processes; // but for this one
  std::vector<OpenFile> open_files;
};

struct LeakKind {
  std::string_view object;
  // Gives all of this kind, with a row or not; of those that name no row, only the leaks.
  std::vector<Leak> (*find)(const Scene&, Reader&);
  // Makes it absent; absence is no failure.
  void (*remove)(const Leak&, Reader&);
};

Scene look_at_host(Reader& in); // leak_processes.cc

// The private network's directory stands among those of the VMs.
constexpr std::string_view network = "net";

// A runtime directory of another state that has the same tag, or of a probe that is at work.
bool is_strange(const Scene& scene, const std::string& runtime_dir);
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
// leak_disks.cc: root disks that device-mapper shows.
std::vector<Leak> find_mapped(const Scene& scene, Reader& in);
void unmap(const Leak& leak, Reader& in);

} // namespace banger::ops
