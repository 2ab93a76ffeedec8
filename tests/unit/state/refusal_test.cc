// Files and directories that are not ours to use, and schemas of other times.
#include <fcntl.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "state/db.h"
#include "state/migrations.h"
#include "state_test.h"
#include "sys/process.h"

namespace banger::state {

namespace {

void sql(const std::string& file, const char* text) {
  sqlite3* db = nullptr;
  ASSERT_EQ(SQLITE_OK, sqlite3_open(file.c_str(), &db));
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  ASSERT_EQ(SQLITE_OK, sqlite3_exec(db, text, nullptr, nullptr, nullptr)) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

} // namespace

class RefusalTest : public StateTest {
protected:
  void put(const std::string& content) {
    if (!sys::exists(dirs.state)) sys::make_dir(dirs.state);
    sys::write_atomic(dirs.db(), content);
  }

  // Everything in the state directory, with content.
  std::map<std::string, std::string> contents() {
    std::map<std::string, std::string> all;
    for (const auto& name : sys::list_dir(dirs.state))
      all[name] = sys::read_file(dirs.state + "/" + name);
    return all;
  }

  // Both modes refuse, and nothing in the directory is another afterwards.
  void expect_refused(Code code, const std::string& hint_has) {
    auto before = contents();
    for (Mode mode : {Mode::read, Mode::write}) {
      Error e = thrown_by([&] {
        State s = open(mode);
        s.vms();
      });
      EXPECT_EQ(code, e.code()) << e.message();
      EXPECT_NE(std::string::npos, e.message().find(dirs.state)) << e.message();
      EXPECT_NE(std::string::npos, e.hint().find(hint_has)) << e.message() << ": " << e.hint();
      EXPECT_TRUE(before == contents()) << e.message();
    }
  }
};

TEST_F(RefusalTest, Garbage) {
  for (size_t size : {1u, 15u, 99u, 100u, 5000u}) {
    put(std::string(size, 'x'));
    expect_refused(Code::failed, "mv " + dirs.db());
  }
  put(std::string(4096, '\0'));
  expect_refused(Code::failed, "mv ");
}

TEST_F(RefusalTest, TruncatedFile) {
  {
    State s = open();
    s.transaction([&] {
      for (int i = 0; i < 50; ++i) s.add_vm(vm(fmt::format("v{}", i)));
    });
  }
  std::string whole = sys::read_file(dirs.db());
  // Bytes 16 and 17, big-endian: the page size (sqlite.org/fileformat2.html). A file that ends in
  // the middle of a page is no damage to SQLite, it takes the rest as zeros.
  size_t page = static_cast<uint8_t>(whole[16]) << 8 | static_cast<uint8_t>(whole[17]);
  ASSERT_LT(8 * page, whole.size());
  sys::remove_file(dirs.db() + "-wal");
  sys::remove_file(dirs.db() + "-shm");
  for (size_t size : {whole.size() - page, whole.size() / 2 / page * page, page, size_t{1000},
                      size_t{99}, size_t{10}}) {
    put(whole.substr(0, size));
    Error e = thrown_by([&] { open(Mode::read).vms(); });
    EXPECT_EQ(Code::failed, e.code());
    EXPECT_NE(std::string::npos, e.hint().find("mv ")) << size << ": " << e.message();
    EXPECT_EQ(Code::failed, thrown_by([&] { open().vms(); }).code());
    EXPECT_TRUE(whole.substr(0, size) == sys::read_file(dirs.db())) << size;
  }
}

TEST_F(RefusalTest, ScrambledPages) {
  {
    State s = open();
    s.add_vm(vm("demo"));
  }
  std::string content = sys::read_file(dirs.db());
  for (size_t i = 4096; i < content.size(); ++i) content[i] = static_cast<char>(i * 7);
  put(content);
  Error e = thrown_by([&] { open(Mode::read).vms(); });
  EXPECT_EQ(Code::failed, e.code());
  EXPECT_NE(std::string::npos, e.message().find("damaged")) << e.message();
}

TEST_F(RefusalTest, DatabaseOfAnotherProgram) {
  sys::make_dir(dirs.state);
  sql(dirs.db(), "CREATE TABLE cookies (x); INSERT INTO cookies VALUES (1)");
  expect_refused(Code::failed, "mv ");
}

// Its log would be folded in by whoever opens and closes it without care.
TEST_F(RefusalTest, DatabaseOfAnotherProgramWithALog) {
  sys::make_dir(dirs.state);
  sql(dirs.db(), "PRAGMA journal_mode=WAL; CREATE TABLE cookies (x)");
  ASSERT_LT(0, sys::find_info(dirs.db() + "-wal")->size);
  expect_refused(Code::failed, "mv ");
}

TEST_F(RefusalTest, NewerSchema) {
  { open(); }
  sql(dirs.db(), "PRAGMA user_version=9999; CREATE TABLE future (x)");
  // The index of the log is no content: whoever opens the file makes it anew.
  auto same = [](auto all) {
    all.erase("state.db-shm");
    return all;
  };
  auto before = same(contents());
  for (Mode mode : {Mode::read, Mode::write}) {
    Error e = thrown_by([&] { open(mode); });
    EXPECT_EQ(Code::conflict, e.code());
    EXPECT_NE("", e.hint());
    EXPECT_TRUE(before == same(contents()));
  }
}

TEST_F(RefusalTest, DirectoryThatOthersCanRead) {
  { open(); }
  for (mode_t mode : {0755u, 0710u, 0701u, 0720u}) {
    ::chmod(dirs.state.c_str(), mode);
    expect_refused(Code::preflight, "chmod 700 " + dirs.state);
  }
  ::chmod(dirs.state.c_str(), 0700);
  open();
}

TEST_F(RefusalTest, DirectoryThatIsNone) {
  sys::write_atomic(dirs.state, "x");
  for (Mode mode : {Mode::read, Mode::write})
    EXPECT_EQ(Code::preflight, thrown_by([&] { open(mode); }).code());
  EXPECT_EQ("x", sys::read_file(dirs.state));
}

TEST_F(RefusalTest, FileThatIsADirectory) {
  sys::make_dirs(dirs.db());
  for (Mode mode : {Mode::read, Mode::write})
    EXPECT_EQ(Code::failed, thrown_by([&] { open(mode); }).code());
}

TEST_F(RefusalTest, FileThatMayNotBeRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  { open(); }
  ::chmod(dirs.db().c_str(), 0);
  for (Mode mode : {Mode::read, Mode::write}) {
    Error e = thrown_by([&] { open(mode); });
    EXPECT_EQ(EACCES, e.error_number()) << e.message();
  }
}

class MigrationTest : public RefusalTest {
protected:
  static constexpr Migration two[] = {
      {1, "one", "CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT, applied INTEGER)",
       nullptr},
      {2, "two", "CREATE TABLE things (x); INSERT INTO things VALUES (1)", nullptr}};

