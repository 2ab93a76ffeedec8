#include <algorithm>

#include <gtest/gtest.h>

#include "vmm/qemu.h"

namespace banger::vmm {

namespace {

Machine small() {
  Machine m;
  m.name = "demo";
  m.accel = Accel::tcg;
  m.cpus = 2;
  m.memory = int64_t{128} << 20;
  m.command_line = kernel_command_line(Accel::tcg, 2'445'000);
  m.disks = {{root_file, false}};
  m.mac = "52:54:00:01:02:03";
  m.net = UserNet{"10.0.2.0/24", "10.0.2.2", "10.0.2.3",
                  "10.0.2.15",   true,       {{"tcp", "127.9.9.1", 2222, 22}}};
  return m;
}

// The words after each `option`, of which QEMU may follow the last alone.
std::vector<std::string> values_of(const sys::Command& c, const std::string& option) {
  std::vector<std::string> values;
  for (size_t i = 0; i + 1 < c.argv.size(); i++)
    if (c.argv[i] == option) values.push_back(c.argv[i + 1]);
  return values;
}

// The word after `option`, which is given once.
std::string value_of(const sys::Command& c, const std::string& option) {
  auto values = values_of(c, option);
  EXPECT_EQ(values.size(), 1u) << option;
  return values.empty() ? "" : values[0];
}

} // namespace

TEST(Qemu, OneThatGoesOnFromItsMemoryWaitsForIt) {
  Machine m = small();
  EXPECT_TRUE(values_of(make_qemu("qemu")->launch(m).command, "-incoming").empty());
  m.saved = "/snapshot";
  EXPECT_EQ(value_of(make_qemu("qemu")->launch(m).command, "-incoming"), "defer");
}

TEST(Qemu, MakesNoVsock) {
  Machine m = small();
  m.vsock.emplace();
  EXPECT_THROW(make_qemu("qemu")->launch(m), Error);
}

TEST(Qemu, ADiskIsLimitedWithASecondsWorthAtOnce) {
  Machine m = small();
  m.disks.push_back({work_file, false, {}, {1 << 20, 500}});
  auto drives = values_of(make_qemu("qemu")->launch(m).command, "-drive");
  ASSERT_EQ(drives.size(), 2u);
  EXPECT_EQ(drives[0].find("throttling"), std::string::npos);
  EXPECT_TRUE(drives[1].ends_with(",throttling.bps-total=1048576,throttling.bps-total-max=1048576,"
                                  "throttling.iops-total=500,throttling.iops-total-max=500"))
      << drives[1];
}

TEST(Qemu, EveryFileIsANameInTheRuntimeDirectory) {
  Launch l = make_qemu("qemu")->launch(small());
  for (const std::string& word : l.command.argv)
    EXPECT_EQ(word.find("/"), word.find("10.0.2.0/24") == std::string::npos
                                  ? std::string::npos
                                  : word.find("10.0.2.0/24") + 8)
        << word;
  EXPECT_EQ(l.handed, (std::vector<std::string>{"qmp.sock", "console.sock"}));
  EXPECT_TRUE(l.made.empty());
  EXPECT_EQ(l.serial, (SerialLine{SerialLine::Kind::own_file, "console.sock"}));
}

TEST(Qemu, AccelerationDecidesTheProcessor) {
  Machine m = small();
  EXPECT_EQ(value_of(make_qemu("qemu")->launch(m).command, "-cpu"),
            "max,la57=off,erms=off,fsrm=off");
  m.accel = Accel::kvm;
  EXPECT_EQ(value_of(make_qemu("qemu")->launch(m).command, "-accel"), "kvm");
  EXPECT_EQ(value_of(make_qemu("qemu")->launch(m).command, "-cpu"), "host");
}

TEST(Qemu, AGuestRebootsByATripleFault) {
  Machine m = small();
  EXPECT_EQ(value_of(make_qemu("qemu")->launch(m).command, "-append"),
            m.command_line + " reboot=t");
}

TEST(Qemu, AnIsolatedGuestReachesNothingAndIsReachedAtItsPorts) {
  std::string net = value_of(make_qemu("qemu")->launch(small()).command, "-netdev");
  EXPECT_NE(net.find(",restrict=on"), std::string::npos);
  EXPECT_NE(net.find(",hostfwd=tcp:127.9.9.1:2222-10.0.2.15:22"), std::string::npos);
}

TEST(Qemu, ACommaInANameEndsNoOption) {
  Machine m = small();
  m.name = "a,debug-threads=on";
  EXPECT_EQ(value_of(make_qemu("qemu")->launch(m).command, "-name"), "a,,debug-threads=on");
}

TEST(Machine, TheClockIsToldToTheKernelUnderEmulationAlone) {
  EXPECT_NE(kernel_command_line(Accel::tcg, 2'445'000).find("tsc_early_khz=2445000"),
            std::string::npos);
  EXPECT_TRUE(kernel_command_line(Accel::tcg, 2'445'000)
                  .ends_with(" tsc=reliable cryptomgr.notests noreplace-smp"));
  EXPECT_EQ(kernel_command_line(Accel::kvm, 0).find("tsc"), std::string::npos);
}

TEST(Machine, TheMacFollowsTheId) { EXPECT_EQ(mac_of("0a1b2c3d4e5f"), "52:54:00:0a:1b:2c"); }

TEST(Qemu, ATapIsOpenedByNameInTheNamespaceThatItIsStartedIn) {
  Machine m = small();
  m.net = TapNet{"bngab12-3"};
  Launch launch = make_qemu("qemu")->launch(m);
  const sys::Command& c = launch.command;
  EXPECT_EQ(value_of(c, "-netdev"), "tap,id=n0,ifname=bngab12-3,script=no,downscript=no,vhost=off");
  for (const std::string& device : values_of(c, "-device"))
    EXPECT_EQ(device.find("host_mtu"), std::string::npos) << device;
  sys::Command inside = step_into({"/x/banger-enter", 10, 11}, launch, "/r", 5);
  EXPECT_EQ(
      std::vector<std::string>(inside.argv.begin(), inside.argv.begin() + 7),
      (std::vector<std::string>{"/x/banger-enter", "--net", "5", "--user", "6", "--", "qemu"}));
  inside = step_into({"/x/banger-enter", 10, -1}, launch, "/r", 5);
  EXPECT_EQ(inside.argv[3], "--");
  inside = step_into({"/x/banger-enter"}, launch, "/r", 5);
  EXPECT_EQ(inside.argv[1], "--");
}

// The directory, in which an earlier VMM may have put anything, is only there to be read.
TEST(Qemu, WhatItReachesIsWhatTheMachineSaysAndNoNameInItsDirectory) {
  Machine m = small();
  m.disks = {{root_file, true, "/dev/zero"}, {upper_file, false, "/proc/self/status"}};
  m.kernel = "/proc/self/maps";
  Inside where{"/x/banger-enter"};
  where.confined = true;
  where.saving = "/s/saving";
  where.cell = "/real/r";
  auto words = step_into(where, make_qemu("qemu")->launch(m), "/r", 5).argv;
  // Where others look for it.
  EXPECT_EQ((std::vector<std::string>(words.begin(), words.begin() + 3)),
            (std::vector<std::string>{"/x/banger-enter", "--cell", "/real/r"}));
  auto reaches = [&](const char* use, const char* path) {
    for (size_t i = 0; i + 1 < words.size(); i++)
      if (words[i] == use && words[i + 1] == path) return true;
    return false;
  };
  EXPECT_TRUE(reaches("--read", "/r"));
  EXPECT_TRUE(reaches("--read", "/dev/zero"));
  EXPECT_TRUE(reaches("--write", "/proc/self/status"));
  EXPECT_TRUE(reaches("--read", "/proc/self/maps"));
  EXPECT_EQ(std::ranges::count(words, "--directory"), 0);
  EXPECT_EQ(std::ranges::count_if(words, [](auto& w) { return w.starts_with("/r/"); }), 0);
}

TEST(Qemu, AGuestOnATapIsToldItsMtu) {
  Machine m = small();
  m.net = TapNet{"bngab12-3", 9000};
  std::vector<std::string> argv = make_qemu("qemu")->launch(m).command.argv;
  EXPECT_EQ(std::count(argv.begin(), argv.end(),
                       fmt::format("virtio-net-device,netdev=n0,mac={},host_mtu=9000", m.mac)),
            1);
}

} // namespace banger::vmm
