// The files of a snapshot: a directory that has a guest's memory, its disks of the same moment, and
// a manifest which tells what machine that was and has the digest of each file. It names nothing
// outside of itself, so it may lie anywhere.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/vm.h"

namespace banger::disk {

struct SavedFile {
  std::string name;     // in the directory
  int64_t size = 0;     // bytes, holes included
  std::string sha256{}; // of its data (archive::sha256_of_data); Manifest::v 1: of all its bytes
  bool operator==(const SavedFile&) const = default;
};

// A restored guest goes on in such a machine, and in no other.
struct SavedMachine {
  VmmKind vmm = VmmKind::qemu;
  std::string vmm_version; // empty: not known
  Accel accel = Accel::tcg;
  int cpus = 1;
  int64_t memory = 0, root_size = 0, work_size = 0;
  NetMode net_mode = NetMode::isolated;
  std::string address, gateway, mac; // the guest's own
  int prefix = 24;
  bool operator==(const SavedMachine&) const = default;
};

struct Manifest {
  int v = 0; // of its form; what is written has the newest
  SavedMachine machine;
  std::vector<SavedFile> files;
  bool operator==(const Manifest&) const = default;
};

inline constexpr const char* manifest_file = "manifest.json";
inline constexpr const char* memory_file = "memory";

// A copy that shares the extents where the file system can, and keeps the holes. Not synced. `to`
// must not exist; on failure it does not. `between`: as for sys::copy_sparse.
void copy_disk(const std::string& from, const std::string& to,
               const std::function<void()>& between);

// The directory has all its files: a memory that is the guest's, byte by byte, gets its holes; all
// is digested and synced, and the manifest written last. `between` is called now and then.
Manifest seal_snapshot(const std::string& dir, const SavedMachine& machine,
                       const std::function<void()>& between = {});

// For a directory of its own; atomic, and synced.
void write_manifest(const std::string& dir, const Manifest& manifest);
// Throws Error(failed) for one that is not there or cannot be read.
Manifest read_manifest(const std::string& dir);
// Reads all that is no hole. Throws Error(failed) that names a file which is absent or not what it
// was, or which it must have and does not.
void verify_snapshot(const std::string& dir, const Manifest& manifest,
                     const std::vector<std::string>& needs);

} // namespace banger::disk
