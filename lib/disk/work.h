// A VM's work disk: an ext4 file system of its own that outlives the VM's root.
#pragma once

#include <cstdint>
#include <string>

namespace banger::disk {

// Returns `path` in its plain form ("/srv/data"). Throws Error(usage) for one that is no absolute
// path below the root, or is a place that belongs to the kernel.
std::string valid_work_mount(const std::string& path);

struct WorkPlan {
  std::string image; // the ext4 file that it is seeded from
  std::string mount; // the path there
  std::string to;
  int64_t size = 0;
  bool operator==(const WorkPlan&) const = default;
};

// Makes the disk, 0600, synced: its root is what the image has at that path, with owners, modes,
// times, links and attributes; empty where the image has no such directory. On failure nothing is
// left. Error(usage) when it is too small for that.
void make_work(const WorkPlan& plan);

} // namespace banger::disk
