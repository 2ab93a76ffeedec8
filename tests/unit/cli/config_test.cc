#include "cli/config.h"

#include <map>

#include <gtest/gtest.h>

#include "core/error.h"

namespace banger::cli {
namespace {

const std::string path = "/etc/banger/config.toml";

Settings read(std::string_view text) {
  Settings s;
  apply_config_file(s, text, path);
  return s;
}

Error refusal(std::string_view text) {
  try {
    read(text);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::usage) << e.message();
    return e;
  }
  ADD_FAILURE() << "nothing was thrown for: " << text;
  return Error(Code::failed, "nothing");
}

Environment environment(std::map<std::string, std::string> values) {
  return [values](const std::string& name) -> std::optional<std::string> {
    auto it = values.find(name);
    if (it == values.end() || it->second.empty()) return std::nullopt;
    return it->second;
  };
}

TEST(ConfigFile, EveryKeyIsTaken) {
  Settings s = read(R"(
runtime_dir = "/opt/bundle"
log.level = "debug"
[vm]
image = "debian"
cpus = 4
memory = "2G"
vmm = "qemu"
accel = "tcg"
root = "overlay"
stop_timeout = "5s"
memory_limit = "3G"
ready_timeout = 90
[net]
mode = "isolated"
subnet = "10.1.0.0/16"
isolated_outbound = true
host_access = true
[dns]
listen = "127.0.0.2:5300"
zone = "lab.vm"
ttl = 5
[qemu]
binary = "qemu"
[firecracker]
binary = "fc"
)");
  EXPECT_EQ(s.runtime_dir, "/opt/bundle");
  EXPECT_EQ(s.log_level, Level::debug);
  EXPECT_EQ(s.vm_image, "debian");
  EXPECT_EQ(s.vm_cpus, 4);
  EXPECT_EQ(s.vm_memory, int64_t{2} << 30);
  EXPECT_EQ(s.vm_vmm, VmmKind::qemu);
  EXPECT_EQ(s.vm_accel, Accel::tcg);
  EXPECT_EQ(s.vm_root, RootWay::overlay);
  EXPECT_EQ(s.vm_stop_timeout, Millis(5'000));
  EXPECT_EQ(s.vm_memory_limit, int64_t{3} << 30);
  EXPECT_EQ(s.vm_ready_timeout, Millis(90'000));
  EXPECT_EQ(s.net_mode, NetMode::isolated);
  EXPECT_EQ(s.net_subnet.text(), "10.1.0.0/16");
  EXPECT_TRUE(s.net_isolated_outbound);
  EXPECT_TRUE(s.net_host_access);
  EXPECT_EQ(to_text(s.dns_listen), "127.0.0.2:5300");
  EXPECT_EQ(s.dns_zone, "lab.vm");
  EXPECT_EQ(s.dns_ttl, std::chrono::seconds(5));
  EXPECT_EQ(s.qemu_binary, "qemu");
  EXPECT_EQ(s.firecracker_binary, "fc");
}

TEST(ConfigFile, EmptyChangesNothingAndAutoIsNoChoice) {
  EXPECT_EQ(read("").vm_memory, Settings().vm_memory);
  EXPECT_EQ(read("vm.vmm = \"firecracker\"").vm_vmm, VmmKind::firecracker);
  EXPECT_EQ(read("vm.vmm = \"auto\"\nnet.mode = \"auto\"").vm_vmm, std::nullopt);
  EXPECT_EQ(read("vm.memory = 1048576").vm_memory, 1048576);
}

TEST(ConfigFile, AnUnknownKeyIsNamedWithItsLine) {
  Error e = refusal("\n[vm]\ncpu = 2\n");
  EXPECT_EQ(e.message(), "/etc/banger/config.toml:3: unknown key 'vm.cpu'");
  EXPECT_EQ(e.hint(), "did you mean 'vm.cpus'?");
  EXPECT_EQ(e.subject(), "vm.cpu");
  EXPECT_EQ(refusal("[vmm]\nx = 1").message(), "/etc/banger/config.toml:1: unknown key 'vmm'");
  EXPECT_EQ(refusal("[vm.cpus]\nx = 1").message(),
            "/etc/banger/config.toml:1: invalid value of 'vm.cpus': it must be a whole number");
  EXPECT_EQ(refusal("zzzzzz = 1").hint(), "'man banger-config' lists the keys");
  EXPECT_EQ(refusal("cpus = 1").code(), Code::usage); // a key of no section
  EXPECT_EQ(refusal("\"vm.cpus\" = 1").code(), Code::usage);
}

TEST(ConfigFile, ASectionIsNoValue) {
  Error e = refusal("vm = 3");
  EXPECT_EQ(e.message(), "/etc/banger/config.toml:1: unknown key 'vm'");
  EXPECT_EQ(e.hint(), "'vm' is a section: write [vm]");
}

TEST(ConfigFile, WrongTypesAreNamedWithTheirLine) {
  EXPECT_EQ(refusal("\nvm.cpus = \"2\"").message(),
            "/etc/banger/config.toml:2: invalid value of 'vm.cpus': it must be a whole number");
  for (const char* text :
       {"vm.cpus = 1.5", "vm.cpus = true", "vm.cpus = [1]", "vm.memory = 1.5", "vm.memory = true",
        "vm.image = 3", "vm.image = [\"a\"]", "net.isolated_outbound = \"true\"",
        "net.isolated_outbound = 1", "vm.stop_timeout = 10.5", "vm.image = 2026-01-31",
        "runtime_dir = { a = 1 }"})
    EXPECT_NE(refusal(text).message().find("config.toml:1: invalid value of '"), std::string::npos)
        << text;
}

TEST(ConfigFile, WrongValuesAreNamedWithTheirLine) {
  EXPECT_EQ(refusal("[vm]\nmemory = \"99999T\"").message(),
            "/etc/banger/config.toml:2: invalid vm.memory '99999T': more than 16T");
  EXPECT_EQ(
      refusal("[vm]\nvmm = \"xen\"").message(),
      "/etc/banger/config.toml:2: invalid vm.vmm 'xen': it is one of auto, qemu, firecracker");
  for (const char* text : {"vm.cpus = 0",
                           "vm.cpus = -1",
                           "vm.cpus = 256",
                           "vm.memory = 0",
                           "vm.memory = -1",
                           "vm.memory = \"0\"",
                           "vm.memory = \"\"",
                           "vm.root = \"\"",
                           "vm.accel = \"KVM\"",
                           "vm.stop_timeout = -1",
                           "vm.stop_timeout = \"soon\"",
                           "log.level = \"loud\"",
                           "net.mode = \"nat\"",
                           "net.subnet = \"10.0.2.0\"",
                           "net.subnet = \"10.0.2/24\"",
                           "net.subnet = \"10.0.2.0/33\"",
                           "net.subnet = \"10.0.2.0/24/1\"",
                           "net.subnet = \"10.0.2.0/26\"",
                           "net.subnet = \"10.0.2.1/24\"",
                           "net.subnet = \"127.0.0.0/24\"",
                           "net.mode = \"vlan\"",
                           "dns.zone = \"\"",
                           "dns.zone = \"a..b\"",
                           "dns.zone = \"10.0\"",
                           "dns.listen = \"127.0.0.1\"",
                           "dns.listen = \"127.0.0.1:0\"",
                           "dns.listen = \"127.0.0.1:65536\"",
                           "dns.listen = \"localhost:53\"",
                           "dns.listen = \"[::1]:53\"",
                           "dns.listen = \"\"",
                           "dns.ttl = 6",
                           "dns.ttl = \"500ms\"",
                           "dns.ttl = -1",
                           "runtime_dir = \"\"",
                           "qemu.binary = \"\"",
                           "firecracker.binary = \"\""})
    EXPECT_TRUE(refusal(text).message().starts_with("/etc/banger/config.toml:1: ")) << text;
}

TEST(ConfigFile, WhatIsNoTomlIsNamedWithItsLine) {
  for (const char* text :
       {"\n[vm", "\nvm.cpus = ", "\n= 3", "\nvm.cpus = 1\nvm.cpus = 2", "\n\xff\xfe", "[.a]",
        "[a.]", "a = !", "\"\" = 1", "\nvm.image = \"open"})
    EXPECT_TRUE(refusal(text).message().starts_with("/etc/banger/config.toml:")) << text;
  EXPECT_TRUE(refusal("\n[vm").message().starts_with("/etc/banger/config.toml:2: "));
  EXPECT_EQ(refusal(std::string(100'000, '[')).code(), Code::usage); // no stack overflow
}

TEST(Config, FlagsBeatEnvironmentBeatDefaults) {
  Dirs dirs;
  dirs.config_file = "/nonexistent/config.toml";
  Common common;
  auto env = environment({{"BANGER_LOG_LEVEL", "warn"}, {"BANGER_VM_CPUS", "3"}});
  Settings s = load_settings(env, common, dirs);
  EXPECT_EQ(s.log_level, Level::warn);
  EXPECT_EQ(s.vm_cpus, 3);
  EXPECT_EQ(s.dns_zone, "vm");
  common.log_level = Level::error;
  EXPECT_EQ(load_settings(env, common, dirs).log_level, Level::error);
}

TEST(Config, AWrongVariableIsNamed) {
  Dirs dirs;
  dirs.config_file = "/nonexistent/config.toml";
  auto message = [&](const char* name, const char* value) {
    try {
      load_settings(environment({{name, value}}), Common{}, dirs);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::usage);
      return e.message();
    }
    return std::string("nothing was thrown");
  };
  EXPECT_EQ(message("BANGER_VM_CPUS", "x"), "invalid BANGER_VM_CPUS 'x': not a whole number");
  EXPECT_EQ(message("BANGER_NET_MODE", "x"),
            "invalid BANGER_NET_MODE 'x': it is one of auto, user, bridge, isolated");
  EXPECT_EQ(message("BANGER_NET_ISOLATED_OUTBOUND", "1"),
            "invalid BANGER_NET_ISOLATED_OUTBOUND '1': it is true or false");
}

TEST(Config, AFileThatWasNamedMustBeThere) {
  Dirs dirs;
  dirs.config_file = "/nonexistent/config.toml";
  Common common;
  common.config = dirs.config_file;
  EXPECT_THROW(load_settings(environment({}), common, dirs), Error);
  EXPECT_THROW(load_settings(environment({{"BANGER_CONFIG", dirs.config_file}}), Common{}, dirs),
               Error);
  EXPECT_NO_THROW(load_settings(environment({}), Common{}, dirs));
}

TEST(Config, NamesOfKeysInTheEnvironment) {
  std::map<std::string, std::string> names;
  for (const ConfigKey& key : config_keys()) names[key.full_name()] = key.environment();
  EXPECT_EQ(names["vm.stop_timeout"], "BANGER_VM_STOP_TIMEOUT");
  EXPECT_EQ(names["runtime_dir"], "BANGER_RUNTIME_DIR");
  EXPECT_EQ(names["dns.zone"], "BANGER_DNS_ZONE");
}

Dirs dirs_of(std::map<std::string, std::string> env, bool root, Common common = {},
             const std::string& exe = "/usr/bin/banger-vm") {
  return find_dirs(environment(std::move(env)), common, exe, root);
}

TEST(Dirs, OfAUser) {
  Dirs d = dirs_of({{"HOME", "/home/u"}}, false);
  EXPECT_EQ(d.state, "/home/u/.local/state/banger");
  EXPECT_EQ(d.config_file, "/home/u/.config/banger/config.toml");
  EXPECT_EQ(d.runtime, d.state + "/run"); // there is no XDG_RUNTIME_DIR
}

TEST(Dirs, OfRoot) {
  Dirs d = dirs_of({{"HOME", "/root"}, {"XDG_RUNTIME_DIR", "/run/user/0"}}, true);
  EXPECT_EQ(d.state, "/var/lib/banger");
  EXPECT_EQ(d.config_file, "/etc/banger/config.toml");
  EXPECT_EQ(d.runtime, "/run/banger");                   // what goes away at logout is not for VMs
  EXPECT_EQ(dirs_of({}, true).state, "/var/lib/banger"); // not even a HOME is needed
}

TEST(Dirs, OfTheEnvironment) {
  std::map<std::string, std::string> env{{"HOME", "/h"},
                                         {"XDG_STATE_HOME", "/s/"},
                                         {"XDG_CONFIG_HOME", "/c"},
                                         {"XDG_RUNTIME_DIR", "/tmp/r"}};
  for (bool root : {false, true}) {
    Dirs d = dirs_of(env, root);
    EXPECT_EQ(d.state, "/s/banger");
    EXPECT_EQ(d.config_file, "/c/banger/config.toml");
    EXPECT_EQ(d.runtime, "/tmp/r/banger");
  }
  env["BANGER_STATE_DIR"] = "/mine/";
  env["BANGER_CONFIG"] = "/c.toml";
  EXPECT_EQ(dirs_of(env, false).state, "/mine");
  EXPECT_EQ(dirs_of(env, false).config_file, "/c.toml");
  Common common;
  common.state_dir = "/flag";
  common.config = "/flag.toml";
  EXPECT_EQ(dirs_of(env, false, common).state, "/flag");
  EXPECT_EQ(dirs_of(env, false, common).config_file, "/flag.toml");
}

TEST(Dirs, RelativeOnesAreTakenFromHereOrIgnoredAsXdgSays) {
  Common common;
  common.state_dir = "mine";
  EXPECT_TRUE(dirs_of({{"HOME", "/h"}}, false, common).state.starts_with("/"));
  EXPECT_TRUE(dirs_of({{"HOME", "/h"}}, false, common).state.ends_with("/mine"));
  EXPECT_EQ(dirs_of({{"HOME", "/h"}, {"XDG_STATE_HOME", "rel"}}, false).state,
            "/h/.local/state/banger");
}

TEST(Dirs, WithoutAHomeAUserIsToldWhatToSet) {
  try {
    dirs_of({}, false);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::preflight);
  }
  Common common;
  common.state_dir = "/s";
  common.config = "/c";
  EXPECT_EQ(dirs_of({}, false, common).state, "/s");
}

TEST(Dirs, OfTheInstalledTreeOrTheBuild) {
  for (const char* exe : {"/opt/b/bin/banger-vm", "/opt/b/libexec/banger/banger-monitor"}) {
    Dirs d = dirs_of({}, true, {}, exe);
    EXPECT_EQ(d.bin, "/opt/b/bin");
    EXPECT_EQ(d.libexec, "/opt/b/libexec/banger");
    EXPECT_EQ(d.share, "/opt/b/share/banger");
  }
  EXPECT_EQ(dirs_of({}, true, {}, "/bin/banger").share, "/share/banger");
}

} // namespace
} // namespace banger::cli
