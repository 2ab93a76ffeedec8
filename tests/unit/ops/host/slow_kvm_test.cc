#include "ops/host/slow_kvm.h"

#include <gtest/gtest.h>

namespace banger::ops {

TEST(SlowKvm, IsLinux61UnlessItWasMended) {
  const std::string release = "6.1.0-37-amd64", safe = "Not affected", open = "KVM: Vulnerable",
                    mounts = "29 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate";
  EXPECT_NE(slow_kvm(release, safe, "Y", mounts).mend.find("nx_huge_pages"), std::string::npos);
  EXPECT_NE(slow_kvm(release, safe, "N", mounts).mend.find("nx_huge_pages"), std::string::npos);
  EXPECT_NE(slow_kvm(release, open, "Y", mounts).mend.find("favordynmods"), std::string::npos);
  EXPECT_EQ(slow_kvm(release, safe, "never", mounts), SlowKvm{});
  EXPECT_EQ(slow_kvm(release, open, "Y", mounts + ",favordynmods"), SlowKvm{});
  EXPECT_EQ(slow_kvm(release, safe, "", mounts), SlowKvm{}); // KVM is not loaded
  for (const char* other : {"5.10.0", "6.10.1", "6.12.3", "16.1.0"})
    EXPECT_EQ(slow_kvm(other, safe, "Y", mounts), SlowKvm{}) << other;
}

} // namespace banger::ops
