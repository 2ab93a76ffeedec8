#include "image/hygiene.h"

#include <gtest/gtest.h>

namespace banger::image {

TEST(ScrubFstab, LinesForDisksBecomeComments) {
  Scrubbed s = scrub_fstab("# static\n"
                           "UUID=1-2 / ext4 errors=remount-ro 0 1\n"
                           "\tLABEL=home\t/home ext4 defaults 0 2\n"
                           "/dev/sdb1 /srv/my\\040data xfs defaults 0 0\n"
                           "PARTUUID=x none swap sw 0 0\n"
                           "tmpfs /tmp tmpfs size=1G 0 0\n"
                           "/srv/a /srv/b none bind 0 0\n"
                           "host:/x /mnt nfs defaults 0 0\n"
                           "\n"
                           "/dev/mapper/vg-var /var ext4");
  EXPECT_EQ(s.text, "# static\n"
                    "# a VM has no such disk: UUID=1-2 / ext4 errors=remount-ro 0 1\n"
                    "# a VM has no such disk: \tLABEL=home\t/home ext4 defaults 0 2\n"
                    "# a VM has no such disk: /dev/sdb1 /srv/my\\040data xfs defaults 0 0\n"
                    "# a VM has no such disk: PARTUUID=x none swap sw 0 0\n"
                    "tmpfs /tmp tmpfs size=1G 0 0\n"
                    "/srv/a /srv/b none bind 0 0\n"
                    "host:/x /mnt nfs defaults 0 0\n"
                    "\n"
                    "# a VM has no such disk: /dev/mapper/vg-var /var ext4\n");
  EXPECT_EQ(s.places, (std::vector<std::string>{"/home", "/srv/my data", "/var"}));
  EXPECT_EQ(scrub_fstab(s.text).text, s.text) << "twice is once";
  EXPECT_EQ(scrub_fstab("").text, "");
}

TEST(MountUnit, IsNamedAsSystemdNamesIt) {
  EXPECT_EQ(mount_unit("/home"), "home.mount");
  EXPECT_EQ(mount_unit("/"), "-.mount");
  EXPECT_EQ(mount_unit("//srv/a-b/c d/"), "srv-a\\x2db-c\\x20d.mount");
  EXPECT_EQ(mount_unit("/.hidden/x.y"), "\\x2ehidden-x.y.mount");
  EXPECT_EQ(mount_unit("/../../etc"), "\\x2e.-..-etc.mount") << "no path of its own";
}

TEST(MountUnit, IsForADiskByItsWhat) {
  EXPECT_TRUE(is_for_a_disk("[Mount]\nWhat=/dev/sdb1\nWhere=/home\n"));
  EXPECT_TRUE(is_for_a_disk("[Mount]\n  What = UUID=1-2\n"));
  EXPECT_FALSE(is_for_a_disk("[Mount]\nWhat=tmpfs\n"));
  EXPECT_FALSE(is_for_a_disk("[Unit]\nDescription=/dev/sda\n"));
  EXPECT_FALSE(is_for_a_disk(""));
}

} // namespace banger::image
