-- A state as a build of schema 2 wrote it (commit 0fe57fe), while its VM 'one' ran in the private
-- network: an image, a VM that was never started, one that ran and was stopped, one that runs. Made by
--   banger vm create still --net isolated --label env=test --publish 18081:80
--   banger vm run done --net user --label k=done; banger vm stop done
--   banger vm run one --net user --label k=one --publish 18082:80
-- (each with --image tiny --memory 128M --accel tcg), then SQLite's .dump. Changed since: @ROOT@
-- stands for the directory it lay in; the bundle's place; the boot id. It is never to be made anew by
-- a later build.
PRAGMA application_id=0x626e6772;
PRAGMA user_version=2;
BEGIN TRANSACTION;
CREATE TABLE migration (
  number  INTEGER PRIMARY KEY,
  name    TEXT NOT NULL,
  applied INTEGER NOT NULL            -- nanoseconds since the epoch, as all times here
);
INSERT INTO migration VALUES(1,'first schema',1795852568180529771);
INSERT INTO migration VALUES(2,'work disks and leases',1795852568189001831);
CREATE TABLE identity (tag TEXT NOT NULL);
INSERT INTO identity VALUES('e8a5');
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
INSERT INTO image VALUES('b968dad16810','tiny',1,268435456,9351168,'404bc8f6e152a6f091cac51360a9293c264b9bc8e3c3e07c8136004122ea76c9','bundle debian-bookworm-amd64','e46134fdcd94dbda720eeb4614c1e2a73fc61c49f7c8c7701e4d23bd7c729dd0',1795852568196552239);
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
, work_size INTEGER NOT NULL DEFAULT 0, work_mount TEXT NOT NULL DEFAULT '', outbound_open INTEGER NOT NULL DEFAULT 0, fault_log TEXT NOT NULL DEFAULT '');
INSERT INTO vm VALUES('5987503ca390','still','b968dad16810','tiny','stopped','',1,134217728,'overlay',268435456,'isolated','10.0.2.15','10.0.2.2','52:54:00:59:87:50',24,'127.232.165.1',22,NULL,'tcg','qemu','',NULL,0,0,'',0,0,'',0,0,'','','',0,1795852568476543983,0,0,NULL,NULL,NULL,NULL,NULL,'','','',0,'',0,'');
INSERT INTO vm VALUES('2af3b5dc4aac','done','b968dad16810','tiny','stopped','',1,134217728,'overlay',268435456,'user','10.0.2.4','10.0.2.2','52:54:00:00:02:04',24,'127.232.165.2',22,NULL,'tcg','qemu','7.2.22','tcg',0,0,'',0,0,'',0,0,'','','',0,1795852568576063362,1795852568711906557,1795852575496264104,0.21021965900000000315,0.90499755500000000907,1.2457561770000000755,1.1189200589999999113,0.20176095499999999183,'','','',0,'',0,'');
INSERT INTO vm VALUES('71ff51ccc4ee','one','b968dad16810','tiny','running','',1,134217728,'overlay',268435456,'user','10.0.2.5','10.0.2.2','52:54:00:00:02:05',24,'127.232.165.3',22,NULL,'tcg','qemu','7.2.22','tcg',29566,221186,'b87d045f-6486-4a1b-9902-029d93cd85dd',29561,221180,'b87d045f-6486-4a1b-9902-029d93cd85dd',0,0,'','@ROOT@/run/banger/e8a5/71ff51ccc4ee','@ROOT@/run/banger/e8a5/71ff51ccc4ee/qmp.sock',0,1795852575516635367,1795852575536503842,0,0.063923727999999999105,1.3303636070000000035,2.4365526790000000545,4.9230530169999999756,0.47042238800000002463,'','','',0,'',0,'');
CREATE TABLE vm_label (
  vm    TEXT NOT NULL,                -- vm.id
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (vm, key)
) WITHOUT ROWID;
INSERT INTO vm_label VALUES('2af3b5dc4aac','k','done');
INSERT INTO vm_label VALUES('5987503ca390','env','test');
INSERT INTO vm_label VALUES('71ff51ccc4ee','k','one');
CREATE TABLE vm_port (
  vm           TEXT NOT NULL,         -- vm.id
  position     INTEGER NOT NULL,      -- in the order they were given
  proto        TEXT NOT NULL,
  host_address TEXT NOT NULL,
  host         INTEGER NOT NULL,
  guest        INTEGER NOT NULL,
  PRIMARY KEY (vm, position)
) WITHOUT ROWID;
INSERT INTO vm_port VALUES('5987503ca390',0,'tcp','127.232.165.1',18081,80);
INSERT INTO vm_port VALUES('71ff51ccc4ee',0,'tcp','127.232.165.3',18082,80);
CREATE TABLE event (
  seq    INTEGER PRIMARY KEY,
  time   INTEGER NOT NULL,
  op     TEXT NOT NULL,
  vm     TEXT NOT NULL,               -- its name: events outlive it
  type   TEXT NOT NULL,
  detail TEXT NOT NULL                -- a JSON object
);
INSERT INTO event VALUES(1,1795852568476049401,'b0bb1c4e','','image.imported','{"image":"tiny","id":"b968dad16810"}');
INSERT INTO event VALUES(2,1795852568496502239,'b0bb1c4e','still','vm.created','{"id":"5987503ca390","image":"tiny"}');
INSERT INTO event VALUES(3,1795852568580337238,'c1c8b1ef','done','vm.created','{"id":"2af3b5dc4aac","image":"tiny"}');
INSERT INTO event VALUES(4,1795852568711995397,'c1c8b1ef','done','vm.starting','{}');
INSERT INTO event VALUES(5,1795852572290387478,'c1c8b1ef','done','vm.ready','{"prepare":0.210219659,"vmm":0.904997555,"kernel":1.245756177,"userland":1.118920059,"ready":0.201760955}');
INSERT INTO event VALUES(6,1795852575496359872,'c1c8b1ef','done','vm.stopped','{"reason":""}');
INSERT INTO event VALUES(7,1795852575524212921,'6d2a5b6d','one','vm.created','{"id":"71ff51ccc4ee","image":"tiny"}');
INSERT INTO event VALUES(8,1795852575536561743,'6d2a5b6d','one','vm.starting','{}');
INSERT INTO event VALUES(9,1795852584774424855,'6d2a5b6d','one','vm.ready','{"prepare":0.063923728,"vmm":1.330363607,"kernel":2.436552679,"userland":4.923053017,"ready":0.470422388}');
CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO fact VALUES('net','{"dir":"@ROOT@/run/banger/e8a5/net","subnet":"10.0.2.0/24","holder":{"pid":29563,"start_time":221182,"boot_id":"b87d045f-6486-4a1b-9902-029d93cd85dd"},"slirp":{"pid":29564,"start_time":221183,"boot_id":"b87d045f-6486-4a1b-9902-029d93cd85dd"},"holder_ready":true,"slirp_ready":true,"net_id":4026532455,"taps":{"71ff51ccc4ee":1}}');
INSERT INTO fact VALUES('net.user_allowed','b87d045f-6486-4a1b-9902-029d93cd85dd root  96365 96365 ');
INSERT INTO fact VALUES('tsc_khz','b87d045f-6486-4a1b-9902-029d93cd85dd 2299997');
INSERT INTO fact VALUES('verified.initrd','/usr/lib/banger/initrd-75ad9029b888:65024:5316756:1726084:1795851434114273175:75ad9029b888675e5a1e606fdfc4a13632bb60f37f59736e17ea7794ab22da88');
INSERT INTO fact VALUES('verified.kernel-elf','/usr/lib/banger/kernel-elf-b2b9d602a316:65024:5316755:53243444:1795851433686273179:b2b9d602a316b2dbd4870911aa07d40bf0b3f59c4d0147c7bc7e18c049a01fab');
CREATE INDEX vm_image ON vm (image_id);
CREATE UNIQUE INDEX vm_address ON vm (net_mode, address) WHERE net_mode <> 'isolated';
COMMIT;
