// The files of a snapshot, sealed, read and verified.
#include "disk/snapshot.h"

#include <gtest/gtest.h>

#include "archive/sha256.h"
#include "core/error.h"
#include "sys/file.h"

namespace banger::disk {

namespace {

class SnapshotTest : public testing::Test {
protected:
  SnapshotTest() {
    std::string made = testing::TempDir() + "banger-snapshot-XXXXXX";
    dir = ::mkdtemp(made.data());
    machine.memory = 1 << 20;
    machine.vmm_version = "7.2.22";
    machine.address = "10.0.2.4";
  }
  ~SnapshotTest() override { sys::remove_tree(dir); }

  void put(const std::string& name, const std::string& content) {
    sys::remove_file(dir + "/" + name);
    Fd fd = sys::open_file(dir + "/" + name, O_CREAT | O_WRONLY, 0644);
    sys::write_all(fd.get(), content);
  }
  std::string verified() {
    try {
      verify_snapshot(dir, read_manifest(dir), {"memory"});
    } catch (const Error& e) {
      return e.message();
    }
    return "whole";
  }

  std::string dir;
  SavedMachine machine;
};

} // namespace

TEST_F(SnapshotTest, WhatWasSealedIsReadAgainAndAnyChangeIsSeen) {
  put("memory", "abc");
  put("root.img", std::string(70'000, '\0') + "x");
  Manifest sealed = seal_snapshot(dir, machine);
  EXPECT_EQ(read_manifest(dir), sealed);
  EXPECT_EQ(sealed.machine, machine);
  EXPECT_EQ(sealed.files[0], (SavedFile{"memory", 3, archive::sha256_of_data(dir + "/memory")}));
  EXPECT_EQ(sys::find_info(dir + "/memory")->mode, mode_t{0600});
  EXPECT_EQ(verified(), "whole");
  put("memory", "abd");
  EXPECT_EQ(verified(), "'" + dir + "/memory' is damaged: it is not what was saved");
  put("memory", "abcd");
  EXPECT_EQ(verified(), "'" + dir + "/memory' is damaged: it is not what was saved");
  put("memory", "abc");
  sys::remove_file(dir + "/root.img");
  EXPECT_EQ(verified(), "'" + dir + "/root.img' is not there");
}

// The first form had the digests that sha256sum gives.
TEST_F(SnapshotTest, OneOfTheFirstFormIsVerifiedAsItWasMade) {
  put("memory", "abc");
  put("root.img", std::string(70'000, '\0') + "x");
  seal_snapshot(dir, machine);
  std::string text = sys::read_file(dir + "/manifest.json");
  auto replace = [&](const std::string& from, const std::string& to) {
    size_t at = text.find(from);
    ASSERT_NE(at, text.npos) << from;
    text.replace(at, from.size(), to);
  };
  replace("\"v\": 2", "\"v\": 1");
  for (const char* name : {"memory", "root.img"}) {
    replace("data_sha256", "sha256");
    replace(archive::sha256_of_data(dir + "/" + name), archive::sha256_file(dir + "/" + name));
  }
  put("manifest.json", text);
  EXPECT_EQ(verified(), "whole");
  EXPECT_EQ(read_manifest(dir).files[0].sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  put("memory", "abd");
  EXPECT_EQ(verified(), "'" + dir + "/memory' is damaged: it is not what was saved");
}

TEST_F(SnapshotTest, ZerosOfAWholeMemoryTakeNoRoom) {
  put("memory", std::string((1 << 20) - 1, '\0') + "x");
  put("other", std::string(1 << 19, '\0'));
  Manifest sealed = seal_snapshot(dir, machine);
  EXPECT_LE(sys::find_info(dir + "/memory")->allocated, 1 << 16);
  EXPECT_EQ(sealed.files[0].size, 1 << 20);
  EXPECT_EQ(verified(), "whole");
  EXPECT_EQ(sys::list_dir(dir), (std::vector<std::string>{"manifest.json", "memory", "other"}));
}

TEST_F(SnapshotTest, ADiskAsLargeAsTheMemoryStaysTheFileThatItIs) {
  put("memory", "abc");
  put("root.img", std::string(1 << 20, '\0'));
  auto before = sys::find_info(dir + "/root.img");
  seal_snapshot(dir, machine);
  EXPECT_EQ(sys::find_info(dir + "/root.img")->ino, before->ino); // it may share what it has
}

TEST_F(SnapshotTest, ASnapshotLeadsNowhereElseAndHasWhatItMustHave) {
  put("memory", "abc");
  put("root.img", "def");
  Manifest sealed = seal_snapshot(dir, machine);
  EXPECT_NO_THROW(verify_snapshot(dir, sealed, {"memory", "root.img"}));
  std::string missing = "nothing";
  try {
    verify_snapshot(dir, sealed, {"memory", "root.img", "work.img"});
  } catch (const Error& e) {
    missing = e.message();
  }
  EXPECT_EQ(missing, "the snapshot in '" + dir + "' has no 'work.img'");
  const std::string good = sys::read_file(dir + "/manifest.json");
  auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    put("manifest.json", text);
    return verified();
  };
  const std::string damaged = "cannot use the snapshot in '" + dir + "': its manifest is damaged";
  for (const char* name : {"../root.img", "/etc/passwd", "a/b", "..", ".", ""})
    EXPECT_EQ(with("\"root.img\"", fmt::format("\"{}\"", name)),
              fmt::format("{}: it names '{}'", damaged, name));
  for (const char* cpus : {"0", "-1", "99999999999", "1e300", "null", "1.5"})
    EXPECT_EQ(with("\"cpus\": 1", fmt::format("\"cpus\": {}", cpus)).find(damaged + ": its cpus"),
              0u);
  EXPECT_EQ(with("\"data_sha256\"", "\"sha256\""), damaged);
  EXPECT_EQ(with("\"name\"", "\"nam\""), damaged);
  EXPECT_EQ(with("\"name\"", "\"name\": 1, \"nam\""), damaged);
  EXPECT_EQ(with("\"qemu\"", "\"quemu\"").find(damaged + ": invalid"), 0u);
}

TEST_F(SnapshotTest, AManifestThatIsNoneIsRefusedInWords) {
  put("memory", "abc");
  seal_snapshot(dir, machine);
  const std::string good = sys::read_file(dir + "/manifest.json");
  for (const std::string& bad :
       {std::string(), std::string("{}"), std::string("[]"), std::string("7"),
        good.substr(0, good.size() / 2), std::string("\0\0", 2), std::string("{\"v\":\"1\"}")}) {
    put("manifest.json", bad);
    EXPECT_EQ(verified().find("cannot use the snapshot in '" + dir + "': its manifest is damaged"),
              0u)
        << bad;
  }
  std::string other = good;
  other.replace(other.find("\"tcg\""), 5, "\"abc\"");
  put("manifest.json", other);
  EXPECT_EQ(verified().find("cannot use the snapshot in"), 0u);
  put("manifest.json", "{\"v\":99}");
  EXPECT_EQ(verified(), "cannot use the snapshot in '" + dir + "': it was made by a newer banger");
}

} // namespace banger::disk
