// The state's records of the host: places, their objects, ports that change; and the questions that
// load no whole VM.
#include "state/db.h"
#include "state_test.h"

namespace banger::state {

class HostTest : public StateTest {
protected:
  static NetPlaceRecord place() {
    return {"user",
            "/run/x/net",
            "10.0.2.0/24",
            {{ObjectKind::bridge, "bng-1234", "", "user", "", true},
             {ObjectKind::holder, "user", "", "user", "7 8 boot", false},
             {ObjectKind::tap, "bng1234-1", "0123456789ab", "user", "", false},
             {ObjectKind::tap, "bng1234-2", "ba9876543210", "user", "", false}}};
  }
};

TEST_F(HostTest, APlaceIsStoredWholeAndGoesWhole) {
  {
    State s = open();
    EXPECT_FALSE(s.net_place("user"));
    s.set_net_place(place(), Outlives::process);
  }
  State s = open();
  auto stored = s.net_place("user");
  ASSERT_TRUE(stored);
  EXPECT_EQ("/run/x/net", stored->dir);
  EXPECT_EQ("10.0.2.0/24", stored->subnet);
  EXPECT_EQ(place().objects, stored->objects);
  EXPECT_EQ(place().objects, s.host_objects());
  ASSERT_EQ(1u, s.host_objects_of("0123456789ab").size());
  EXPECT_EQ("bng1234-1", s.host_objects_of("0123456789ab")[0].name);

  NetPlaceRecord now = place();
  now.subnet = "10.0.3.0/24";
  now.objects[1].identity = "9 10 boot";
  now.objects[1].made = true;
  now.objects.erase(now.objects.begin() + 2);
  s.set_net_place(now, Outlives::process);
  EXPECT_EQ(now.objects, s.net_place("user")->objects);
  EXPECT_EQ("10.0.3.0/24", s.net_place("user")->subnet);
  EXPECT_TRUE(s.host_objects_of("0123456789ab").empty());

  s.remove_net_place("user", Outlives::process);
  EXPECT_FALSE(s.net_place("user"));
  EXPECT_TRUE(s.host_objects().empty());
  s.remove_net_place("user", Outlives::process);
}

// Of the processes that keep a place it knows one.
TEST_F(HostTest, AMonitorOfAnOlderBuildIsToldTheHolderAlone) {
  State s = open();
  s.set_fact("net", "{}"); // as long as such a monitor lives
  NetPlaceRecord p = place();
  p.objects.push_back({ObjectKind::holder, "resolver", "", "user", "9 10 boot", true});
  s.set_net_place(p, Outlives::process);
  std::string told = s.fact("net").value_or("");
  EXPECT_NE(std::string::npos, told.find("\"holder\":{\"pid\":7,")) << told;
  EXPECT_NE(std::string::npos, told.find("\"holder_ready\":false")) << told;
}

TEST_F(HostTest, AnObjectOutlivesTheRowOfItsVm) {
  State s = open();
  Vm v = s.add_vm(vm("a"));
  NetPlaceRecord p = place();
  p.objects[2].vm = v.id;
  s.set_net_place(p, Outlives::process);
  s.remove_vm(v.id);
  EXPECT_EQ(1u, s.host_objects_of(v.id).size()) << "it is on the host all the same";
}

TEST_F(HostTest, ObjectsOfAKindAreGivenAndALaterBuildsKindsArePassedOver) {
  State s = open();
  HostObject disk{ObjectKind::dm, "banger-1234-0123456789ab-root", "0123456789ab", "", "uuid",
                  false};
  s.put_host_object(disk, Outlives::process);
  s.set_net_place(place(), Outlives::process);
  EXPECT_EQ(std::vector{disk}, s.host_objects(ObjectKind::dm));
  Db::open(dirs.db(), Mode::write)
      ->run("INSERT INTO host_object VALUES ('hologram', 'x', '0123456789ab', NULL, '', 1)");
  EXPECT_EQ(5u, s.host_objects().size());
  EXPECT_EQ(2u, s.host_objects_of("0123456789ab").size());
  s.remove_host_objects(ObjectKind::dm, "0123456789ab", Outlives::process);
  EXPECT_TRUE(s.host_objects(ObjectKind::dm).empty());
}

TEST_F(HostTest, PortsThatChangeGoWithTheirVm) {
  State s = open();
  Vm a = s.add_vm(vm("a")), b = s.add_vm(vm("b"));
  Port one{"tcp", "127.0.0.1", 80, 8080}, two{"udp", "127.0.0.1", 53, 53};
  s.begin_port_change(a.id, {one, two});
  s.begin_port_change(a.id, {one});
  s.begin_port_change(b.id, {two});
  auto all = s.changing_ports();
  ASSERT_EQ(2u, all.size());
  EXPECT_EQ((std::vector<Port>{one, two}), all[a.id]);
  s.end_port_change(b.id);
  EXPECT_FALSE(s.changing_ports().contains(b.id));
  s.remove_vm(a.id);
  EXPECT_TRUE(s.changing_ports().empty());
}

TEST_F(HostTest, QuestionsAboutVms) {
  State s = open();
  Image image;
  image.id = new_id();
  image.name = "tiny";
  image.ready = true;
  s.add_image(image);
  Vm b = vm("b");
  b.image_id = image.id;
  b.state = VmState::running;
  b.net_mode = NetMode::user;
  b.address = "10.0.2.4";
  b.run.emplace().runtime_dir = "/run/x/b";
  b.ports = {{"tcp", "127.0.0.1", 80, 8080}};
  s.add_vm(b);
  Vm a = vm("a");
  a.ports = {{"udp", "127.0.0.1", 53, 53}, {"tcp", "127.0.0.1", 81, 81}};
  s.add_vm(a);
  EXPECT_EQ((std::vector<std::string>{"a", "b"}), s.vm_names());
  EXPECT_EQ((std::set<std::string>{a.id, b.id}), s.vm_ids());
  EXPECT_TRUE(s.has_vm_named("a"));
  EXPECT_FALSE(s.has_vm_named(a.id.substr(0, 5))) << "no prefix of an id";
  ASSERT_EQ(3u, s.published_ports().size());
  EXPECT_EQ("a", s.published_ports()[0].vm);
  EXPECT_EQ(a.ports[1], s.published_ports()[1].port);
  EXPECT_EQ(b.id, s.published_ports()[2].id);
  ASSERT_EQ(1u, s.image_users(image.id).size());
  EXPECT_EQ("b", s.image_users(image.id)[0].vm);
  EXPECT_EQ(VmState::running, s.image_users(image.id)[0].state);
  ASSERT_EQ(1u, s.leases(NetMode::user).size());
  EXPECT_EQ(b.id, s.leases(NetMode::user)[0].id);
  EXPECT_EQ(std::vector<std::string>{"/run/x/b"}, s.runtime_dirs());
}

TEST_F(HostTest, AProcessIsAnIdentity) {
  ProcessId p{7, 12'000'000'000, "boot-a"};
  EXPECT_EQ(p, parse_process(identity_of(p)));
  EXPECT_EQ("", identity_of({}));
  for (const char* text : {"", "7", "7 8", "x 8 boot", "7 8 boot more", "7  boot"})
    EXPECT_EQ(ProcessId{}, parse_process(text)) << text;
}

} // namespace banger::state
