#!/usr/bin/env bats
# Limits of a VM's disks under real traffic, on QEMU: with direct I/O, so that no cache takes it.
load ../lib
load vm

# seconds_of COMMAND…: sets `took`.
seconds_of() {
  local began=$EPOCHREALTIME
  "$@" >/dev/null
  took=$(jq -n "$EPOCHREALTIME - $began")
}
# at_least SECONDS, below SECONDS: what seconds_of took.
at_least() { [ "$(jq -n "$took >= $1")" = true ] || { echo "it took $took s only, not $1"; return 1; }; }
below() { [ "$(jq -n "$took < $1")" = true ] || { echo "it took $took s, not less than $1"; return 1; }; }

# 6 MiB to the work disk; at 1 MiB a second 5 s, for a second's worth goes at once.
write_work() { banger ssh a -- dd if=/dev/zero of=/root/f bs=64k count=96 oflag=direct conv=fsync; }
# 160 operations at the root's image; at 40 a second 3 s.
read_root() { banger ssh a -- dd if=/dev/vda of=/dev/null bs=4k count=160 iflag=direct; }

restarted() { [ "$(vm_field a '.vmm.pid')" != "$1" ] && booted_again a "$2"; }

@test "a disk takes as long as its limit says; live, over a reboot, and by another monitor" {
  expect 0 banger vm create $tiny --root overlay --work-disk 32M --limit work.bandwidth=1M a
  expect 0 banger vm start a
  seconds_of write_work
  at_least 5
  below 20 # it is the limit that counts, and not that the machine is slow
  seconds_of read_root
  below 3

  # While it runs, each by itself.
  expect 0 banger vm set --json --limit work.bandwidth=none --limit root.ops=40 a
  schema result
  same "$(field '[.changed, .state] | join(" ")')" 'true running'
  same "$(vm_field a '.limits | [.root.ops, .work.bandwidth] | @json')" '[40,null]'
  seconds_of write_work
  below 5
  seconds_of read_root
  at_least 3
  expect 0 banger vm set --json --limit root.ops=40 a
  same "$(field .changed)" false
  expect 4 banger vm set --limit net.bandwidth=1M a
  errors "cannot change 'a' on 'qemu': it does not limit a network"
  # One that may run on either, and runs on this.
  sqlite3 "$BANGER_STATE_DIR/state.db" 'UPDATE vm SET want_accel = NULL'
  expect 4 banger vm set --limit net.bandwidth=1M a
  errors "cannot limit 'a': its VMM, 'qemu', does not limit a network"
  sqlite3 "$BANGER_STATE_DIR/state.db" "UPDATE vm SET want_accel = 'tcg'"

  # Its guest reboots, and the next VMM has them.
  first=$(vm_field a .vmm.pid) boot=$(banger ssh a -- cat /proc/sys/kernel/random/boot_id)
  banger ssh a -- reboot || true
  await 60 restarted "$first" "$boot"
  seconds_of write_work
  below 5
  seconds_of read_root
  at_least 3

  # What the row says is in force once another monitor has taken the VMM over.
  expect 0 banger vm set --limit work.bandwidth=1M --limit root.ops=none a
  kill_monitor a
  sqlite3 "$BANGER_STATE_DIR/state.db" "UPDATE vm SET work_bandwidth = 0, root_ops = 40 WHERE name = 'a'"
  expect 0 banger vm reconcile
  seconds_of write_work
  below 5
  seconds_of read_root
  at_least 3

  # And it stays: a start has the limits of the row.
  expect 0 banger vm set --limit root.ops=none --limit work.bandwidth=1M a
  expect 0 banger vm stop a
  same "$(vm_field a .limits.work.bandwidth)" 1048576
  expect 0 banger vm start a
  seconds_of write_work
  at_least 5
  seconds_of read_root
  below 3
}
