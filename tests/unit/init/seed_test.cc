#include "init/seed.h"

#include <arpa/inet.h>
#include <string>

#include <gtest/gtest.h>

#include "guest/identity/seed.h"

namespace banger::init {
namespace {

TEST(InitSeed, AllKeys) {
  Seed seed;
  EXPECT_EQ(parse_seed("hostname=demo\naddress=10.0.2.15\nprefix=16\ngateway=10.0.2.2\n"
                       "dns=10.0.2.3\nmac=52:54:00:AB:cd:ef\ndisk=overlay\nroot=/dev/vdc\n"
                       "upper=/dev/vdd\ninit=/bin/sh\n",
                       seed),
            nullptr);
  EXPECT_STREQ(seed.hostname, "demo");
  EXPECT_EQ(seed.address, inet_addr("10.0.2.15"));
  EXPECT_EQ(seed.prefix, 16);
  EXPECT_EQ(seed.gateway, inet_addr("10.0.2.2"));
  EXPECT_STREQ(seed.mac, "52:54:00:ab:cd:ef") << "as /sys writes it";
  EXPECT_TRUE(seed.overlay);
  EXPECT_STREQ(seed.root, "/dev/vdc");
  EXPECT_STREQ(seed.upper, "/dev/vdd");
  EXPECT_STREQ(seed.init, "/bin/sh");
}

TEST(InitSeed, Defaults) {
  Seed seed;
  EXPECT_EQ(parse_seed("", seed), nullptr);
  EXPECT_EQ(seed.address, 0u);
  EXPECT_FALSE(seed.overlay);
  EXPECT_STREQ(seed.root, "/dev/vda");
  EXPECT_STREQ(seed.upper, "/dev/vdb");
  EXPECT_STREQ(seed.init, "");
}

TEST(InitSeed, UnknownKeysAndStrayLinesAreIgnored) {
  Seed seed;
  EXPECT_EQ(parse_seed("later=1\nno equals\n\n=\nhostname=a=b\nhostname=last", seed), nullptr);
  EXPECT_STREQ(seed.hostname, "last") << "a last line needs no newline; the last of a key counts";
}

TEST(InitSeed, UnusableValuesNameTheirKey) {
  std::string long_name(65, 'a');
  std::pair<std::string, const char*> cases[] = {{"hostname=" + long_name, "hostname"},
                                                 {std::string("hostname=a\0b", 12), "hostname"},
                                                 {"address=10.0.2", "address"},
                                                 {"address=", "address"},
                                                 {"address=10.0.2.15.16.17.18.19", "address"},
                                                 {"gateway=none", "gateway"},
                                                 {"prefix=33", "prefix"},
                                                 {"prefix=-1", "prefix"},
                                                 {"prefix=", "prefix"},
                                                 {"prefix=00024", "prefix"},
                                                 {"mac=52:54:00:ab:cd", "mac"},
                                                 {"mac=52:54:00:ab:cd:eg", "mac"},
                                                 {"mac=52-54-00-ab-cd-ef", "mac"},
                                                 {"disk=direct ", "disk"},
                                                 {"root=vda", "root"},
                                                 {"root=/" + long_name, "root"},
                                                 {"upper=", "upper"},
                                                 {"init=sh", "init"}};
  for (const auto& [text, key] : cases) {
    Seed seed;
    EXPECT_STREQ(parse_seed(text, seed), key) << text;
  }
}

TEST(InitSeed, ReadsWhatTheWriterWrites) {
  guest::Seed written;
  written.hostname = "demo";
  written.address = "10.0.2.15";
  written.gateway = "10.0.2.2";
  written.dns = "10.0.2.3";
  written.mac = "52:54:00:12:34:56";
  written.disk = guest::DiskMode::overlay;
  written.upper = "/dev/vdb";
  std::string archive = guest::seed_archive(written);
  size_t begin = archive.find("hostname="), end = archive.find('\0', begin);
  ASSERT_NE(begin, archive.npos);
  Seed seed;
  EXPECT_EQ(parse_seed(std::string_view(archive).substr(begin, end - begin), seed), nullptr);
  EXPECT_STREQ(seed.hostname, "demo");
  EXPECT_EQ(seed.address, inet_addr("10.0.2.15"));
  EXPECT_STREQ(seed.mac, "52:54:00:12:34:56");
  EXPECT_TRUE(seed.overlay);
}

TEST(InitModules, LinesAndConditions) {
  std::string_view list = "/a.ko always\n\n/b.ko virtio:19\n/c.ko overlay\n/d.ko\n/e.ko virtio:x";
  Module m;
  ASSERT_TRUE(next_module(list, m));
  EXPECT_EQ(m.path, "/a.ko");
  EXPECT_EQ(m.when, Module::When::always);
  ASSERT_TRUE(next_module(list, m));
  EXPECT_EQ(m.path, "/b.ko");
  EXPECT_EQ(m.when, Module::When::virtio);
  EXPECT_EQ(m.virtio_type, 19u);
  ASSERT_TRUE(next_module(list, m));
  EXPECT_EQ(m.when, Module::When::overlay);
  ASSERT_TRUE(next_module(list, m));
  EXPECT_EQ(m.path, "/d.ko");
  EXPECT_EQ(m.when, Module::When::always);
  ASSERT_TRUE(next_module(list, m));
  EXPECT_EQ(m.when, Module::When::always);
  EXPECT_FALSE(next_module(list, m));
}

} // namespace
} // namespace banger::init
