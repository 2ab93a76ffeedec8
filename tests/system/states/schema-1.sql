-- A state as a build of schema 1 wrote it (commit 486ffbf), while its VM 'one' ran: an image, a VM
-- that was never started, one that was running, and the events of a third that was removed. Made by
--   banger vm run gone; banger vm rm --force gone
--   banger vm create still --label env=test --publish 18081:80; banger vm run one --label k=one
-- (each with --image tiny --memory 128M --accel tcg), then SQLite's .dump. Changed since: @ROOT@
-- stands for the directory it lay in, and the bundle's place. It is never to be made anew by a later
-- build. Its disks are no part of it: the test puts them in their places.
PRAGMA application_id=0x626e6772;
PRAGMA user_version=1;
BEGIN TRANSACTION;
CREATE TABLE event (
  seq    INTEGER PRIMARY KEY,
  time   INTEGER NOT NULL,
  op     TEXT NOT NULL,
  vm     TEXT NOT NULL,               -- its name: events outlive it
  type   TEXT NOT NULL,
  detail TEXT NOT NULL                -- a JSON object
);
INSERT INTO "event" VALUES(1,1795725158623294145,'239023c9','','image.imported','{"image":"tiny","id":"5e170ad9feae"}');
INSERT INTO "event" VALUES(2,1795725158651733382,'239023c9','gone','vm.created','{"id":"bca02a135232","image":"tiny"}');
INSERT INTO "event" VALUES(3,1795725158937411341,'239023c9','gone','vm.starting','{}');
INSERT INTO "event" VALUES(4,1795725174396259345,'239023c9','gone','vm.ready','{"prepare":0.418659314,"vmm":4.848707788,"kernel":6.79434291,"userland":3.256796902,"ready":0.425389496}');
INSERT INTO "event" VALUES(5,1795725174453328273,'239023c9','gone','vm.stopped','{"reason":"killed"}');
INSERT INTO "event" VALUES(6,1795725174550950781,'facaf29f','gone','vm.removed','{"id":"bca02a135232"}');
INSERT INTO "event" VALUES(7,1795725174634795303,'53400e44','still','vm.created','{"id":"e61115f75596","image":"tiny"}');
INSERT INTO "event" VALUES(8,1795725174795783176,'dcc12932','one','vm.created','{"id":"1387dea6c765","image":"tiny"}');
INSERT INTO "event" VALUES(17,1795725174876192665,'dcc12932','one','vm.starting','{}');
INSERT INTO "event" VALUES(18,1795725195279888178,'dcc12932','one','vm.ready','{"prepare":0.211463511,"vmm":5.174062625,"kernel":7.413042519,"userland":6.16385723,"ready":1.482318191}');
CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "fact" VALUES('tsc_khz','b87d045f-6486-4a1b-9902-029d93cd85dd 2299997');
INSERT INTO "fact" VALUES('verified.initrd','/usr/lib/banger/initrd-eff7b31f1b6e:65024:10118431:1726084:1795712803539346448:eff7b31f1b6ed79e2d5d8504f5f1f359ab2e376b81229d738e664f8ec9a6e244');
INSERT INTO "fact" VALUES('verified.kernel-elf','/usr/lib/banger/kernel-elf-b2b9d602a316:65024:10118430:53243444:1795712803335346450:b2b9d602a316b2dbd4870911aa07d40bf0b3f59c4d0147c7bc7e18c049a01fab');
CREATE TABLE identity (tag TEXT NOT NULL);
INSERT INTO "identity" VALUES('64de');
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
INSERT INTO "image" VALUES('5e170ad9feae','tiny',1,268435456,9285632,'7cc0d16cebf20e05904abcdfe776b65d8985ccc865bac7f948acc56edcd75027','bundle debian-bookworm-amd64','e46134fdcd94dbda720eeb4614c1e2a73fc61c49f7c8c7701e4d23bd7c729dd0',1795725155418760940);
CREATE TABLE migration (
  number  INTEGER PRIMARY KEY,
  name    TEXT NOT NULL,
  applied INTEGER NOT NULL            -- nanoseconds since the epoch, as all times here
);
INSERT INTO "migration" VALUES(1,'first schema',1795725155400750967);
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
INSERT INTO "vm" VALUES('e61115f75596','still','5e170ad9feae','tiny','stopped','',1,134217728,'copy',268435456,'isolated','10.0.2.15','10.0.2.2','52:54:00:e6:11:15',24,'127.100.222.1',22,NULL,'tcg','qemu','',NULL,0,0,'',0,0,'',0,0,'','','',0,1795725174571831465,0,0,NULL,NULL,NULL,NULL,NULL,'','','');
INSERT INTO "vm" VALUES('1387dea6c765','one','5e170ad9feae','tiny','running','',1,134217728,'copy',268435456,'isolated','10.0.2.15','10.0.2.2','52:54:00:13:87:de',24,'127.100.222.3',22,NULL,'tcg','qemu','7.2.22','tcg',30711,1533821,'b87d045f-6486-4a1b-9902-029d93cd85dd',30676,1533804,'b87d045f-6486-4a1b-9902-029d93cd85dd',0,0,'','@ROOT@/run/banger/64de/1387dea6c765','@ROOT@/run/banger/64de/1387dea6c765/qmp.sock',0,1795725174702776210,1795725174876147930,0,0.211463511,5.174062625,7.413042519,6.16385723,1.482318191,'','','');
CREATE TABLE vm_label (
  vm    TEXT NOT NULL,                -- vm.id
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (vm, key)
) WITHOUT ROWID;
INSERT INTO "vm_label" VALUES('1387dea6c765','k','one');
INSERT INTO "vm_label" VALUES('e61115f75596','env','test');
CREATE TABLE vm_port (
  vm           TEXT NOT NULL,         -- vm.id
  position     INTEGER NOT NULL,      -- in the order they were given
  proto        TEXT NOT NULL,
  host_address TEXT NOT NULL,
  host         INTEGER NOT NULL,
  guest        INTEGER NOT NULL,
  PRIMARY KEY (vm, position)
) WITHOUT ROWID;
INSERT INTO "vm_port" VALUES('e61115f75596',0,'tcp','127.100.222.1',18081,80);
CREATE INDEX vm_image ON vm (image_id);
COMMIT;