  std::unique_ptr<Db> blank() {
    if (!sys::exists(dirs.state)) sys::make_dir(dirs.state);
    sys::open_file(dirs.db(), O_CREAT | O_RDWR);
    auto db = Db::open(dirs.db(), Mode::write);
    if (db->needs_initialising()) db->initialise();
    return db;
  }
};

TEST_F(MigrationTest, EachIsAppliedOnceWithItsRecord) {
  auto db = blank();
  migrate(*db, std::span(two, 1));
  EXPECT_EQ(1, schema_version(*db));
  migrate(*db, two);
  migrate(*db, two);
  EXPECT_EQ(2, schema_version(*db));
  EXPECT_EQ("2", db->query_one("SELECT count(*) FROM migration"));
  EXPECT_EQ("two", db->query_one("SELECT name FROM migration WHERE number = 2"));
  EXPECT_EQ("1", db->query_one("SELECT count(*) FROM things"));
  EXPECT_EQ(Code::conflict, thrown_by([&] { migrate(*db, std::span(two, 1)); }).code());
}

TEST_F(MigrationTest, OneThatFailsLeavesTheOneBefore) {
  Migration broken[] = {two[0], {2, "broken", "CREATE TABLE a (x); CREATE TABL b (x)", nullptr}};
  auto db = blank();
  Error e = thrown_by([&] { migrate(*db, broken); });
  EXPECT_NE(std::string::npos, e.message().find("schema 2 (broken)")) << e.message();
  EXPECT_EQ(1, schema_version(*db));
  EXPECT_EQ("0", db->query_one("SELECT count(*) FROM sqlite_schema WHERE name = 'a'"));
  EXPECT_EQ("1", db->query_one("SELECT count(*) FROM migration"));
  migrate(*db, two);
}

TEST_F(MigrationTest, ManyAtOnceApplyEachOnce) {
  std::vector<int> pids;
  sys::make_dir(dirs.state);
  for (int i = 0; i < 12; ++i) pids.push_back(start([&] { migrate(*blank(), two); }));
  for (int pid : pids) EXPECT_EQ(0, wait(pid));
  EXPECT_EQ("1", blank()->query_one("SELECT count(*) FROM things"));
}

TEST_F(MigrationTest, AReaderBringsAnOlderSchemaUpToDate) {
  blank();
  State s = open(Mode::read);
  EXPECT_EQ(4u, s.tag().size());
  EXPECT_TRUE(s.vms().empty());
  EXPECT_EQ(Code::failed, thrown_by([&] { s.set_fact("x", "y"); }).code()) << "it stays a reader";
  EXPECT_EQ(s.tag(), open().tag());
}

TEST_F(MigrationTest, AStateLeftHalfInitialisedIsFinished) {
  sys::make_dir(dirs.state);
  sys::open_file(dirs.db(), O_CREAT | O_RDWR);
  sql(dirs.db(), "PRAGMA application_id=0x626e6772");
  open().set_fact("x", "y");
  EXPECT_EQ('\2', sys::read_file(dirs.db())[18]) << "it is a WAL database";
}

#ifdef BANGER_FAILPOINTS

// Not a test: what the next one runs in a process of its own, to be killed there.
TEST_F(MigrationTest, DISABLED_Create) {
  dirs.state = std::getenv("BANGER_TEST_STATE");
  open().set_fact("x", "y");
}

TEST_F(MigrationTest, ACreationKilledAtAnyPointIsFinishedByTheNext) {
  struct Made {
    const char* point;
    int times;
  };
  for (auto [point, times] : {Made{"sys.mkdir", 1}, Made{"sys.create", 2}}) // state.db, its -line
    for (int pass = 1; pass <= 3; ++pass) {
      dirs.state = fmt::format("{}/{}{}", root, point, pass);
      sys::Command child{{"/proc/self/exe", "--gtest_filter=MigrationTest.DISABLED_Create",
                          "--gtest_also_run_disabled_tests"},
                         {{"BANGER_TEST_STATE", dirs.state},
                          {"BANGER_FAILPOINT", fmt::format("{}#{}:kill", point, pass)}},
                         "",
                         false};
      auto result = sys::run(child);
      EXPECT_TRUE(result.status.signal == SIGKILL || result.status.ok()) << result.out;
      EXPECT_EQ(pass <= times ? SIGKILL : 0, result.status.signal) << point << pass << result.out;
      open(Mode::read);
      open().set_fact("x", "z");
      EXPECT_EQ("z", open(Mode::read).fact("x"));
    }
  // The mark, the first schema, the fact.
  for (int pass = 1; pass <= 3; ++pass) {
    dirs.state = fmt::format("{}/commit{}", root, pass);
    sys::Command child{{"/proc/self/exe", "--gtest_filter=MigrationTest.DISABLED_Create",
                        "--gtest_also_run_disabled_tests"},
                       {{"BANGER_TEST_STATE", dirs.state},
                        {"BANGER_FAILPOINT", fmt::format("state.commit#{}:kill", pass)}},
                       "",
                       false};
    auto result = sys::run(child);
    EXPECT_EQ(SIGKILL, result.status.signal) << pass << result.out;
    EXPECT_FALSE(open(Mode::read).fact("x"));
    EXPECT_FALSE(open().fact("x"));
  }
}

#endif

} // namespace banger::state
