#include "state/migrations.h"

#include <utility>

#include "model/name.h"

namespace banger::state {

namespace {

constexpr const char* first_schema = R"(
CREATE TABLE migration (
  number  INTEGER PRIMARY KEY,
  name    TEXT NOT NULL,
  applied INTEGER NOT NULL            -- nanoseconds since the epoch, as all times here
);
CREATE TABLE identity (tag TEXT NOT NULL); -- one row

CREATE TABLE image (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL UNIQUE,
  ready         INTEGER NOT NULL,
  size          INTEGER NOT NULL,
  used          INTEGER NOT NULL,
  sha256        TEXT NOT NULL,
  source        TEXT NOT NULL,
  packages_hash TEXT NOT NULL,
  created       INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE vm (
  id                 TEXT PRIMARY KEY,
  name               TEXT NOT NULL UNIQUE,
  image_id           TEXT NOT NULL,
  image_name         TEXT NOT NULL,
  state              TEXT NOT NULL,
  reason             TEXT NOT NULL,
  cpus               INTEGER NOT NULL,
  memory             INTEGER NOT NULL,
  root_way           TEXT NOT NULL,
  root_size          INTEGER NOT NULL,
  net_mode           TEXT NOT NULL,
  address            TEXT NOT NULL,
  gateway            TEXT NOT NULL,
  mac                TEXT NOT NULL,
  prefix             INTEGER NOT NULL,
  reach              TEXT NOT NULL UNIQUE,
  ssh_port           INTEGER NOT NULL,
  want_vmm           TEXT,
  want_accel         TEXT,
  vmm                TEXT NOT NULL,
  vmm_version        TEXT NOT NULL,
  accel              TEXT,
  vmm_pid            INTEGER NOT NULL,
  vmm_start_time     INTEGER NOT NULL,
  vmm_boot_id        TEXT NOT NULL,
  monitor_pid        INTEGER NOT NULL,
  monitor_start_time INTEGER NOT NULL,
  monitor_boot_id    TEXT NOT NULL,
  creator_pid        INTEGER NOT NULL,
  creator_start_time INTEGER NOT NULL,
  creator_boot_id    TEXT NOT NULL,
  runtime_dir        TEXT NOT NULL,
  vmm_api_socket     TEXT NOT NULL,
  remove_when_stopped INTEGER NOT NULL,
  created            INTEGER NOT NULL,
  started            INTEGER NOT NULL,
  stopped            INTEGER NOT NULL,
  boot_prepare       REAL,
  boot_vmm           REAL,
  boot_kernel        REAL,
  boot_userland      REAL,
  boot_ready         REAL,
  fault_code         TEXT NOT NULL,   -- empty: there was no fault
  fault_message      TEXT NOT NULL,
  fault_hint         TEXT NOT NULL
);
CREATE INDEX vm_image ON vm (image_id);

CREATE TABLE vm_label (
  vm    TEXT NOT NULL,                -- vm.id
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (vm, key)
) WITHOUT ROWID;

CREATE TABLE vm_port (
  vm           TEXT NOT NULL,         -- vm.id
  position     INTEGER NOT NULL,      -- in the order they were given
  proto        TEXT NOT NULL,
  host_address TEXT NOT NULL,
  host         INTEGER NOT NULL,
  guest        INTEGER NOT NULL,
  PRIMARY KEY (vm, position)
) WITHOUT ROWID;

CREATE TABLE event (
  seq    INTEGER PRIMARY KEY,
  time   INTEGER NOT NULL,
  op     TEXT NOT NULL,
  vm     TEXT NOT NULL,               -- its name: events outlive it
  type   TEXT NOT NULL,
  detail TEXT NOT NULL                -- a JSON object
);

CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
)";

// A VM on a shared network has its address alone; every isolated one has the same.
constexpr const char* work_disks_and_leases = R"(
ALTER TABLE vm ADD COLUMN work_size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vm ADD COLUMN work_mount TEXT NOT NULL DEFAULT '';
ALTER TABLE vm ADD COLUMN outbound_open INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vm ADD COLUMN fault_log TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX vm_address ON vm (net_mode, address) WHERE net_mode <> 'isolated';
)";

constexpr const char* host_access = R"(
ALTER TABLE vm ADD COLUMN host_open INTEGER NOT NULL DEFAULT 0;
)";

void give_tag(Db& db) { db.run("INSERT INTO identity (tag) VALUES (?)", new_tag()); }

constexpr Migration all_migrations[] = {
    {1, "first schema", first_schema, give_tag},
    {2, "work disks and leases", work_disks_and_leases, nullptr},
    {3, "host access", host_access, nullptr},
};

} // namespace

std::span<const Migration> migrations() { return all_migrations; }

int64_t schema_version(Db& db) {
  Query q = db.query("PRAGMA user_version");
  return q.next() ? q.number(0) : 0;
}

void migrate(Db& db, std::span<const Migration> all) {
  int64_t newest = all.back().number;
  if (int64_t found = schema_version(db); found > newest)
    throw conflict("the state '{}' was made by a newer banger (schema {}, this one knows {})",
                   db.path(), found, newest)
        .subject(db.path())
        .hint("use the newer banger, or another state directory (--state-dir)");
  Mode mode = std::exchange(db.mode, Mode::write);
  struct Restore {
    Db& db;
    Mode mode;
    ~Restore() { db.mode = mode; }
  } restore{db, mode};
  for (const Migration& m : all) {
    if (schema_version(db) >= m.number) continue;
    try {
      db.transaction([&] {
        if (schema_version(db) >= m.number) return; // another process was faster
        db.script(m.sql);
        if (m.code) m.code(db);
        db.run("INSERT INTO migration (number, name, applied) VALUES (?, ?, ?)", m.number, m.name,
               wall_now().ns);
        db.script(fmt::format("PRAGMA user_version={}", m.number));
      });
    } catch (Error& e) {
      e.within(fmt::format("cannot bring the state to schema {} ({})", m.number, m.name));
      throw;
    }
  }
}

} // namespace banger::state
