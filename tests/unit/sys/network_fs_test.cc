#include "sys/network_fs.h"

#include <linux/magic.h>

#include <gtest/gtest.h>

#include "sys/file.h"

namespace banger::sys {
namespace {

TEST(NetworkFileSystem, IsToldByItsNumber) {
  EXPECT_EQ(network_type_name(NFS_SUPER_MAGIC), "NFS");
  EXPECT_EQ(network_type_name(SMB_SUPER_MAGIC), "SMB");
  EXPECT_EQ(network_type_name(0xfe534d42), "SMB"); // SMB2
  EXPECT_EQ(network_type_name(0xff534d42), "CIFS");
  EXPECT_EQ(network_type_name(V9FS_MAGIC), "9p");
  EXPECT_EQ(network_type_name(AFS_SUPER_MAGIC), "AFS");
  EXPECT_EQ(network_type_name(0x00c36400), "Ceph");
}

TEST(NetworkFileSystem, AsSomeKernelsExtendTheNumbersSign) {
  EXPECT_EQ(network_type_name(static_cast<int32_t>(0xff534d42)), "CIFS");
}

TEST(NetworkFileSystem, OfThoseThatFuseServesSomeAre) {
  EXPECT_EQ(network_fuse_name("fuse.sshfs"), "sshfs");
  EXPECT_EQ(network_fuse_name("fuse.glusterfs"), "glusterfs");
  for (const char* local : {"fuse", "fuse.bindfs", "fuseblk", "fuse.fuse-overlayfs", "sshfs", ""})
    EXPECT_FALSE(network_fuse_name(local)) << local;
}

TEST(NetworkFileSystem, LocalOnesAreNone) {
  for (int64_t type : {EXT4_SUPER_MAGIC, TMPFS_MAGIC, OVERLAYFS_SUPER_MAGIC, XFS_SUPER_MAGIC})
    EXPECT_FALSE(network_type_name(type)) << type;
  EXPECT_FALSE(network_file_system("/proc"));
  EXPECT_FALSE(network_file_system("/proc/no/such/place"));
}

} // namespace
} // namespace banger::sys
