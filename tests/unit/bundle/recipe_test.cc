#include "bundle/recipe.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/error.h"

namespace banger::bundle {
namespace {

namespace fs = std::filesystem;

TEST(Recipe, EveryStep) {
  Recipe r = parse_recipe("# text\nbase extract\nsize 256M\n\ndrop usr/share/doc\n"
                          "dir tmp 1777\nlink  a/b  /dev/null\nmode etc/shadow 0640\n"
                          "applets usr/bin/busybox\n",
                          "r");
  EXPECT_EQ(r.base, Recipe::Base::extract);
  EXPECT_EQ(r.size, int64_t{256} << 20);
  EXPECT_EQ(r.drop, std::vector<std::string>{"usr/share/doc"});
  EXPECT_EQ(r.dirs, (std::vector<std::pair<std::string, mode_t>>{{"tmp", 01777}}));
  EXPECT_EQ(r.links, (std::vector<std::pair<std::string, std::string>>{{"a/b", "/dev/null"}}));
  EXPECT_EQ(r.modes.at("etc/shadow"), 0640u);
  EXPECT_EQ(r.applets, "usr/bin/busybox");
}

TEST(Recipe, BadLinesAreNamed) {
  for (std::string bad : {"base none", "base", "size 0", "size x", "drop", "drop /etc", "drop ../x",
                          "drop a b", "dir tmp", "dir tmp 77", "dir tmp 0788", "dir /tmp 0755",
                          "link a", "link a/../b c", "unknown x", "mode etc 0755 x"})
    try {
      parse_recipe("size 1M\n" + bad, "r");
      ADD_FAILURE() << bad;
    } catch (const Error& e) {
      EXPECT_NE(e.message().find("'r', line 2"), std::string::npos) << e.message();
    }
  EXPECT_THROW(parse_recipe("base minbase\n", "r"), Error) << "no size";
}

TEST(Recipe, DropsMatchAndAllBelow) {
  Recipe r;
  r.drop = {"usr/share/doc", "dev/*", "etc/ssh/ssh_host_*"};
  EXPECT_TRUE(r.drops("usr/share/doc"));
  EXPECT_TRUE(r.drops("usr/share/doc/a/b"));
  EXPECT_FALSE(r.drops("usr/share/docs"));
  EXPECT_FALSE(r.drops("usr/share"));
  EXPECT_FALSE(r.drops("dev"));
  EXPECT_TRUE(r.drops("dev/pts/1"));
  EXPECT_TRUE(r.drops("etc/ssh/ssh_host_rsa_key.pub"));
  EXPECT_FALSE(r.drops("etc/ssh/sshd_config"));
}

TEST(Packages, NamesOnly) {
  EXPECT_EQ(parse_packages("# text\nlibstdc++6\n\n  udev # why\n0ad\n", "p"),
            (std::vector<std::string>{"libstdc++6", "udev", "0ad"}));
  for (const char* bad : {"-oDebug=1", "a=1", "/etc/passwd", "A", "x y", "udev,dbus", "x"})
    EXPECT_THROW(parse_packages(bad, "p"), Error) << bad;
}

TEST(MergedUsr, Paths) {
  EXPECT_EQ(merged_usr("bin/sh"), "usr/bin/sh");
  EXPECT_EQ(merged_usr("lib64/ld.so"), "usr/lib64/ld.so");
  EXPECT_EQ(merged_usr("sbin"), "usr/sbin");
  EXPECT_EQ(merged_usr("usr/bin/sh"), "usr/bin/sh");
  EXPECT_EQ(merged_usr("binary"), "binary");
}

class RootSourceTest : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "recipe_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir = pattern;
    write("packages", "udev\n");
    write("root/small/recipe", "size 1M\nmode etc/shadow 0640\n");
    write("root/small/files/etc/shadow", "x");
    write("root/small/files/etc/issue", "Debian @SUITE@, @SUITE@");
    write("root/small/files/etc/rc", "#!/bin/sh\n");
    chmod((dir + "/root/small/files/etc/rc").c_str(), 0744);
    write("root/README", "");
  }
  void TearDown() override { fs::remove_all(dir); }
  void write(const std::string& name, const std::string& content) {
    fs::create_directories(fs::path(dir + "/" + name).parent_path());
    std::ofstream(dir + "/" + name, std::ios::binary) << content;
  }
  RootSource load(const std::string& suite = "bookworm") {
    return load_root_source(dir, "small", suite);
  }
  std::string dir;
};

TEST_F(RootSourceTest, FilesModesAndSuite) {
  RootSource s = load("trixie");
  EXPECT_EQ(s.package_names, std::vector<std::string>{"udev"});
  EXPECT_EQ(s.files, (std::vector<RootFile>{{"etc/issue", 0644, "Debian trixie, trixie"},
                                            {"etc/rc", 0755, "#!/bin/sh\n"},
                                            {"etc/shadow", 0640, "x"}}));
}

TEST_F(RootSourceTest, AVariantsOwnPackagesBeatTheCommonOnes) {
  write("root/small/packages", "dropbear-bin\n");
  EXPECT_EQ(load().package_names, std::vector<std::string>{"dropbear-bin"});
}

TEST_F(RootSourceTest, InputsChangeWithEverything) {
  std::string before = load().inputs;
  EXPECT_EQ(load().inputs, before);
  EXPECT_NE(load("trixie").inputs, before);
  write("packages", "udev\n# a comment too\n");
  std::string packages = load().inputs;
  EXPECT_NE(packages, before);
  write("root/small/recipe", "size 2M\nmode etc/shadow 0640\n");
  std::string recipe = load().inputs;
  EXPECT_NE(recipe, packages);
  write("root/small/files/etc/issue", "other");
  std::string file = load().inputs;
  EXPECT_NE(file, recipe);
  chmod((dir + "/root/small/files/etc/issue").c_str(), 0755);
  EXPECT_NE(load().inputs, file);
}

TEST_F(RootSourceTest, UnknownVariantsAreUsageErrors) {
  EXPECT_EQ(list_variants(dir), std::vector<std::string>{"small"});
  try {
    load_root_source(dir, "../small", "bookworm");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::usage);
    EXPECT_EQ(e.hint(), "one of: small");
  }
}

} // namespace
} // namespace banger::bundle
