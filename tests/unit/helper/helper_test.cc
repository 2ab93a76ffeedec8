// What banger-helper is asked, and what it grants; what doctor says of its rights.
#include <gtest/gtest.h>

#include <linux/capability.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "helper/ask.h"
#include "helper/limits.h"
#include "ops/host/helper_support.h"

namespace banger::helper {

namespace {

std::string fault_of(const std::string& text) {
  try {
    parse_limits(text, "helper.toml");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::preflight) << text;
    return e.message();
  }
  return "none";
}

} // namespace

TEST(HelperAsk, AMappedDiskIsReadAsItWasMeant) {
  disk::MapPlan plan{{"ab12", "0123456789ab", "banger-ab12-0123456789ab-root-9"},
                     "/home/anna/state",
                     "ba9876543210"};
  Ask map = parse_ask(to_line({.verb = "map", .tag = "ab12", .disk = plan}));
  EXPECT_EQ(map.verb, "map");
  EXPECT_EQ(map.disk, plan);
  Ask unmap = parse_ask(to_line({.verb = "unmap", .tag = "ab12", .disk = plan}));
  EXPECT_EQ(unmap.disk.mapping, plan.mapping);
  EXPECT_EQ(unmap.disk.state_dir, "") << "what is taken away depends on no path";
}

TEST(HelperLimits, AFileSaysWhatItSaysAndTheRestStays) {
  Limits own;
  EXPECT_EQ(parse_limits("", "x"), (Limits{.from_file = true}));
  Limits l = parse_limits(R"(
[who]
users = ["anna", "1001"]
groups = ["banger"]
requests = 8
[net]
bridges = 2
vms = 20
ports = 0
subnets = ["172.20.0.0/16"]
[disk]
disks = 3
size = "8G"
total = 1073741824
)",
                          "x");
  EXPECT_EQ(l.users, (std::vector<std::string>{"anna", "1001"}));
  EXPECT_EQ(l.groups, (std::vector<std::string>{"banger"}));
  EXPECT_EQ(l.requests, 8u);
  EXPECT_EQ(l.bridge, (net::BridgeLimits{2, 20, 0, {net::parse_range("172.20.0.0/16")}}));
  EXPECT_EQ(l.disk, (disk::MapLimits{3, int64_t{8} << 30, int64_t{1} << 30}));
  EXPECT_EQ(limits_of(to_json(l)), l);
  EXPECT_EQ(limits_of(to_json(own)), own);
}

TEST(HelperLimits, AFileThatCannotBeReadAsAWholeGrantsNothing) {
  for (const auto& [text, fault] : std::initializer_list<std::pair<const char*, const char*>>{
           {"[net\n", "helper.toml:1: "},
           {"\n[net]\nbridgs = 2\n", "helper.toml:3: 'net.bridgs': there is no such key"},
           {"net = 2\n", "helper.toml:1: 'net': there is no such key"},
           {"[nte]\nbridges = 2\n", "helper.toml:1: 'nte': there is no such key"},
           {"bridges = 2\n", "helper.toml:1: 'bridges': there is no such key"},
           {"[net]\nbridges = \"2\"\n", "helper.toml:2: 'net.bridges': it must be a whole number"},
           {"[net]\nbridges = -1\n", "helper.toml:2: 'net.bridges': it must be a whole number"},
           {"[net]\nvms = 5000\n", "helper.toml:2: 'net.vms': it must be a whole number"},
           {"[net]\nsubnets = [\"8.8.0.0/16\"]\n", "helper.toml:2: 'net.subnets': invalid subnet"},
           {"[net]\nsubnets = [\"10.64.0.1/10\"]\n", "helper.toml:2: 'net.subnets': invalid"},
           {"[net]\nsubnets = [\"10.0.0.0/7\"]\n", "helper.toml:2: 'net.subnets': invalid"},
           {"[net]\nsubnets = [\"10.0.0.0\"]\n", "helper.toml:2: 'net.subnets': invalid"},
           {"[net]\nsubnets = []\n", "helper.toml:2: 'net.subnets': it must be a list"},
           {"[disk]\nsize = \"300G\"\n", "helper.toml:2: 'disk.size': it must be 256G at most"},
           {"[disk]\nsize = 1.5\n", "helper.toml:2: 'disk.size': it must be a whole number"},
           {"[who]\nusers = \"anna\"\n", "helper.toml:2: 'who.users': it must be a list"},
           {"[who]\nusers = [1000]\n", "helper.toml:2: 'who.users': it must be a list"},
           {"[who]\nusers = []\n", "helper.toml:2: 'who.users': the list is empty"},
           {"[who]\nrequests = 0\n", "helper.toml:2: 'who.requests': it must be 1 at least"}})
    EXPECT_TRUE(fault_of(text).starts_with(fault)) << text << fault_of(text);
}

TEST(HelperRights, TheCapabilitiesOfAFileAreReadAsTheKernelReadsThem) {
  auto attribute = [](uint32_t magic, uint32_t low, uint32_t high, size_t size = 20) {
    const uint32_t words[] = {magic, low, 0, high, 0, 0};
    return std::string(reinterpret_cast<const char*>(words), size);
  };
  constexpr uint32_t v2 = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
  EXPECT_EQ(ops::file_capabilities(attribute(v2, 1u << CAP_NET_ADMIN, 1)),
            (uint64_t{1} << 32) + (1u << CAP_NET_ADMIN));
  EXPECT_FALSE(ops::file_capabilities(attribute(VFS_CAP_REVISION_2, ~0u, ~0u))) << "not in effect";
  EXPECT_FALSE(ops::file_capabilities(attribute(VFS_CAP_REVISION_1, ~0u, 0, 12)));
  EXPECT_FALSE(ops::file_capabilities(""));
  EXPECT_TRUE(ops::missing_capabilities(~uint64_t{0}).empty());
  EXPECT_EQ(ops::missing_capabilities(~(uint64_t{1} << CAP_LEASE)),
            (std::vector<std::string>{"cap_lease"}));
  EXPECT_GT(ops::missing_capabilities(1u << CAP_NET_ADMIN).size(), 8u);
}

} // namespace banger::helper
