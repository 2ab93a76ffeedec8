// The abilities and the known faults of Firecracker's versions. Pure.
//
// The table comes from Firecracker's changelog and issues. A new version that mends or breaks
// something is a line in firecracker_versions.cc, and moves `newest_known`.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/machine.h"

namespace banger::vmm {

struct FirecrackerVersion {
  int major = 0, minor = 0, patch = 0;
  auto operator<=>(const FirecrackerVersion&) const = default;
};
std::string to_text(const FirecrackerVersion& version); // "1.16.1"

// The first that shows its devices to a kernel that does not take them from its command line
// (ACPI).
inline constexpr FirecrackerVersion oldest_usable{1, 8, 0};
// Of the newest minor version that the table covers.
inline constexpr FirecrackerVersion newest_known{1, 16, 1};

// The version in the output of `firecracker --version` ("Firecracker v1.16.1", and more lines), or
// in a version alone. A word behind the numbers ("-dev") is passed over.
std::optional<FirecrackerVersion> find_firecracker_version(std::string_view said);

inline bool is_usable(const FirecrackerVersion& v) { return v >= oldest_usable; }
// The table does not cover it yet.
inline bool is_newer_than_known(const FirecrackerVersion& v) {
  return v.major > newest_known.major || v.minor > newest_known.minor;
}

// A guest is told the MTU of its network.
inline bool tells_mtu(const FirecrackerVersion& v) { return v >= FirecrackerVersion{1, 16, 0}; }

// A guest that was saved can be given another tap than it had.
inline bool renames_taps(const FirecrackerVersion& v) { return v >= FirecrackerVersion{1, 12, 0}; }

// How a guest came to where it is.
enum class VsockUse { booted, resumed, restored };
// Why a vsock device of this version is not to be relied on by such a guest; none: it works.
std::optional<std::string> vsock_fault(const FirecrackerVersion& version,
                                       const KernelVersion& guest, VsockUse use);

// Its known faults, a line each.
std::vector<std::string> known_faults(const FirecrackerVersion& version);

} // namespace banger::vmm
