-- A VM on a shared network has its address alone; every isolated one has the same.
ALTER TABLE vm ADD COLUMN work_size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vm ADD COLUMN work_mount TEXT NOT NULL DEFAULT '';
ALTER TABLE vm ADD COLUMN outbound_open INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vm ADD COLUMN fault_log TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX vm_address ON vm (net_mode, address) WHERE net_mode <> 'isolated';
