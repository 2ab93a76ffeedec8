#include "guest/identity/seed.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/error.h"

namespace banger::guest {
namespace {

using namespace std::literals;

struct Entry {
  std::string path;
  unsigned mode, mtime, uid, gid, nlink;
  std::string content;
};

// Reads newc as the kernel does (Documentation/driver-api/early-userspace/buffer-format.rst).
std::vector<Entry> unpack(const std::string& archive) {
  std::vector<Entry> entries;
  size_t at = 0;
  for (;;) {
    EXPECT_EQ(archive.substr(at, 6), "070701");
    if (archive.substr(at, 6) != "070701") return entries;
    auto field = [&](size_t n) {
      return static_cast<unsigned>(std::stoul(archive.substr(at + 6 + 8 * n, 8), nullptr, 16));
    };
    Entry e{{}, field(1), field(5), field(2), field(3), field(4), {}};
    size_t size = field(6), name = field(11);
    e.path = archive.substr(at + 110, name - 1);
    EXPECT_EQ(archive[at + 110 + name - 1], '\0');
    size_t data = (at + 110 + name + 3) / 4 * 4;
    e.content = archive.substr(data, size);
    at = (data + size + 3) / 4 * 4;
    if (e.path == "TRAILER!!!") {
      EXPECT_EQ(at, archive.size());
      return entries;
    }
    entries.push_back(e);
  }
}

Seed demo() {
  Seed seed;
  seed.hostname = "demo";
  seed.address = "10.0.2.15";
  seed.gateway = "10.0.2.2";
  seed.dns = "10.0.2.3";
  seed.mac = "52:54:00:12:34:56";
  return seed;
}

TEST(Seed, ArchiveHoldsTheLinesAndTheFilesWithTheirModes) {
  Seed seed = demo();
  seed.files = {{"etc/hostname", 0644, "demo\n"},
                {"root/.ssh", S_IFDIR | 0700, {}},
                {"root/.ssh/authorized_keys", 0600, "k\0\n"s}};
  auto entries = unpack(seed_archive(seed));
  std::vector<std::pair<std::string, unsigned>> seen;
  for (const auto& e : entries) {
    seen.emplace_back(e.path, e.mode);
    EXPECT_EQ(e.mtime + e.uid + e.gid, 0u) << e.path;
  }
  std::vector<std::pair<std::string, unsigned>> expected{
      {"banger", S_IFDIR | 0755},
      {"banger/seed", S_IFREG | 0600},
      {"banger/files", S_IFDIR | 0755},
      {"banger/files/etc", S_IFDIR | 0755},
      {"banger/files/etc/hostname", S_IFREG | 0644},
      {"banger/files/root", S_IFDIR | 0755},
      {"banger/files/root/.ssh", S_IFDIR | 0700},
      {"banger/files/root/.ssh/authorized_keys", S_IFREG | 0600}};
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(entries[1].content,
            "hostname=demo\naddress=10.0.2.15\nprefix=24\ngateway=10.0.2.2\n"
            "dns=10.0.2.3\nmac=52:54:00:12:34:56\ndisk=direct\nroot=/dev/vda\n");
  EXPECT_EQ(entries[7].content, "k\0\n"s);
}

TEST(Seed, OverlayNamesItsUpperDevice) {
  Seed seed = demo();
  seed.disk = DiskMode::overlay;
  seed.upper = "/dev/vdb";
  seed.gateway.clear();
  seed.dns.clear();
  EXPECT_EQ(unpack(seed_archive(seed))[1].content,
            "hostname=demo\naddress=10.0.2.15\nprefix=24\nmac=52:54:00:12:34:56\ndisk=overlay\n"
            "root=/dev/vda\nupper=/dev/vdb\n");
}

TEST(Seed, IsTheSameEveryTimeAndAlwaysAligned) {
  for (size_t n = 0; n < 9; n++) {
    Seed seed = demo();
    seed.files = {{"f" + std::string(n, 'x'), 0644, std::string(n, 'c')}};
    std::string archive = seed_archive(seed);
    EXPECT_EQ(archive, seed_archive(seed));
    EXPECT_EQ(archive.size() % 4, 0u);
    EXPECT_EQ(unpack(archive).back().content, std::string(n, 'c'));
  }
}

TEST(Seed, PaddingBringsEverySizeToAMultipleOfFour) {
  EXPECT_EQ(padding_for(0), "");
  EXPECT_EQ(padding_for(1), "\0\0\0"s);
  EXPECT_EQ(padding_for(2), "\0\0"s);
  EXPECT_EQ(padding_for(3), "\0"s);
  EXPECT_EQ(padding_for((uint64_t{1} << 40) + 1), "\0\0\0"s);
}

TEST(Seed, RefusesLinesWithinValues) {
  for (auto value : {"a\nroot=/dev/vdb"s, "a\0b"s, "a\rb"s, "\x7f"s}) {
    for (auto member : {&Seed::hostname, &Seed::address, &Seed::gateway, &Seed::dns, &Seed::mac,
                        &Seed::root, &Seed::upper}) {
      Seed seed = demo();
      seed.*member = value;
      EXPECT_THROW(seed_archive(seed), Error);
    }
    Seed seed = demo();
    seed.hostname = value;
    EXPECT_THROW(identity_files(seed, "vm", {}, "ssh-ed25519 A"), Error);
    EXPECT_THROW(identity_files(demo(), value, {}, "ssh-ed25519 A"), Error);
    EXPECT_THROW(identity_files(demo(), "vm", {}, value), Error);
    seed = demo();
    seed.files = {{value, 0644, {}}};
    EXPECT_THROW(seed_archive(seed), Error);
  }
}

TEST(Seed, RefusesPathsThatLeaveTheRootOrComeTwice) {
  for (auto path : {"", "/etc/x", "../x", "etc/../x", "etc//x", "etc/", "./x"}) {
    Seed seed = demo();
    seed.files = {{path, 0644, {}}};
    EXPECT_THROW(seed_archive(seed), Error) << path;
  }
  Seed seed = demo();
  seed.files = {{"x", 0644, {}}, {"x", 0644, {}}};
  EXPECT_THROW(seed_archive(seed), Error);
}

TEST(Seed, IdentityFiles) {
  KeyPair key;
  key.secret.fill(1);
  key.open.fill(2);
  auto files = identity_files(demo(), "vm", key, "ssh-ed25519 AAAA banger\n");
  auto find = [&](std::string_view path) {
    for (const auto& f : files)
      if (f.path == path) return f;
    return SeedFile{};
  };
  EXPECT_EQ(find("etc/hostname"), (SeedFile{"etc/hostname", 0644, "demo\n"}));
  EXPECT_EQ(find("etc/hosts").content, "127.0.0.1 localhost\n10.0.2.15 demo.vm demo\n"
                                       "::1 localhost ip6-localhost ip6-loopback\n");
  EXPECT_EQ(find("etc/resolv.conf").content, "search vm\nnameserver 10.0.2.3\n");
  EXPECT_EQ(find("etc/ssh/ssh_host_ed25519_key").mode, 0600u);
  EXPECT_EQ(parse_openssh_private(find("etc/ssh/ssh_host_ed25519_key").content), key);
  EXPECT_EQ(parse_public_line(find("etc/ssh/ssh_host_ed25519_key.pub").content), public_blob(key));
  EXPECT_EQ(find("etc/dropbear/dropbear_ed25519_host_key"),
            (SeedFile{"etc/dropbear/dropbear_ed25519_host_key", 0600, dropbear_private(key)}));
  EXPECT_EQ(find("root/.ssh/authorized_keys"),
            (SeedFile{"root/.ssh/authorized_keys", 0600, "ssh-ed25519 AAAA banger\n"}));
  Seed seed = demo();
  seed.files = files;
  EXPECT_NO_THROW(seed_archive(seed));
}

} // namespace
} // namespace banger::guest
