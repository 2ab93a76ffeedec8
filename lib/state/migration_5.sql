-- What there is of a VM's present run gets a table of its own; what the VM is stays.
CREATE TABLE vm_run (
  vm                 TEXT PRIMARY KEY REFERENCES vm (id) ON DELETE CASCADE,
  vmm_pid            INTEGER NOT NULL,
  vmm_start_time     INTEGER NOT NULL,
  vmm_boot_id        TEXT NOT NULL,
  monitor_pid        INTEGER NOT NULL,
  monitor_start_time INTEGER NOT NULL,
  monitor_boot_id    TEXT NOT NULL,
  runtime_dir        TEXT NOT NULL,
  vmm_api_socket     TEXT NOT NULL,
  outbound_open      INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO vm_run
  SELECT id, vmm_pid, vmm_start_time, vmm_boot_id, monitor_pid, monitor_start_time, monitor_boot_id,
         runtime_dir, vmm_api_socket, outbound_open
  FROM vm WHERE vmm_pid <> 0 OR monitor_pid <> 0 OR runtime_dir <> '';
ALTER TABLE vm DROP COLUMN want_vmm; -- which nothing read
ALTER TABLE vm DROP COLUMN vmm_pid;
ALTER TABLE vm DROP COLUMN vmm_start_time;
ALTER TABLE vm DROP COLUMN vmm_boot_id;
ALTER TABLE vm DROP COLUMN monitor_pid;
ALTER TABLE vm DROP COLUMN monitor_start_time;
ALTER TABLE vm DROP COLUMN monitor_boot_id;
ALTER TABLE vm DROP COLUMN runtime_dir;
ALTER TABLE vm DROP COLUMN vmm_api_socket;
ALTER TABLE vm DROP COLUMN outbound_open;
