CREATE TABLE snapshot (
  id        TEXT PRIMARY KEY,
  vm        TEXT NOT NULL REFERENCES vm (id) ON DELETE CASCADE,
  name      TEXT NOT NULL,
  image_id  TEXT NOT NULL,
  created   INTEGER NOT NULL,
  restoring INTEGER NOT NULL,
  UNIQUE (vm, name)
) WITHOUT ROWID;

ALTER TABLE vm ADD COLUMN confinement TEXT NOT NULL DEFAULT '';
