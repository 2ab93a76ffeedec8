#include <algorithm>
#include <set>

#include "state_test.h"

namespace banger::state {

namespace {

// Every field differs from its default.
Vm full_vm() {
  Vm v;
  v.id = "0123456789ab";
  v.name = "demo";
  v.image_name = "debian";
  v.state = VmState::running;
  v.reason = "why not";
  v.cpus = 3;
  v.memory = 5'000'000'000;
  v.root_way = RootWay::reflink;
  v.root_size = 7'000'000'000;
  v.net_mode = NetMode::bridge;
  v.address = "10.0.2.15";
  v.gateway = "10.0.2.2";
  v.mac = "52:54:00:12:34:56";
  v.prefix = 16;
  v.host_open = true;
  v.reach = "127.9.9.9";
  v.ssh_port = 2222;
  v.ports = {{"tcp", "127.9.9.9", 8080, 80}, {"udp", "127.9.9.9", 53, 5353}};
  v.want_vmm = VmmKind::qemu;
  v.want_accel = Accel::kvm;
  v.vmm = VmmKind::firecracker;
  v.vmm_version = "1.16.1";
  v.accel = Accel::tcg;
  v.run =
      VmRun{{21, 22, "boot-b"}, {11, 12'000'000'000, "boot-a"}, "/run/x", "/run/x/api.sock", true};
  v.creator = {31, 32, "boot-c"};
  v.remove_when_stopped = true;
  v.labels = {{"job", "42"}, {"empty", ""}, {"text", "it's \"quoted\" = ü"}};
  v.created = {1'000'000'000'000'000'001};
  v.started = {1'000'000'000'000'000'002};
  v.stopped = {1'000'000'000'000'000'003};
  v.timings = {0.1, 0.2, {}, 0.4, {}};
  v.fault = VmFault{"failed", "it broke", "mend it", "/vms/vmm.log"};
  return v;
}

void expect_same(const Vm& a, const Vm& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.image_id, b.image_id);
  EXPECT_EQ(a.image_name, b.image_name);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.cpus, b.cpus);
  EXPECT_EQ(a.memory, b.memory);
  EXPECT_EQ(a.root_way, b.root_way);
  EXPECT_EQ(a.root_size, b.root_size);
  EXPECT_EQ(a.net_mode, b.net_mode);
  EXPECT_EQ(a.address, b.address);
  EXPECT_EQ(a.gateway, b.gateway);
  EXPECT_EQ(a.mac, b.mac);
  EXPECT_EQ(a.prefix, b.prefix);
  EXPECT_EQ(a.host_open, b.host_open);
  EXPECT_EQ(a.reach, b.reach);
  EXPECT_EQ(a.ssh_port, b.ssh_port);
  EXPECT_EQ(a.ports, b.ports);
  EXPECT_EQ(a.want_vmm, b.want_vmm);
  EXPECT_EQ(a.want_accel, b.want_accel);
  EXPECT_EQ(a.vmm, b.vmm);
  EXPECT_EQ(a.vmm_version, b.vmm_version);
  EXPECT_EQ(a.accel, b.accel);
  EXPECT_EQ(a.run, b.run);
  EXPECT_EQ(a.creator, b.creator);
  EXPECT_EQ(a.remove_when_stopped, b.remove_when_stopped);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.created, b.created);
  EXPECT_EQ(a.started, b.started);
  EXPECT_EQ(a.stopped, b.stopped);
  EXPECT_EQ(a.timings, b.timings);
  ASSERT_EQ(a.fault.has_value(), b.fault.has_value());
  if (!a.fault) return;
  EXPECT_EQ(a.fault->code, b.fault->code);
  EXPECT_EQ(a.fault->message, b.fault->message);
  EXPECT_EQ(a.fault->hint, b.fault->hint);
  EXPECT_EQ(a.fault->log, b.fault->log);
}

} // namespace

class VmsTest : public StateTest {};

TEST_F(VmsTest, EveryFieldSurvives) {
  Vm wanted = full_vm();
  {
    State s = open();
    expect_same(wanted, s.add_vm(wanted));
    s.add_vm(vm("plain"));
  }
  State s = open(Mode::read);
  expect_same(wanted, s.get_vm("demo"));
  auto all = s.vms();
  ASSERT_EQ(2u, all.size());
  expect_same(wanted, all[0]);
  EXPECT_EQ("plain", all[1].name);
  EXPECT_TRUE(all[1].labels.empty() && all[1].ports.empty());
  EXPECT_FALSE(all[1].fault || all[1].accel || all[1].run || all[1].timings.ready);
}

TEST_F(VmsTest, ChangeStoresEverything) {
  State s = open();
  s.add_vm(vm("other"));
  Vm first = vm("demo");
  first.id = full_vm().id;
  first.labels = {{"job", "1"}, {"gone", "x"}};
  first.ports = {{"tcp", "127.0.0.1", 1, 1}};
  first.fault = VmFault{"timeout", "m", ""};
  s.add_vm(first);
  Vm wanted = full_vm();
  Vm stored = s.change_vm(first.id, [&](Vm& v) { v = wanted; });
  expect_same(wanted, stored);
  expect_same(wanted, s.get_vm("demo"));
  wanted.fault.reset();
  wanted.accel.reset();
  wanted.run->vmm = {13, 14, "boot-d"};
  s.change_vm(first.id, [&](Vm& v) { v = wanted; });
  expect_same(wanted, s.get_vm("demo"));
  wanted.run.reset();
  wanted.labels.clear();
  wanted.ports.clear();
  s.change_vm(first.id, [&](Vm& v) { v = wanted; });
  expect_same(wanted, s.get_vm("demo"));
  EXPECT_TRUE(s.get_vm("other").labels.empty());
}

