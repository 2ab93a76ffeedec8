// Traces in a root file system of its first machine's disks, which a VM does not have. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace banger::image {

struct Scrubbed {
  std::string text;
  std::vector<std::string> places; // mount points of the lines that went, in their order
};

// An fstab whose lines for disks (UUID=, LABEL= and the like, anything in /dev) are comments: the
// guest's root is mounted before its init runs, swap and separate /home or /var are not there, and
// waiting for them would hold the boot up. A line that needs no disk stays as it is.
Scrubbed scrub_fstab(std::string_view text);

// The systemd unit that mounts `place`: "/home" is "home.mount", "/srv/a-b" "srv-a\x2db.mount"
// (systemd.unit(5), string escaping).
std::string mount_unit(std::string_view place);

// Whether a mount or swap unit's file is for such a disk (its What= is).
bool is_for_a_disk(std::string_view unit_file);

} // namespace banger::image
