// A leak (ops/recover/leaks.h), as a plain value.
#pragma once

#include <cstdint>
#include <string>

#include "model/vm.h"

namespace banger::ops {

struct Leak {
  std::string object; // its kind: "process", "tap"
  std::string name;   // for people: a path, "PID (COMM)"; unique
  std::string owner;  // id of the VM or image that it was made for; empty where it cannot be told
  // It is known by one of the two. For an object in the private network `path` is the socket of the
  // process that takes it away, and `lock` is held while that is done.
  std::string path;
  ProcessId process;
  // The id whose row would account for it; empty where no row can.
  std::string row;
  std::string lock = {};
  // Of a temporary: the next writer's has the same path.
  uint64_t inode = 0;
  int64_t mtime_ns = 0;
  // Of a device: device-mapper's uuid of it, or the kernel's diskseq.
  std::string identity = {};
  const struct LeakKind* kind = nullptr; // its row in `kinds`
  bool operator==(const Leak&) const = default;
};

} // namespace banger::ops
