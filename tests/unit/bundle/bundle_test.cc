#include "bundle/bundle.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "archive/sha256.h"
#include "bundle/runtime_dir.h"
#include "core/error.h"

namespace banger::bundle {
namespace {

namespace fs = std::filesystem;

class BundleTest : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "bundle_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir = fs::canonical(pattern).string();
  }
  void TearDown() override { fs::remove_all(dir); }

  void write(const std::string& name, const std::string& content) {
    fs::create_directories(fs::path(dir + "/" + name).parent_path());
    std::ofstream(dir + "/" + name, std::ios::binary) << content;
  }
  Part add(Bundle& bundle, const std::string& name, const std::string& content) {
    Part part{.name = name,
              .file = name + "-1",
              .size = static_cast<int64_t>(content.size()),
              .sha256 = archive::sha256_hex(content),
              .suite = "bookworm",
              .inputs = "i"};
    write(part.file, content);
    bundle.parts.push_back(part);
    return part;
  }
  Bundle make() {
    Bundle bundle{.path = dir,
                  .name = "debian-bookworm-amd64",
                  .suite = "bookworm",
                  .arch = "amd64",
                  .kernel_release = "6.1.0-1-cloud-amd64",
                  .parts = {},
                  .roots = {}};
    add(bundle, "kernel", "bz");
    add(bundle, "kernel-elf", "elf");
    add(bundle, "initrd", "init");
    add(bundle, "root-tiny", "ext4");
    bundle.roots.push_back({.variant = "tiny",
                            .packages_hash = archive::sha256_hex("a\n"),
                            .packages = "a\n",
                            .installed = {"a 1"}});
    write("bundle.json", to_json(bundle).dump());
    return bundle;
  }
  template <typename F>
  Error error_of(F&& f) {
    try {
      f();
    } catch (const Error& e) {
      return e;
    }
    ADD_FAILURE() << "nothing was thrown";
    return failed("nothing");
  }

  std::string dir;
};

TEST_F(BundleTest, WhatWasWrittenIsReadBack) {
  Bundle made = make();
  Bundle read = load_bundle(dir + "/");
  EXPECT_EQ(read.path, dir);
  EXPECT_EQ(read.name, made.name);
  EXPECT_EQ(read.kernel_release, made.kernel_release);
  EXPECT_EQ(read.parts, made.parts);
  EXPECT_EQ(read.roots, made.roots);
  EXPECT_EQ(read.file(read.kernel_elf()), dir + "/kernel-elf-1");
  EXPECT_EQ(read.root_part("tiny").name, "root-tiny");
}

TEST_F(BundleTest, DebianIsTheDefaultOnceItIsThere) {
  Bundle bundle = make();
  EXPECT_EQ(bundle.default_variant(), "tiny");
  bundle.roots.push_back(
      {.variant = "debian", .packages_hash = "", .packages = "", .installed = {}});
  EXPECT_EQ(bundle.default_variant(), "debian");
  EXPECT_EQ(Bundle{}.default_variant(), "");
}

TEST_F(BundleTest, AbsentBundleIsPreflight) {
  EXPECT_FALSE(find_bundle(dir));
  Error e = error_of([&] { load_bundle(dir); });
  EXPECT_EQ(e.code(), Code::preflight);
  EXPECT_EQ(e.hint(), "banger bundle build");
}

TEST_F(BundleTest, AbsentVariantNamesTheCommandThatBuildsIt) {
  Bundle bundle = make();
  Error e = error_of([&] { bundle.root_part("debian"); });
  EXPECT_EQ(e.code(), Code::preflight);
  EXPECT_EQ(e.hint(), "banger bundle build --variant debian");
}

TEST_F(BundleTest, GarbageIsRefused) {
  for (std::string text : {"", "garbage", "[]", "{}", R"({"kind":"bundle","v":1})",
                           R"({"kind":"image","v":1})", R"({"kind":7,"v":1})"}) {
    write("bundle.json", text);
    Error e = error_of([&] { find_bundle(dir); });
    EXPECT_EQ(e.code(), Code::failed) << text;
    EXPECT_EQ(e.hint(), "banger bundle build --force") << text;
    EXPECT_NE(e.message().find(dir), std::string::npos) << e.message();
  }
}

