#include "ops/dns/resolver_plan.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace banger::ops {
namespace {

const Endpoint listen{{0x7f000001}, 42069};

std::string path_of(const HostFacts& facts) {
  return plan_resolver(facts, listen, "vm").files.front().path;
}

HostFacts with_resolved(int version) {
  HostFacts facts;
  facts.name_server = "127.0.0.53";
  facts.resolved_version = version;
  facts.resolved_has_port = true;
  return facts;
}

HostFacts with_dnsmasq(const std::string& dir) {
  HostFacts facts;
  facts.name_server = "127.0.0.1";
  facts.dnsmasq_has_port = true;
  facts.dnsmasq_dir = dir;
  return facts;
}

TEST(ResolverPlan, OfResolvedGoesByItsVersion) {
  EXPECT_EQ(path_of(with_resolved(258)), "/etc/systemd/dns-delegate.d/banger.dns-delegate");
  EXPECT_EQ(path_of(with_resolved(257)), "/etc/systemd/system/banger-dns-link.service");
  EXPECT_THROW(path_of(with_resolved(245)), Error);
  HostFacts by_nss = with_resolved(260);
  by_nss.resolved_has_port = false;
  by_nss.name_server = "192.0.2.1";
  EXPECT_THROW(path_of(by_nss), Error); // it runs, and nobody asks it
  by_nss.nss_resolve = true;
  EXPECT_EQ(path_of(by_nss), "/etc/systemd/dns-delegate.d/banger.dns-delegate");
}

TEST(ResolverPlan, OfResolvedIsAskedForTheZoneAlone) {
  std::string delegate = plan_resolver(with_resolved(258), listen, "lab.vm").files[0].content;
  EXPECT_NE(delegate.find("\nDNS=127.0.0.1:42069\nDomains=~lab.vm\n"), std::string::npos);
  EXPECT_EQ(delegate.find("DefaultRoute"), std::string::npos); // off, as it is by itself
  std::string unit = plan_resolver(with_resolved(252), listen, "lab.vm").files[0].content;
  EXPECT_NE(unit.find("resolvectl domain banger-dns ~lab.vm\n"), std::string::npos);
  EXPECT_NE(unit.find("resolvectl default-route banger-dns no\n"), std::string::npos);
}

TEST(ResolverPlan, KeepsTheLinkFromNetworkManager) {
  HostFacts facts = with_resolved(252);
  EXPECT_EQ(plan_resolver(facts, listen, "vm").files.size(), 1u);
  facts.has_network_manager = true;
  auto plan = plan_resolver(facts, listen, "vm");
  ASSERT_EQ(plan.files.size(), 2u);
  EXPECT_EQ(plan.files[1].path, "/etc/NetworkManager/conf.d/banger-dns.conf");
  EXPECT_EQ(plan.put_in.front(), (Words{"systemctl", "reload", "NetworkManager.service"}));
}

TEST(ResolverPlan, OfDnsmasqLiesWhereItReads) {
  EXPECT_EQ(path_of(with_dnsmasq("/srv/d")), "/srv/d/banger.conf");
  EXPECT_THROW(path_of(with_dnsmasq("")), Error);
  HostFacts facts = with_dnsmasq("");
  facts.by_network_manager = true;
  EXPECT_EQ(path_of(facts), "/etc/NetworkManager/dnsmasq.d/banger.conf");
  EXPECT_EQ(plan_resolver(with_dnsmasq("/d"), listen, "vm").files[0].content,
            std::string(our_mark) + "\nserver=/vm/127.0.0.1#42069\nrebind-domain-ok=/vm/\n");
}

TEST(ResolverPlan, IsNoneForWhoCannotBeTold) {
  HostFacts facts;
  facts.name_server = "192.0.2.1";
  EXPECT_THROW(path_of(facts), Error);
  facts.other_has_port = true;
  facts.other = "unbound (process 7)";
  try {
    path_of(facts);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::preflight);
    EXPECT_NE(e.message().find("unbound (process 7)"), std::string::npos);
  }
  EXPECT_THROW(path_of({}), Error);
}

TEST(ResolverPlan, TakesOutWhateverWasPutIn) {
  HostFacts facts = with_dnsmasq("/srv/d");
  std::vector<std::string> paths;
  for (const auto& plan : all_plans(facts, listen, "vm"))
    for (const auto& file : plan.files) {
      paths.push_back(file.path);
      EXPECT_TRUE(file.content.starts_with(our_mark)) << file.path;
    }
  for (const char* path :
       {"/etc/systemd/dns-delegate.d/banger.dns-delegate",
        "/etc/systemd/system/banger-dns-link.service", "/etc/NetworkManager/conf.d/banger-dns.conf",
        "/etc/NetworkManager/dnsmasq.d/banger.conf", "/etc/dnsmasq.d/banger.conf",
        "/srv/d/banger.conf"})
    EXPECT_EQ(std::count(paths.begin(), paths.end(), path), 1) << path;
}

TEST(Dnsmasq, ReadsTheDirectoryOfItsCommandLineOrConfig) {
  EXPECT_EQ(dnsmasq_dir_of({"dnsmasq", "-x", "pid", "-7", "/etc/d,.dpkg-dist"}, ""), "/etc/d");
  EXPECT_EQ(dnsmasq_dir_of({"dnsmasq", "-7/etc/d"}, ""), "/etc/d");
  EXPECT_EQ(dnsmasq_dir_of({"dnsmasq", "--conf-dir=/etc/d/,*.conf"}, "conf-dir=/other"), "/etc/d");
  EXPECT_EQ(dnsmasq_dir_of({"dnsmasq"}, "#conf-dir=/no\n conf-dir = /etc/d # all\n"), "/etc/d");
  EXPECT_EQ(dnsmasq_dir_of({"dnsmasq", "-7"}, "port=53"), "");
  EXPECT_EQ(dnsmasq_config_of({"dnsmasq", "-C", "/a"}), "/a");
  EXPECT_EQ(dnsmasq_config_of({"dnsmasq", "--conf-file=/a"}), "/a");
  EXPECT_EQ(dnsmasq_config_of({"dnsmasq"}), "/etc/dnsmasq.conf");
}

TEST(HostFacts, AreReadFromItsFiles) {
  EXPECT_EQ(name_server_of(
                "# nameserver 1.1.1.1\nsearch x\n nameserver\t127.0.0.53 \nnameserver 9.9.9.9"),
            "127.0.0.53");
  EXPECT_EQ(name_server_of("nameserver\n"), "");
  EXPECT_TRUE(asks_resolved("passwd: files\nhosts:\tfiles resolve [!UNAVAIL=return] dns\n"));
  EXPECT_FALSE(asks_resolved("hosts: files dns # resolve\npasswd: resolve\n"));
}

} // namespace
} // namespace banger::ops
