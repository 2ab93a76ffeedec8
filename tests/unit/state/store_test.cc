#include <fcntl.h>
#include <sys/stat.h>

#include "state_test.h"

namespace banger::state {

class StoreTest : public StateTest {};

TEST_F(StoreTest, ReadingAnAbsentStateMakesNothing) {
  for (bool with_dir : {false, true}) {
    if (with_dir) sys::make_dir(dirs.state);
    State s = open(Mode::read);
    EXPECT_TRUE(s.is_absent());
    EXPECT_EQ("", s.tag());
    EXPECT_TRUE(s.vms().empty() && s.images().empty() && s.events(0).empty());
    EXPECT_FALSE(s.find_vm("demo") || s.find_image("demo") || s.fact("x"));
    EXPECT_FALSE(s.find_vm_by_id("0123456789ab"));
    EXPECT_EQ(0, s.data_version());
    EXPECT_EQ(Code::not_found, thrown_by([&] { s.get_vm("demo"); }).code());
    EXPECT_EQ(Code::failed, thrown_by([&] { s.set_fact("x", "y"); }).code());
    EXPECT_EQ(Code::not_found, thrown_by([&] { s.backup(root + "/copy"); }).code());
    EXPECT_EQ(with_dir, sys::exists(dirs.state));
    EXPECT_TRUE(sys::list_dir(dirs.state).empty());
  }
}

TEST_F(StoreTest, AnEmptyFileIsAStateInWhichNothingWasStored) {
  sys::make_dir(dirs.state);
  sys::open_file(dirs.db(), O_CREAT | O_RDWR);
  EXPECT_TRUE(open(Mode::read).is_absent());
  EXPECT_EQ(0, sys::find_info(dirs.db())->size);
  EXPECT_EQ(std::vector<std::string>{"state.db"}, sys::list_dir(dirs.state));
  EXPECT_EQ(4u, open().tag().size());
}

TEST_F(StoreTest, WritingMakesItPrivateWhateverTheUmask) {
  mode_t old = ::umask(0);
  dirs.state = root + "/a/b/state";
  State s = open();
  s.set_fact("x", "y");
  ::umask(old);
  EXPECT_EQ(0700u, sys::find_info(dirs.state)->mode);
  auto files = sys::list_dir(dirs.state);
  EXPECT_EQ((std::vector<std::string>{"state.db", "state.db-line", "state.db-shm", "state.db-wal"}),
            files);
  for (const auto& file : files)
    EXPECT_EQ(0600u, sys::find_info(dirs.state + "/" + file)->mode) << file;
}

TEST_F(StoreTest, TheTagStays) {
  std::string tag = open().tag();
  EXPECT_EQ(4u, tag.size());
  EXPECT_EQ(tag, open().tag());
  EXPECT_EQ(tag, open(Mode::read).tag());
}

TEST_F(StoreTest, TheLastToCloseLeavesNothingToRecover) {
  State reader = [&] {
    State s = open();
    s.set_fact("x", "y");
    return open(Mode::read);
  }();
  EXPECT_EQ("y", reader.fact("x"));
  EXPECT_LT(0, sys::find_info(dirs.db() + "-wal")->size) << "the writer was not the last";
  { State gone = std::move(reader); }
  EXPECT_EQ(0, sys::find_info(dirs.db() + "-wal")->size);
  EXPECT_EQ("y", open(Mode::read).fact("x"));
}

TEST_F(StoreTest, ReadersCannotWrite) {
  open().set_fact("x", "y");
  State s = open(Mode::read);
  EXPECT_EQ(Code::failed, thrown_by([&] { s.set_fact("x", "z"); }).code());
  EXPECT_EQ(Code::failed, thrown_by([&] { s.add_vm(vm("demo")); }).code());
  EXPECT_EQ("y", s.fact("x"));
}

TEST_F(StoreTest, ATransactionIsAllOrNothing) {
  State s = open();
  EXPECT_THROW(s.transaction([&] {
    s.set_fact("a", "1");
    s.add_vm(vm("demo"));
    throw failed("no");
  }),
               Error);
  EXPECT_FALSE(s.fact("a") || s.find_vm("demo"));
  s.transaction([&] {
    s.set_fact("a", "1");
    s.set_fact("b", "2");
  });
  EXPECT_EQ("1", s.fact("a"));
  EXPECT_EQ("2", s.fact("b"));
}

TEST_F(StoreTest, AJoinedTransactionThatThrowsTakesBackOnlyItsOwn) {
  State s = open();
  s.add_vm(vm("demo"));
  s.transaction([&] {
    s.set_fact("outer", "1");
    EXPECT_THROW(s.transaction([&] {
      s.set_fact("inner", "1");
      s.add_vm(vm("demo"));
    }),
                 Error);
    s.transaction([&] { s.set_fact("second", "1"); });
    EXPECT_FALSE(s.fact("inner"));
  });
  EXPECT_TRUE(s.fact("outer") && s.fact("second"));
  EXPECT_FALSE(s.fact("inner"));
}

TEST_F(StoreTest, Images) {
  State s = open();
  Image i;
  i.id = "aaaa00000001";
  i.name = "debian";
  i.ready = true;
  i.size = 5'000'000'000;
  i.used = 3'000'000'000;
  i.sha256 = std::string(64, 'a');
  i.source = "bundle debian";
  i.packages_hash = std::string(64, 'b');
  i.created = {77};
  s.add_image(i);
  EXPECT_EQ(Code::conflict, thrown_by([&] { s.add_image(i); }).code());
  Vm v = vm("demo");
  v.image_id = i.id;
  v.image_name = i.name;
  v = s.add_vm(v);

  for (const Image& got : {s.images().at(0), s.get_image("debian"), s.get_image("aaaa"),
                           s.change_image(i.id, [](Image&) {})}) {
    EXPECT_EQ(i.id, got.id);
    EXPECT_EQ(i.name, got.name);
    EXPECT_EQ(i.ready, got.ready);
    EXPECT_EQ(i.size, got.size);
    EXPECT_EQ(i.used, got.used);
    EXPECT_EQ(i.sha256, got.sha256);
    EXPECT_EQ(i.source, got.source);
    EXPECT_EQ(i.packages_hash, got.packages_hash);
    EXPECT_EQ(i.created, got.created);
    EXPECT_EQ(1, got.vms);
  }
  s.change_image(i.id, [](Image& x) { x.ready = false; });
  EXPECT_FALSE(s.get_image("debian").ready);
  EXPECT_EQ(Code::failed, thrown_by([&] {
                            s.change_image(i.id, [](Image& x) { x.id = "aaaa00000000"; });
                          }).code());
  Image other = i;
  other.id = "cccc00000001";
  other.name = "other";
  s.add_image(other);
  EXPECT_EQ(Code::conflict,
            thrown_by([&] { s.change_image(i.id, [](Image& x) { x.name = "other"; }); }).code());
  s.change_image(i.id, [](Image& x) { x.name = "old"; });
  EXPECT_EQ("old", s.get_vm(v.name).image_name);
  s.change_image(i.id, [](Image& x) { x.name = "debian"; });

  // A VM's image changes only to one that is whole.
  auto move_to = [&](const std::string& id) {
    return [&, id] { s.change_vm(v.id, [&](Vm& x) { x.image_id = id; }); };
  };
  EXPECT_EQ(Code::not_found, thrown_by(move_to("bbbb00000001")).code());
  s.change_image(other.id, [](Image& x) { x.ready = false; });
  EXPECT_EQ(Code::not_found, thrown_by(move_to(other.id)).code());
  s.change_image(other.id, [](Image& x) { x.ready = true; });
  move_to(other.id)();
  EXPECT_EQ(1, s.get_image("other").vms);
  s.change_image(i.id, [](Image& x) { x.ready = true; });
  move_to(i.id)();
  s.remove_image(other.id);

  Error e = thrown_by([&] { s.remove_image(i.id); });
  EXPECT_EQ(Code::conflict, e.code());
  EXPECT_EQ("image 'debian' is in use by demo", e.message());
  s.remove_vm(v.id);
  s.remove_image(i.id);
  EXPECT_TRUE(s.images().empty());
  EXPECT_EQ("did you mean 'debian'?", [&] {
    s.add_image(i);
    return thrown_by([&] { s.get_image("debain"); }).hint();
  }());
  v.image_id = "bbbb00000001";
  EXPECT_EQ(Code::not_found, thrown_by([&] { s.add_vm(v); }).code()) << "that image is gone";
  EXPECT_TRUE(s.vms().empty());
}

TEST_F(StoreTest, EventsAreARing) {
  State s = open();
  s.transaction([&] {
    for (int i = 1; i <= 10'050; ++i)
      s.add_event({0, {i}, "op", i % 2 ? "odd" : "even", "vm.x", fmt::format("{{\"i\":{}}}", i)});
  });
  auto all = s.events(0, {}, 20'000);
  ASSERT_EQ(10'000u, all.size());
  EXPECT_EQ(51, all.front().seq);
  EXPECT_EQ(10'050, all.back().seq);
  EXPECT_EQ(10'050, all.back().time.ns);
  EXPECT_EQ("op", all.back().op);
  EXPECT_EQ("even", all.back().vm);
  EXPECT_EQ("vm.x", all.back().type);
  EXPECT_EQ("{\"i\":10050}", all.back().detail);
  auto odd = s.events(10'040, "odd");
  ASSERT_EQ(5u, odd.size());
  EXPECT_EQ(10'041, odd.front().seq);
  EXPECT_EQ(3u, s.events(0, {}, 3).size());
  EXPECT_TRUE(s.events(10'050).empty());
}

TEST_F(StoreTest, FactsAreReplaced) {
  State s = open();
  s.set_fact("k", "1");
  s.set_fact("k", "");
  EXPECT_EQ("", s.fact("k"));
  EXPECT_FALSE(s.fact("K"));
}

TEST_F(StoreTest, DataVersionChangesWithAnothersCommitOnly) {
  State s = open();
  int64_t before = s.data_version();
  EXPECT_EQ(before, s.data_version());
  EXPECT_EQ(0, wait(start([&] { open().set_fact("x", "y"); })));
  EXPECT_NE(before, s.data_version());
}

// Each of many, by processes that come and go, and with the log folded into the file between.
TEST_F(StoreTest, DataVersionChangesWithEachCommit) {
  open();
  State s = open(Mode::read);
  int64_t before = s.data_version();
  for (int i = 0; i < 50; i++) {
    EXPECT_EQ(0, wait(start([&] {
                State other = open();
                other.set_fact("x", std::to_string(i));
                if (i % 10 == 0) return;
                ::_exit(0); // as one who was killed
              })));
    int64_t now = s.data_version();
    EXPECT_NE(before, now) << i;
    EXPECT_EQ(now, s.data_version());
    EXPECT_EQ(std::to_string(i), s.fact("x"));
    before = now;
  }
}

// The head of the log's index, which tells it without a look by SQLite, may be half written: who
// died at that leaves two copies that differ.
TEST_F(StoreTest, DataVersionIsAskedOfSqliteWhereTheIndexDoesNotTell) {
  State s = open();
  s.set_fact("x", "0");
  int64_t before = s.data_version();
  EXPECT_EQ(0, wait(start([&] {
              open().set_fact("x", "1");
              Fd index(::open((dirs.db() + "-shm").c_str(), O_RDWR | O_CLOEXEC));
              EXPECT_EQ(4, ::pwrite(index.get(), "\1\2\3\4", 4, 8)); // a count of the first copy
              ::_exit(testing::Test::HasFailure());
            })));
  EXPECT_NE(before, s.data_version());
  EXPECT_EQ("1", s.fact("x"));
}

TEST_F(StoreTest, BackupIsAStateOfItsOwn) {
  {
    State s = open();
    s.add_vm(vm("demo"));
    std::string copy = root + "/copy/state.db";
    sys::make_dir(root + "/copy");
    mode_t old = ::umask(0);
    s.backup(copy);
    ::umask(old);
    EXPECT_EQ(0600u, sys::find_info(copy)->mode);
    EXPECT_EQ(std::vector<std::string>{"state.db"}, sys::list_dir(root + "/copy"));
    std::string content = sys::read_file(copy);
    EXPECT_EQ(Code::conflict, thrown_by([&] { s.backup(copy); }).code());
    EXPECT_TRUE(content == sys::read_file(copy));
    Error e = thrown_by([&] { s.backup(root + "/nowhere/x"); });
    EXPECT_EQ(ENOENT, e.error_number());
    s.add_vm(vm("later"));
  }
  std::string tag = open().tag();
  dirs.state = root + "/copy";
  EXPECT_EQ(1u, open(Mode::read).vms().size());
  State restored = open();
  EXPECT_EQ(tag, restored.tag());
  EXPECT_TRUE(restored.find_vm("demo"));
  EXPECT_FALSE(restored.find_vm("later"));
  restored.add_vm(vm("own"));
}

TEST_F(StoreTest, AReaderCanBackUp) {
  open().add_vm(vm("demo"));
  open(Mode::read).backup(root + "/b.db");
  EXPECT_LT(0, sys::find_info(root + "/b.db")->size);
}

} // namespace banger::state
