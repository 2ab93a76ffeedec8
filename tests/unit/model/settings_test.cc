// Settings on their way from one program to another.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "model/settings_json.h"

namespace banger {

TEST(SettingsJson, AllArriveAsTheyWereSent) {
  Settings s;
  EXPECT_TRUE(settings_of(to_json(s)) == s);
  s.runtime_dir = "/a \"b\"";
  s.log_level = Level::debug;
  s.vm_image = "tiny";
  s.vm_cpus = 3;
  s.vm_memory = int64_t{1} << 31;
  s.vm_memory_limit = int64_t{1} << 40;
  s.vm_vmm = VmmKind::firecracker;
  s.vm_accel = Accel::tcg;
  s.vm_root = RootWay::reflink;
  s.vm_confined = false;
  s.vm_stop_timeout = Millis(1);
  s.vm_ready_timeout = Millis(2);
  s.net_mode = NetMode::isolated;
  s.net_subnet = Subnet::parse("10.7.0.0/20");
  s.net_isolated_outbound = s.net_host_access = true;
  s.dns_zone = "lab.example";
  s.dns_listen = {{0x7f000002}, 53};
  s.dns_ttl = std::chrono::seconds(5);
  s.dns_autostart = false;
  s.qemu_binary = "/opt/qemu";
  s.firecracker_binary = "/opt/firecracker";
  // Each differs from its default, and each is there.
  Json sent = to_json(s), defaults = to_json(Settings());
  for (const auto& [key, value] : sent.items()) EXPECT_NE(defaults.at(key), value) << key;
  EXPECT_EQ(to_json(settings_of(Json::parse(sent.dump()))).dump(), sent.dump());
  EXPECT_FALSE(settings_of(sent) == Settings());
}

TEST(SettingsJson, WhatIsMissingHasItsDefault) {
  EXPECT_TRUE(settings_of(Json::object()) == Settings());
  EXPECT_THROW(settings_of({{"vm_cpus", "many"}}), Json::exception);
  EXPECT_THROW(settings_of({{"vm_accel", "steam"}}), Error);
}

} // namespace banger
