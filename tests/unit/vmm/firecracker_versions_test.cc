#include "vmm/firecracker_versions.h"

#include <gtest/gtest.h>

namespace banger::vmm {

TEST(FirecrackerVersions, AreReadFromWhatTheProgramPrints) {
  struct Row {
    const char *said, *version;
  };
  for (const Row& row :
       {Row{"Firecracker v1.16.1\n\n2026-01-01 [anonymous-instance:main] exiting\n", "1.16.1"},
        Row{"Firecracker v1.17.0-dev\n", "1.17.0"}, Row{"1.8.0", "1.8.0"},
        Row{"noise\nFirecracker v2.0.12\n", "2.0.12"}}) {
    auto version = find_firecracker_version(row.said);
    ASSERT_TRUE(version) << row.said;
    EXPECT_EQ(to_text(*version), row.version);
  }
  for (const char* none : {"", "Firecracker v", "Firecracker v1", "Firecracker v1.16", "1.16.",
                           "1.x.1", "v1.16.1", "-1.2.3", "99999999999.1.1", "QEMU 7.2.22"})
    EXPECT_FALSE(find_firecracker_version(none)) << none;
}

TEST(FirecrackerVersions, BoundsOfWhatIsKnown) {
  EXPECT_FALSE(is_usable({1, 7, 9}));
  EXPECT_TRUE(is_usable({1, 8, 0}));
  EXPECT_TRUE(is_usable({2, 0, 0}));
  EXPECT_FALSE(is_newer_than_known({1, 8, 0}));
  EXPECT_FALSE(is_newer_than_known({1, 16, 9})); // a patch brings no new feature
  EXPECT_TRUE(is_newer_than_known({1, 17, 0}));
  EXPECT_TRUE(is_newer_than_known({2, 0, 0}));
}

TEST(FirecrackerVersions, AVsockIsReliedOnWhereItWorks) {
  struct Row {
    FirecrackerVersion version;
    KernelVersion guest;
    bool booted, resumed, restored;
  };
  for (const Row& row :
       {Row{{1, 13, 9}, {6, 16}, true, true, true}, Row{{1, 13, 9}, {6, 17}, false, false, false},
        Row{{1, 13, 9}, {7, 0}, false, false, false}, Row{{1, 14, 0}, {6, 17}, true, true, true},
        Row{{1, 15, 9}, {6, 1}, true, true, true}, Row{{1, 16, 0}, {6, 1}, true, false, false},
        Row{{1, 16, 1}, {6, 17}, true, false, true}}) {
    auto works = [&](VsockUse use) { return !vsock_fault(row.version, row.guest, use); };
    EXPECT_EQ(works(VsockUse::booted), row.booted) << to_text(row.version);
    EXPECT_EQ(works(VsockUse::resumed), row.resumed) << to_text(row.version);
    EXPECT_EQ(works(VsockUse::restored), row.restored) << to_text(row.version);
  }
}

TEST(FirecrackerVersions, EachHasItsFaults) {
  struct Row {
    FirecrackerVersion version;
    std::vector<const char*> faults; // the number of each
  };
  for (const Row& row :
       {Row{{1, 8, 0}, {"#5485", "#5705", "#5809"}}, Row{{1, 13, 9}, {"#5485", "#5705", "#5809"}},
        Row{{1, 14, 0}, {"#5705", "#5809"}}, Row{{1, 15, 1}, {"#5809"}},
        Row{{1, 16, 0}, {"#5958", "#6100"}}, Row{{1, 16, 1}, {"#6100"}},
        Row{{1, 17, 0}, {"#6100"}}}) {
    auto faults = known_faults(row.version);
    ASSERT_EQ(faults.size(), row.faults.size()) << to_text(row.version);
    for (size_t i = 0; i < faults.size(); i++)
      EXPECT_NE(faults[i].find(row.faults[i]), std::string::npos) << faults[i];
  }
}

} // namespace banger::vmm