TEST_F(BundleTest, NewerFormIsAConflict) {
  auto json = to_json(make());
  json["v"] = 2;
  write("bundle.json", json.dump());
  EXPECT_EQ(error_of([&] { find_bundle(dir); }).code(), Code::conflict);
}

TEST_F(BundleTest, PartsOutsideTheDirectoryAreRefused) {
  for (std::string file : {"../etc/passwd", "/etc/passwd", "a/b", "", ".", "..", ".hidden"}) {
    auto json = to_json(make());
    json["parts"][0]["file"] = file;
    write("bundle.json", json.dump());
    EXPECT_EQ(error_of([&] { find_bundle(dir); }).code(), Code::failed) << file;
  }
}

TEST_F(BundleTest, VerifyNamesWhatIsWrong) {
  Bundle bundle = make();
  for (const Part& part : bundle.parts) EXPECT_NO_THROW(verify_part(bundle, part));

  write("initrd-1", "tini"); // the same size
  Error corrupt = error_of([&] { verify_part(bundle, bundle.initrd()); });
  EXPECT_EQ(corrupt.code(), Code::failed);
  EXPECT_EQ(corrupt.subject(), "initrd");
  EXPECT_EQ(corrupt.hint(), "banger bundle build --force");
  EXPECT_NO_THROW(require_part(bundle, bundle.initrd()));

  write("root-tiny-1", "ext");
  Error truncated = error_of([&] { require_part(bundle, bundle.root_part("tiny")); });
  EXPECT_EQ(truncated.code(), Code::failed);
  EXPECT_EQ(truncated.subject(), "root-tiny");

  fs::remove(dir + "/kernel-1");
  Error missing = error_of([&] { verify_part(bundle, bundle.kernel()); });
  EXPECT_EQ(missing.code(), Code::preflight);
  EXPECT_EQ(missing.subject(), "kernel");
}

TEST_F(BundleTest, IdentityChangesWithTheFile) {
  Bundle bundle = make();
  std::string before = part_identity(bundle, bundle.initrd());
  EXPECT_EQ(part_identity(bundle, bundle.initrd()), before);
  fs::remove(dir + "/initrd-1");
  write("other", "x"); // so that the inode is not given out again
  write("initrd-1", "init");
  EXPECT_NE(part_identity(bundle, bundle.initrd()), before);
}

class RuntimeDirTest : public BundleTest {
protected:
  Settings settings;
  Dirs dirs() {
    Dirs d;
    d.state = dir + "/state";
    d.bin = dir + "/prefix/bin";
    fs::create_directories(d.bin);
    return d;
  }
};

TEST_F(RuntimeDirTest, ConfiguredBeatsAll) {
  settings.runtime_dir = dir + "/mine/../other";
  RuntimeDir expected{dir + "/other", "configured"};
  EXPECT_EQ(runtime_dir(settings, dirs()), expected);
  EXPECT_EQ(build_dir(settings, dirs()), expected);
}

TEST_F(RuntimeDirTest, BuildTreePointsAtItsSources) {
  Dirs d = dirs();
  d.bin = dir + "/src/build/bin";
  fs::create_directories(d.bin);
  write("src/build/CMakeCache.txt", "# x\nCMAKE_HOME_DIRECTORY:INTERNAL=" + dir + "/src\nA:B=c\n");
  RuntimeDir state{dir + "/state/bundle", "state"};
  EXPECT_EQ(runtime_dir(settings, d), state) << "the sources are gone";
  write("src/runtime/packages", "");
  RuntimeDir source{dir + "/src/runtime/bundle", "source"};
  EXPECT_EQ(runtime_dir(settings, d), source);
  EXPECT_EQ(build_dir(settings, d), source);
}

TEST_F(RuntimeDirTest, InstalledBundleUnlessTheUserBuiltOne) {
  RuntimeDir state{dir + "/state/bundle", "state"};
  RuntimeDir installed{dir + "/prefix/lib/banger", "install"};
  EXPECT_EQ(runtime_dir(settings, dirs()), state);
  write("prefix/lib/banger/bundle.json", "{}");
  EXPECT_EQ(runtime_dir(settings, dirs()), installed);
  EXPECT_EQ(build_dir(settings, dirs()), state);
  write("state/bundle/bundle.json", "{}");
  EXPECT_EQ(runtime_dir(settings, dirs()), state);
}

} // namespace
} // namespace banger::bundle
