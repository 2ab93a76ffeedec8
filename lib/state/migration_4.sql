-- Labels and ports go with their VM. A foreign key can be given to a new table only.
CREATE TABLE new_label (
  vm    TEXT NOT NULL REFERENCES vm (id) ON DELETE CASCADE,
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (vm, key)
) WITHOUT ROWID;
INSERT INTO new_label SELECT vm, key, value FROM vm_label WHERE vm IN (SELECT id FROM vm);
DROP TABLE vm_label;
ALTER TABLE new_label RENAME TO vm_label;

CREATE TABLE new_port (
  vm           TEXT NOT NULL REFERENCES vm (id) ON DELETE CASCADE,
  position     INTEGER NOT NULL,
  proto        TEXT NOT NULL,
  host_address TEXT NOT NULL,
  host         INTEGER NOT NULL,
  guest        INTEGER NOT NULL,
  PRIMARY KEY (vm, position)
) WITHOUT ROWID;
INSERT INTO new_port
  SELECT vm, position, proto, host_address, host, guest FROM vm_port
  WHERE vm IN (SELECT id FROM vm);
DROP TABLE vm_port;
ALTER TABLE new_port RENAME TO vm_port;
