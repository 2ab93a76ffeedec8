-- The state, as this build makes it anew. A state of before is brought here by the migrations
-- (migration_N.sql, in state/migrations.cc's table): what is changed here is changed there too, and
-- a test compares the two.
--
-- Times are nanoseconds since the epoch, 0 where it never happened; sizes are bytes.

CREATE TABLE migration (
  number  INTEGER PRIMARY KEY,
  name    TEXT NOT NULL,
  applied INTEGER NOT NULL
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
  want_accel         TEXT,
  vmm                TEXT NOT NULL,
  vmm_version        TEXT NOT NULL,
  accel              TEXT,
  creator_pid        INTEGER NOT NULL,
  creator_start_time INTEGER NOT NULL,
  creator_boot_id    TEXT NOT NULL,
  remove_when_stopped INTEGER NOT NULL,
  created            INTEGER NOT NULL,
  started            INTEGER NOT NULL,
  stopped            INTEGER NOT NULL,
  boot_prepare       REAL,            -- seconds; the last boot's
  boot_vmm           REAL,
  boot_kernel        REAL,
  boot_userland      REAL,
  boot_ready         REAL,
  fault_code         TEXT NOT NULL,   -- empty: there was no fault
  fault_message      TEXT NOT NULL,
  fault_hint         TEXT NOT NULL,
  work_size          INTEGER NOT NULL DEFAULT 0, -- 0: no work disk
  work_mount         TEXT NOT NULL DEFAULT '',
  fault_log          TEXT NOT NULL DEFAULT '',
  host_open          INTEGER NOT NULL DEFAULT 0,
  want_vmm           TEXT,
  confinement        TEXT NOT NULL DEFAULT '', -- of the VMM that was started last
  nat                INTEGER NOT NULL DEFAULT 1,
  root_bandwidth     INTEGER NOT NULL DEFAULT 0, -- limits, a second; 0: none
  root_ops           INTEGER NOT NULL DEFAULT 0,
  work_bandwidth     INTEGER NOT NULL DEFAULT 0,
  work_ops           INTEGER NOT NULL DEFAULT 0,
  net_bandwidth      INTEGER NOT NULL DEFAULT 0,
  net_ops            INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX vm_image ON vm (image_id);
-- A VM on a shared network has its address alone; every isolated one has the same.
CREATE UNIQUE INDEX vm_address ON vm (net_mode, address) WHERE net_mode <> 'isolated';

-- Of a VM that has a monitor, or has something left on the host.
CREATE TABLE vm_run (
  vm                 TEXT PRIMARY KEY REFERENCES vm (id) ON DELETE CASCADE,
  vmm_pid            INTEGER NOT NULL, -- 0: was not started yet
  vmm_start_time     INTEGER NOT NULL,
  vmm_boot_id        TEXT NOT NULL,
  monitor_pid        INTEGER NOT NULL,
  monitor_start_time INTEGER NOT NULL,
  monitor_boot_id    TEXT NOT NULL,
  runtime_dir        TEXT NOT NULL,
  vmm_api_socket     TEXT NOT NULL,
  outbound_open      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE vm_label (
  vm    TEXT NOT NULL REFERENCES vm (id) ON DELETE CASCADE,
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (vm, key)
) WITHOUT ROWID;

CREATE TABLE vm_port (
  vm           TEXT NOT NULL REFERENCES vm (id) ON DELETE CASCADE,
  position     INTEGER NOT NULL,      -- in the order they were given
  proto        TEXT NOT NULL,
  host_address TEXT NOT NULL,
  host         INTEGER NOT NULL,
  guest        INTEGER NOT NULL,
  PRIMARY KEY (vm, position)
) WITHOUT ROWID;

-- Memory and disks of a VM at one moment, in its directory.
CREATE TABLE snapshot (
  id        TEXT PRIMARY KEY,
  vm        TEXT NOT NULL REFERENCES vm (id) ON DELETE CASCADE,
  name      TEXT NOT NULL,
  image_id  TEXT NOT NULL,
  created   INTEGER NOT NULL,
  restoring INTEGER NOT NULL, -- its disks are taking the place of the VM's
  UNIQUE (vm, name)
) WITHOUT ROWID;

-- A place in which VMs have their network: 'user' is the private one.
CREATE TABLE net_place (
  name   TEXT PRIMARY KEY,
  dir    TEXT NOT NULL,
  subnet TEXT NOT NULL
) WITHOUT ROWID;
-- What there is on the host besides files: allocated here before it is made.
CREATE TABLE host_object (
  kind     TEXT NOT NULL, -- model/host_object.h
  name     TEXT NOT NULL,
  vm       TEXT NOT NULL, -- the id of the VM that it is for, whose row may have gone; or empty
  place    TEXT REFERENCES net_place (name) ON DELETE CASCADE,
  identity TEXT NOT NULL, -- what tells it from another of that name; empty: not known
  made     INTEGER NOT NULL, -- whole; 0: it may be there, or a part of it
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE INDEX host_object_vm ON host_object (vm);
CREATE INDEX host_object_place ON host_object (place);

-- Ports whose opening or closing has begun and has not ended.
CREATE TABLE port_change (
  vm           TEXT NOT NULL REFERENCES vm (id) ON DELETE CASCADE,
  proto        TEXT NOT NULL,
  host_address TEXT NOT NULL,
  host         INTEGER NOT NULL,
  guest        INTEGER NOT NULL,
  PRIMARY KEY (vm, proto, host_address, host, guest)
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
