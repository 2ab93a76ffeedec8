-- Served beside today's schema while monitors of schema 2 or 3 run (older_monitors.h).
ALTER TABLE vm ADD COLUMN want_vmm TEXT;
ALTER TABLE vm ADD COLUMN vmm_pid INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vm ADD COLUMN vmm_start_time INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vm ADD COLUMN vmm_boot_id TEXT NOT NULL DEFAULT '';
ALTER TABLE vm ADD COLUMN monitor_pid INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vm ADD COLUMN monitor_start_time INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vm ADD COLUMN monitor_boot_id TEXT NOT NULL DEFAULT '';
ALTER TABLE vm ADD COLUMN runtime_dir TEXT NOT NULL DEFAULT '';
ALTER TABLE vm ADD COLUMN vmm_api_socket TEXT NOT NULL DEFAULT '';
ALTER TABLE vm ADD COLUMN outbound_open INTEGER NOT NULL DEFAULT 0;
UPDATE vm SET
  (vmm_pid, vmm_start_time, vmm_boot_id, monitor_pid, monitor_start_time, monitor_boot_id,
   runtime_dir, vmm_api_socket, outbound_open) =
  (SELECT vmm_pid, vmm_start_time, vmm_boot_id, monitor_pid, monitor_start_time, monitor_boot_id,
          runtime_dir, vmm_api_socket, outbound_open FROM vm_run WHERE vm_run.vm = vm.id)
  WHERE id IN (SELECT vm FROM vm_run);

CREATE TRIGGER older_run AFTER UPDATE OF
  vmm_pid, vmm_start_time, vmm_boot_id, monitor_pid, monitor_start_time, monitor_boot_id,
  runtime_dir, vmm_api_socket, outbound_open ON vm
BEGIN
  DELETE FROM vm_run WHERE vm = NEW.id;
  INSERT INTO vm_run
    SELECT NEW.id, NEW.vmm_pid, NEW.vmm_start_time, NEW.vmm_boot_id, NEW.monitor_pid,
           NEW.monitor_start_time, NEW.monitor_boot_id, NEW.runtime_dir, NEW.vmm_api_socket,
           NEW.outbound_open
    WHERE NEW.vmm_pid <> 0 OR NEW.monitor_pid <> 0 OR NEW.runtime_dir <> '';
END;

-- Their connections do not enforce foreign keys.
CREATE TRIGGER older_removal AFTER DELETE ON vm
BEGIN
  DELETE FROM vm_run WHERE vm = OLD.id;
END;
