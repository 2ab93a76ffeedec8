// The rows of snapshots.
#include "state_test.h"

namespace banger::state {

namespace {

Snapshot snapshot(const std::string& vm, const std::string& name, int64_t created = 1) {
  return {new_id(), vm, name, "0123456789ab", WallTime{created}};
}

} // namespace

class Snapshots : public StateTest {};

TEST_F(Snapshots, AreAVmsOwnInTheOrderInWhichTheyWereMade) {
  State s = open();
  Vm a = s.add_vm(vm("a")), b = s.add_vm(vm("b"));
  s.add_snapshot(snapshot(a.id, "two", 2));
  s.add_snapshot(snapshot(a.id, "one", 1));
  s.add_snapshot(snapshot(b.id, "one", 1));
  auto all = s.snapshots(a.id);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "one");
  EXPECT_EQ(all[1].name, "two");
  EXPECT_EQ(all[1].created.ns, 2);
  Error e = thrown_by([&] { s.add_snapshot(snapshot(a.id, "one")); });
  EXPECT_EQ(e.code(), Code::conflict);
  s.remove_snapshot(all[0].id);
  s.remove_snapshot(all[0].id);
  EXPECT_EQ(s.snapshots(a.id).size(), 1u);
  s.remove_vm(a.id); // they go with it
  EXPECT_TRUE(s.snapshots(a.id).empty());
  EXPECT_EQ(s.snapshots(b.id).size(), 1u);
}

TEST_F(Snapshots, WhatAVmWasBeforeARestoreIsNoneOfThem) {
  State s = open();
  Vm a = s.add_vm(vm("a"));
  s.add_snapshot(snapshot(a.id, "one", 1));
  EXPECT_FALSE(s.before_restore(a.id));
  Snapshot before = snapshot(a.id, ".before", 2);
  before.restoring = true;
  s.add_snapshot(before);
  EXPECT_EQ(s.snapshots(a.id).size(), 1u);
  ASSERT_TRUE(s.before_restore(a.id));
  EXPECT_EQ(s.before_restore(a.id)->id, before.id);
  EXPECT_THROW(s.add_snapshot(before), Error) << "one restore at a time";
  s.remove_snapshot(before.id);
  EXPECT_FALSE(s.before_restore(a.id));
  EXPECT_EQ(s.snapshots(a.id).size(), 1u);
}

TEST_F(Snapshots, TheirImageIsInUse) {
  State s = open();
  Image image;
  image.id = new_id();
  image.name = "old";
  image.ready = true;
  s.add_image(image);
  Vm a = s.add_vm(vm("a"));
  Snapshot of = snapshot(a.id, "one");
  of.image_id = image.id;
  s.add_snapshot(of);
  EXPECT_EQ(s.get_image("old").vms, 1);
  auto users = s.image_users(image.id);
  ASSERT_EQ(users.size(), 1u);
  EXPECT_TRUE(users[0].by_snapshot);
  EXPECT_EQ(thrown_by([&] { s.remove_image(image.id); }).code(), Code::conflict);
  s.remove_snapshot(of.id);
  EXPECT_EQ(s.get_image("old").vms, 0);
  s.remove_image(image.id);
}

} // namespace banger::state