TEST_F(VmsTest, ChangeThatThrowsOrTouchesIdentityChangesNothing) {
  State s = open();
  Vm v = s.add_vm(vm("demo"));
  EXPECT_THROW(s.change_vm(v.id,
                           [](Vm& x) {
                             x.cpus = 9;
                             throw failed("no");
                           }),
               Error);
  for (auto change : std::vector<std::function<void(Vm&)>>{[](Vm& x) { x.id = "aaaaaaaaaaaa"; },
                                                           [](Vm& x) { x.name = "other"; }}) {
    Error e = thrown_by([&] { s.change_vm(v.id, change); });
    EXPECT_EQ(Code::failed, e.code());
  }
  expect_same(v, s.get_vm("demo"));
  EXPECT_EQ(Code::not_found, thrown_by([&] { s.change_vm("ffffffffffff", [](Vm&) {}); }).code());
}

TEST_F(VmsTest, ReferenceIsNameThenUniquePrefix) {
  State s = open();
  auto add = [&](const char* id, const char* name) {
    Vm v = vm(name);
    v.id = id;
    s.add_vm(v);
  };
  add("aaaa00000001", "demo");
  add("aaaa00000002", "other");
  add("bbbb00000003", "aaaa0000");
  EXPECT_EQ("demo", s.get_vm("demo").name);
  EXPECT_EQ("demo", s.get_vm("aaaa00000001").name);
  EXPECT_EQ("aaaa0000", s.get_vm("bbbb").name);
  EXPECT_EQ("aaaa0000", s.get_vm("aaaa0000").name) << "a name beats a prefix";
  add("cccc00000004", "aaaa00000002");
  EXPECT_EQ("other", s.get_vm("aaaa00000002").name) << "a whole id beats a name";
  EXPECT_FALSE(s.find_vm("bbb")) << "three digits are no prefix";
  EXPECT_FALSE(s.find_vm("dddd"));
  EXPECT_EQ(Code::usage, thrown_by([&] { s.find_vm("aaaa"); }).code());
  EXPECT_EQ(Code::usage, thrown_by([&] { s.get_vm("aaaa0"); }).code());

  Error e = thrown_by([&] { s.get_vm("dmeo"); });
  EXPECT_EQ(Code::not_found, e.code());
  EXPECT_EQ("no VM 'dmeo'", e.message());
  EXPECT_EQ("dmeo", e.subject());
  EXPECT_EQ("did you mean 'demo'?", e.hint());
  EXPECT_NE("", thrown_by([&] { s.get_vm("nothinglikethis"); }).hint());
  EXPECT_FALSE(s.find_vm("' OR 1=1 --"));
}

TEST_F(VmsTest, NameIsTakenOnce) {
  State s = open();
  Vm v = s.add_vm(vm("demo"));
  Error e = thrown_by([&] { s.add_vm(vm("demo")); });
  EXPECT_EQ(Code::conflict, e.code());
  EXPECT_EQ("demo", e.subject());
  EXPECT_EQ(1u, s.vms().size());
  s.remove_vm(v.id);
  s.add_vm(vm("demo"));
}

TEST_F(VmsTest, RemoveLeavesNothing) {
  State s = open();
  Vm wanted = full_vm();
  s.add_vm(wanted);
  s.remove_vm(wanted.id);
  s.remove_vm(wanted.id);
  EXPECT_TRUE(s.vms().empty());
  Vm bare = vm("demo");
  bare.id = wanted.id;
  s.add_vm(bare);
  Vm again = s.get_vm("demo");
  EXPECT_TRUE(again.labels.empty() && again.ports.empty());
}

TEST_F(VmsTest, ReachIsTheLowestFreeOfTheTagsRange) {
  State s = open();
  auto address = [&](int y, int n) {
    int x = std::stoi(s.tag().substr(0, 2), nullptr, 16);
    int middle = std::stoi(s.tag().substr(2), nullptr, 16);
    return fmt::format("127.{}.{}.{}", x, (middle + y) % 256, n);
  };
  Vm third;
  s.transaction([&] {
    for (int i = 1; i <= 255; ++i) {
      Vm v = s.add_vm(vm(fmt::format("v{}", i)));
      ASSERT_EQ(i < 255 ? address(0, i) : address(1, 1), v.reach);
      if (i == 3) third = v;
    }
  });
  EXPECT_EQ(address(0, 3), s.get_vm("v3").reach);
  s.remove_vm(third.id);
  EXPECT_EQ(address(0, 3), s.add_vm(vm("again")).reach);

  Vm own = vm("own");
  own.reach = "192.168.1.5";
  EXPECT_EQ("192.168.1.5", s.add_vm(own).reach);
  Vm same = vm("same");
  same.reach = "192.168.1.5";
  EXPECT_EQ(Code::conflict, thrown_by([&] { s.add_vm(same); }).code());
}

} // namespace banger::state
