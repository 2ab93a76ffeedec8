-- What the state has on the host: the network's record and ports whose change has begun were facts,
-- as JSON.
CREATE TABLE net_place (
  name   TEXT PRIMARY KEY,
  dir    TEXT NOT NULL,
  subnet TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE host_object (
  kind     TEXT NOT NULL,
  name     TEXT NOT NULL,
  vm       TEXT NOT NULL,
  place    TEXT REFERENCES net_place (name) ON DELETE CASCADE,
  identity TEXT NOT NULL,
  made     INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE INDEX host_object_vm ON host_object (vm);
CREATE INDEX host_object_place ON host_object (place);

CREATE TABLE port_change (
  vm           TEXT NOT NULL REFERENCES vm (id) ON DELETE CASCADE,
  proto        TEXT NOT NULL,
  host_address TEXT NOT NULL,
  host         INTEGER NOT NULL,
  guest        INTEGER NOT NULL,
  PRIMARY KEY (vm, proto, host_address, host, guest)
) WITHOUT ROWID;
