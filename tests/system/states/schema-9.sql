-- A state as a build of schema 9 wrote it (commit 1e957750), while its VM 'one' ran in the private
-- network: an image, a VM that was never started, one that ran and was stopped, one that runs and has a
-- snapshot. Made by
--   banger vm create still --net isolated --label env=test --publish own:18081:80
--   banger vm run done --net user --label k=done --work-disk 32M; banger vm stop done
--   banger vm run one --net user --label k=one --publish own:18082:80
--   banger vm snapshot create one before
-- (each with --image tiny --memory 128M --accel tcg), then SQLite's .dump. Changed since: @ROOT@
-- stands for the directory it lay in; the bundle's place; the boot id. It is never to be made anew by
-- a later build.
PRAGMA application_id=0x626e6772;
PRAGMA user_version=9;
BEGIN TRANSACTION;
CREATE TABLE migration (
  number  INTEGER PRIMARY KEY,
  name    TEXT NOT NULL,
  applied INTEGER NOT NULL
);
INSERT INTO migration VALUES(1,'first schema',1796003802014803450);
INSERT INTO migration VALUES(2,'work disks and leases',1796003802014803450);
INSERT INTO migration VALUES(3,'host access',1796003802014803450);
INSERT INTO migration VALUES(4,'foreign keys',1796003802014803450);
INSERT INTO migration VALUES(5,'runs',1796003802014803450);
INSERT INTO migration VALUES(6,'host objects',1796003802014803450);
INSERT INTO migration VALUES(7,'wanted VMM',1796003802014803450);
INSERT INTO migration VALUES(8,'snapshots and confinement',1796003802014803450);
INSERT INTO migration VALUES(9,'NAT and mapped disks',1796003802014803450);
CREATE TABLE identity (tag TEXT NOT NULL);
INSERT INTO identity VALUES('eed5');
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
INSERT INTO image VALUES('31b84a1ef4ad','tiny',1,268435456,9289728,'9f8935c016613ba60b51d2ddb1f0b2d85491b57aef96d0a58ae97b3a69930ab6','bundle debian-bookworm-amd64','e46134fdcd94dbda720eeb4614c1e2a73fc61c49f7c8c7701e4d23bd7c729dd0',1796003802016392370);
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
  nat                INTEGER NOT NULL DEFAULT 1
);
INSERT INTO vm VALUES('e341d3ab667c','still','31b84a1ef4ad','tiny','stopped','',1,134217728,'overlay',268435456,'isolated','10.0.2.15','10.0.2.2','52:54:00:e3:41:d3',24,'127.238.213.1',22,'tcg','qemu','',NULL,0,0,'',0,1796003802222712574,0,0,NULL,NULL,NULL,NULL,NULL,'','','',0,'','',0,NULL,'',1);
INSERT INTO vm VALUES('383b48a4a2da','done','31b84a1ef4ad','tiny','stopped','',1,134217728,'overlay',268435456,'user','10.0.2.4','10.0.2.2','52:54:00:00:02:04',24,'127.238.213.2',22,'tcg','qemu','7.2.22','tcg',0,0,'',0,1796003802322833532,1796003802474593011,1796003806387753354,0.22852877799999998797,1.3670346650000000376,0.87196901100000001605,1.0947083650000000165,0.17144126300000001039,'','','',33554432,'/root','',0,NULL,'landlock 7',1);
INSERT INTO vm VALUES('dae7364444c5','one','31b84a1ef4ad','tiny','running','',1,134217728,'overlay',268435456,'user','10.0.2.5','10.0.2.2','52:54:00:00:02:05',24,'127.238.213.3',22,'tcg','qemu','7.2.22','tcg',0,0,'',0,1796003806427116513,1796003806430029507,0,0.078126965000000006544,0.73436626900000001594,0.98871158800000003008,0.8187609519999999863,0.096154604000000004626,'','','',0,'','',0,NULL,'landlock 7',1);
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
INSERT INTO vm_run VALUES('dae7364444c5',21707,3730314,'b87d045f-6486-4a1b-9902-029d93cd85dd',21684,3730306,'b87d045f-6486-4a1b-9902-029d93cd85dd','@ROOT@/run/banger/eed5/dae7364444c5','@ROOT@/run/banger/eed5/dae7364444c5/qmp.sock',0);
CREATE TABLE vm_label (
  vm    TEXT NOT NULL REFERENCES vm (id) ON DELETE CASCADE,
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (vm, key)
) WITHOUT ROWID;
INSERT INTO vm_label VALUES('383b48a4a2da','k','done');
INSERT INTO vm_label VALUES('dae7364444c5','k','one');
INSERT INTO vm_label VALUES('e341d3ab667c','env','test');
CREATE TABLE vm_port (
  vm           TEXT NOT NULL REFERENCES vm (id) ON DELETE CASCADE,
  position     INTEGER NOT NULL,      -- in the order they were given
  proto        TEXT NOT NULL,
  host_address TEXT NOT NULL,
  host         INTEGER NOT NULL,
  guest        INTEGER NOT NULL,
  PRIMARY KEY (vm, position)
) WITHOUT ROWID;
INSERT INTO vm_port VALUES('dae7364444c5',0,'tcp','127.238.213.3',18082,80);
INSERT INTO vm_port VALUES('e341d3ab667c',0,'tcp','127.238.213.1',18081,80);
CREATE TABLE snapshot (
  id        TEXT PRIMARY KEY,
  vm        TEXT NOT NULL REFERENCES vm (id) ON DELETE CASCADE,
  name      TEXT NOT NULL,
  image_id  TEXT NOT NULL,
  created   INTEGER NOT NULL,
  restoring INTEGER NOT NULL, -- its disks are taking the place of the VM's
  UNIQUE (vm, name)
) WITHOUT ROWID;
INSERT INTO snapshot VALUES('57f986b7438b','dae7364444c5','before','31b84a1ef4ad',1796003809336059323,0);
CREATE TABLE net_place (
  name   TEXT PRIMARY KEY,
  dir    TEXT NOT NULL,
  subnet TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO net_place VALUES('user','@ROOT@/run/banger/eed5/net','10.0.2.0/24');
CREATE TABLE host_object (
  kind     TEXT NOT NULL, -- model/host_object.h
  name     TEXT NOT NULL,
  vm       TEXT NOT NULL, -- the id of the VM that it is for, whose row may have gone; or empty
  place    TEXT REFERENCES net_place (name) ON DELETE CASCADE,
  identity TEXT NOT NULL, -- what tells it from another of that name; empty: not known
  made     INTEGER NOT NULL, -- whole; 0: it may be there, or a part of it
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;
INSERT INTO host_object VALUES('bridge','bng-eed5','','user','',1);
INSERT INTO host_object VALUES('holder','resolver','','user','21696 3730311 b87d045f-6486-4a1b-9902-029d93cd85dd',1);
INSERT INTO host_object VALUES('holder','user','','user','21690 3730308 b87d045f-6486-4a1b-9902-029d93cd85dd',1);
INSERT INTO host_object VALUES('netns','user','','user','4026532245',1);
INSERT INTO host_object VALUES('slirp','bngeed5-u1','dae7364444c5',NULL,'21699 3730313 b87d045f-6486-4a1b-9902-029d93cd85dd',1);
INSERT INTO host_object VALUES('table','banger_eed5','','user','5',1);
INSERT INTO host_object VALUES('tap','bngeed5-1','dae7364444c5','user','',0);
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
INSERT INTO event VALUES(1,1796003802222150846,'f84733e2','','image.imported','{"image":"tiny","id":"31b84a1ef4ad"}');
INSERT INTO event VALUES(2,1796003802259082499,'f84733e2','still','vm.created','{"id":"e341d3ab667c","image":"tiny"}');
INSERT INTO event VALUES(3,1796003802357496573,'4f31c398','done','vm.created','{"id":"383b48a4a2da","image":"tiny"}');
INSERT INTO event VALUES(4,1796003802474744477,'4f31c398','done','vm.starting','{}');
INSERT INTO event VALUES(5,1796003806100411105,'4f31c398','done','vm.ready','{"prepare":0.228528778,"vmm":1.367034665,"kernel":0.871969011,"userland":1.094708365,"ready":0.171441263}');
INSERT INTO event VALUES(6,1796003806387871370,'4f31c398','done','vm.stopped','{"reason":""}');
INSERT INTO event VALUES(7,1796003806428754736,'19477141','one','vm.created','{"id":"dae7364444c5","image":"tiny"}');
INSERT INTO event VALUES(8,1796003806430069697,'19477141','one','vm.starting','{}');
INSERT INTO event VALUES(9,1796003809165015343,'19477141','one','vm.ready','{"prepare":0.078126965,"vmm":0.734366269,"kernel":0.988711588,"userland":0.818760952,"ready":0.096154604}');
INSERT INTO event VALUES(10,1796003809185416471,'19477141','one','vm.paused','{"reason":"a snapshot is being made"}');
INSERT INTO event VALUES(11,1796003809542009571,'19477141','one','vm.resumed','{}');
INSERT INTO event VALUES(12,1796003809674906595,'c1b7d091','one','vm.snapshot','{"snapshot":"before"}');
CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO fact VALUES('net.user_allowed','b87d045f-6486-4a1b-9902-029d93cd85dd root  96365 96365 ');
INSERT INTO fact VALUES('tsc_khz','b87d045f-6486-4a1b-9902-029d93cd85dd 2596122');
INSERT INTO fact VALUES('verified.initrd','/usr/lib/banger/initrd-21442ce4bc7a:65024:10232228:1773824:1796003548015677349:21442ce4bc7abae6be817acafd98d4f538ba89f6b17470ffc5c9579a15e3ec5d');
INSERT INTO fact VALUES('verified.kernel-elf','/usr/lib/banger/kernel-elf-e1e0240c5d8b:65024:10232227:53243444:1796003547727677336:e1e0240c5d8b95af443b4392bdc95fe90ae0a70b433fb82f13e50d102ff9610a');
CREATE INDEX vm_image ON vm (image_id);
CREATE UNIQUE INDEX vm_address ON vm (net_mode, address) WHERE net_mode <> 'isolated';
CREATE INDEX host_object_vm ON host_object (vm);
CREATE INDEX host_object_place ON host_object (place);
COMMIT;
