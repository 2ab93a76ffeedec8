// Hosts on which KVM takes long to create a VM (Firecracker's guide to production hosts). For each
// VM Linux 6.1 moves a thread of KVM's between control groups, which waits for every processor.
#pragma once

#include <string>

namespace banger::ops {

// Why it is slow here, and the command that mends it; both empty where it is not.
struct SlowKvm {
  std::string why, mend;
  bool operator==(const SlowKvm&) const = default;
};

// Pure. `release` is the kernel's, the rest the content of files below /sys and of
// /proc/self/mountinfo, empty where a file is absent.
SlowKvm slow_kvm(const std::string& release, const std::string& itlb_multihit,
                 const std::string& nx_huge_pages, const std::string& mounts);
// Of this host.
SlowKvm slow_kvm();

} // namespace banger::ops
