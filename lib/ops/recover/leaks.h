// Leaks: what carries this state's tag, or lies in its directories, and no row accounts for.
//
// Ownership is decided by tag and recorded identity, never by resemblance: a process is ours
// because it works in RUNTIME/TAG/ID or holds a lock in STATE/vms/ID, not because it is called
// qemu. What has a row is no leak, whatever state it is in: reconciling is what brings that in
// order. Links and processes of the private network are accounted for by the state's table of host
// objects. What another command is just making or removing is none either: rows are read after the
// host was looked at, and only what is there and the same a moment later counts.
//
// Another kind of host object is a row in leak_kinds() with its two functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/vm.h"
#include "ops/common/context.h"

namespace banger::ops {

struct Leak {
  std::string object; // a LeakKind's
  std::string name;   // for people: a path, "PID (COMM)"; unique
  std::string owner;  // id of the VM or image that it was made for; empty where it cannot be told
  // What it is known by: one of the two. Of what is in the private network, the socket of the one
  // who takes it away, and the lock under which that is done.
  std::string path;
  ProcessId process;
  // The id whose row would account for it; empty where no row can.
  std::string row;
  std::string lock = {};
  // Of a temporary: the next writer's has the same path.
  uint64_t inode = 0;
  int64_t mtime_ns = 0;
  bool operator==(const Leak&) const = default;
};

// A process's file below the state or runtime directory, by its real path ("(deleted)" cut off).
struct OpenFile {
  ProcessId process;
  std::string path;
  bool locked; // through this descriptor
};

// What the host shows; the same for all kinds. Real paths.
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
  // All of this kind that there is, with a row or not; of what names no row, what is a leak.
  std::vector<Leak> (*find)(const Scene&, Reader&);
  // Makes it absent; absence is no failure.
  void (*remove)(const Leak&, Reader&);
};

// In the order in which they are to be removed: processes before what they use.
std::span<const LeakKind> leak_kinds();

// A user sees the processes of his own only; they are the ones that can be his state's. Where there
// seem to be leaks, this takes half a second.
std::vector<Leak> find_leaks(Reader& in);

// Removes one. Throws Error(conflict) for a directory that is older than this state: it has the
// disks of VMs whose state file was moved aside, and only their owner can tell what they are worth.
void remove_leak(Reader& in, const Leak& leak);

} // namespace banger::ops
