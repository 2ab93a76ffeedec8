#include "ops/host/slow_kvm.h"

#include <sys/utsname.h>

#include "core/error.h"
#include "core/text.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

std::string content(const char* path) {
  try {
    return std::string(trim(sys::find_content(path).value_or("")));
  } catch (const Error&) {
    return {}; // not for this user to see
  }
}

} // namespace

SlowKvm slow_kvm(const std::string& release, const std::string& itlb_multihit,
                 const std::string& nx_huge_pages, const std::string& mounts) {
  if (!release.starts_with("6.1.")) return {};
  if (nx_huge_pages.empty() || nx_huge_pages == "never") return {}; // KVM has no such thread then
  if (mounts.find("favordynmods") != std::string::npos) return {};
  const char* why = "creating a VM is slow on Linux 6.1";
  // The thread guards against a fault of processors that this one may not have.
  if (itlb_multihit == "Not affected")
    return {why, "echo never | sudo tee /sys/module/kvm/parameters/nx_huge_pages"};
  return {why, "sudo mount -o remount,favordynmods /sys/fs/cgroup"};
}

SlowKvm slow_kvm() {
  utsname name{};
  if (::uname(&name) != 0) return {};
  return slow_kvm(name.release, content("/sys/devices/system/cpu/vulnerabilities/itlb_multihit"),
                  content("/sys/module/kvm/parameters/nx_huge_pages"),
                  content("/proc/self/mountinfo"));
}

} // namespace banger::ops
