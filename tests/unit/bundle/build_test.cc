#include "bundle/build.h"

#include <gtest/gtest.h>

#include "bundle/debian.h"
#include "bundle/parts.h"

namespace banger::bundle {
namespace {

constexpr const char* signed_by = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ";

TEST(DebianSources, WithoutADebianHostTheyAreDebiansOwn) {
  EXPECT_EQ(debian_sources("http://mirror/ubuntu/ jammy main Ubuntu\n", "", "bookworm"),
            (std::vector<std::string>{
                std::string(signed_by) + "http://deb.debian.org/debian/ bookworm main",
                std::string(signed_by) + "http://deb.debian.org/debian/ bookworm-updates main",
                std::string(signed_by) +
                    "http://deb.debian.org/debian-security/ bookworm-security main"}));
}

TEST(DebianSources, TheHostsMirrorServesOtherSuitesToo) {
  const char* targets = "cdrom:[x]/ bookworm main Debian\n"
                        "http://packages.other.org/apt bookworm main Other\n"
                        "http://packages.other.org/x bookworm stable Debian\n"
                        "http://mirror/debian/ bookworm main Debian\n"
                        "http://mirror/security/ bookworm-security main Debian\n";
  EXPECT_EQ(debian_sources(targets, "bookworm", "trixie"),
            (std::vector<std::string>{
                std::string(signed_by) + "http://mirror/debian/ trixie main",
                std::string(signed_by) + "http://mirror/debian/ trixie-updates main",
                std::string(signed_by) + "http://mirror/security/ trixie-security main"}));
}

TEST(DebianSources, ListsThatWereNeverFetchedHaveNoOrigin) {
  for (const char* origin : {" $(ORIGIN)", " ", ""})
    EXPECT_EQ(debian_sources(std::string("http://mirror/debian/ bookworm main") + origin,
                             "bookworm", "bookworm")[0],
              std::string(signed_by) + "http://mirror/debian/ bookworm main");
}

TEST(DebianSources, SidHasNoUpdates) { EXPECT_EQ(debian_sources("", "", "sid").size(), 1u); }

TEST(DebianSources, OnlyHowToReachAnArchiveIsTaken) {
  EXPECT_EQ(apt_acquire_settings("APT::Architecture \"amd64\";\n"
                                 "Acquire::AllowInsecureRepositories \"1\";\n"
                                 "Acquire::http \"\";\n"
                                 "Acquire::http::Proxy \"http://proxy:3128\";\n"
                                 "DPkg::Post-Invoke:: \"rm -rf /\";\n"
                                 "Acquire::Retries \"3\";\n"),
            "Acquire::http \"\";\nAcquire::http::Proxy \"http://proxy:3128\";\n"
            "Acquire::Retries \"3\";\n");
}

TEST(InstalledPackages, OfDpkgsStatus) {
  EXPECT_EQ(installed_packages("Package: b\nStatus: install ok installed\nVersion: 2:1-1\n"
                               "Description: x\n Version: not this\n\n"
                               "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
                               "Package: a\nStatus: install ok installed\nVersion: 1"),
            (std::vector<std::string>{"a 1", "b 2:1-1"}));
  EXPECT_TRUE(installed_packages("").empty());
}

TEST(InstalledPackages, OfFileNames) {
  EXPECT_EQ(package_of_file("zlib1g_1%3a1.2.13.dfsg-1_amd64.deb"), "zlib1g 1:1.2.13.dfsg-1");
  EXPECT_EQ(package_of_file("libc6_2.36-9_amd64.deb"), "libc6 2.36-9");
}

class Plan : public testing::Test {
protected:
  void SetUp() override {
    for (const char* name : {"kernel", "kernel-elf", "initrd"}) add(name, "b");
    add("root-tiny", "r");
    old.roots.push_back({.variant = "tiny", .packages_hash = "", .packages = "", .installed = {}});
    wish.variant = "tiny";
  }
  void add(const std::string& name, const std::string& inputs) {
    old.parts.push_back({name, name + "-1", 1, "", "bookworm", inputs});
  }
  BundlePlan plan(const std::string& boot = "b", const std::string& root = "r") {
    return plan_bundle(old, wish, boot, root, [&](const Part& p) { return p.name != unusable; });
  }
  Bundle old;
  BundleWish wish;
  std::string unusable;
};

TEST_F(Plan, NothingChangedBuildsNothing) { EXPECT_EQ(plan(), (BundlePlan{false, false})); }

TEST_F(Plan, WhatChangedIsBuilt) {
  EXPECT_EQ(plan("other"), (BundlePlan{true, false}));
  EXPECT_EQ(plan("b", "other"), (BundlePlan{false, true}));
  wish.variant = "debian";
  EXPECT_EQ(plan(), (BundlePlan{false, true})) << "another variant is added to it";
}

TEST_F(Plan, WhatIsMissingIsBuilt) {
  unusable = "kernel-elf";
  EXPECT_EQ(plan(), (BundlePlan{true, false}));
  unusable = "root-tiny";
  EXPECT_EQ(plan(), (BundlePlan{false, true}));
  unusable.clear();
  old.roots.clear();
  EXPECT_EQ(plan(), (BundlePlan{false, true}));
  old = {};
  EXPECT_EQ(plan(), (BundlePlan{true, true}));
}

TEST_F(Plan, ForceBuildsAll) {
  wish.force = true;
  EXPECT_EQ(plan(), (BundlePlan{true, true}));
}

TEST(BootInputs, ChangeWithEach) {
  std::string one = boot_inputs("bookworm", "init", "modules");
  EXPECT_EQ(boot_inputs("bookworm", "init", "modules"), one);
  EXPECT_NE(boot_inputs("trixie", "init", "modules"), one);
  EXPECT_NE(boot_inputs("bookworm", "ini", "modules"), one);
  EXPECT_NE(boot_inputs("bookworm", "init", "module"), one);
  EXPECT_NE(boot_inputs("bookworm", "initm", "odules"), one);
}

TEST(PartFiles, OnlyABuildsOwnNames) {
  for (const char* name : {"kernel-0123456789ab", "kernel-elf-0123456789ab", "initrd-abcdefabcdef",
                           "root-tiny-0123456789ab.ext4", "root-a-b-0123456789ab.ext4"})
    EXPECT_TRUE(is_part_file(name)) << name;
  for (const char* name :
       {"kernel", "kernel-", "kernel-0123456789a", "kernel-0123456789abc", "kernel-0123456789aX",
        "kernel-0123456789ab.ext4", "root-0123456789ab", "root--0123456789ab.ext4",
        "root-tiny-0123456789ab", "notes-0123456789ab", "my-kernel-0123456789ab", "bundle.json",
        ".lock", "build.log"})
    EXPECT_FALSE(is_part_file(name)) << name;
}

} // namespace
} // namespace banger::bundle
