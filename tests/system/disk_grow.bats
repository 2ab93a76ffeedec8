#!/usr/bin/env bats
# Disks that grew: the guest's kernel makes their file systems as large, whatever dies on the way.
load ../lib
load vm

# A file system that its guest left at any moment: its journal makes it whole, nothing is amiss.
is_sound() {
  local status=0
  cp --sparse=always "$1" "$root/copy"
  e2fsck -fp "$root/copy" >"$root/fsck" 2>&1 || status=$?
  [ $status -le 1 ] || { cat "$root/fsck"; false; }
}
# How often a VM's boots have reached a stage of the bundle's init.
reached() { banger vm logs "$1" | grep -ac "^banger-init: $2 " || true; }
has_reached() { [ "$(reached "$1" "$2")" -gt "$3" ]; }

@test "the root grows at the next boot; a file system that its kernel cannot grow is told, and boots" {
  expect 0 banger vm create $tiny --root copy --work-disk 16M g
  mke2fs -q -F -t ext4 -O sparse_super2 "$(disk_of g work.img)"
  truncate -s 64M "$(disk_of g work.img)"
  expect 0 banger vm set --disk 3G g
  same "$(vm_field g '"\(.root.size) \(.work.size)"')" "$((3 << 30)) $((64 << 20))"
  expect 0 banger vm start g
  errors "'g': the file system on '/dev/vdb' stays at 16384 of 65536 blocks"
  [ "$(df_mib g /)" -gt 2800 ]
  [ "$(df_mib g /root)" -lt 20 ]
  expect 0 banger vm events g
  outputs vm.not_grown
  expect 0 banger vm stop g
  expect 0 e2fsck -fn "$(disk_of g root.img)"
  [ "$(takes "$(disk_of g root.img)")" -lt 65536 ]
  expect 4 banger vm set --work-disk 64M g
  # One without a journal it can.
  mke2fs -q -F -t ext4 -O ^has_journal "$(disk_of g work.img)" 16M
  expect 0 banger vm set --work-disk 80M g
  expect 0 banger vm start g
  [ "$(df_mib g /root)" -gt 60 ]
  expect 0 banger vm stop g
  expect 0 e2fsck -fn "$(disk_of g work.img)"
}

# bats test_tags=once
@test "killed at any moment of the boot that grows, file systems are whole, and the next boot goes on" {
  expect 0 banger vm create $tiny --root overlay --disk 16M --work-disk 16M k
  work=$(disk_of k work.img)
  # One whose growth takes long: small blocks, and none set apart for it.
  mke2fs -q -F -t ext4 -b 1024 -O ^resize_inode "$work" 16M
  debugfs -w -R 'mkdir /kept' "$work" 2>/dev/null
  # A test that failed has printed what repeats its moments.
  RANDOM=${BANGER_TEST_SEED:=$((EPOCHSECONDS % 32768))}
  echo "BANGER_TEST_SEED=$BANGER_TEST_SEED"
  for round in 1 2 3; do
    moment=0.$((RANDOM % 10))
    expect 0 banger vm set --disk ${round}G --work-disk $((round * 8))G k
    before=$(reached k net)
    expect 0 banger vm start --no-wait k
    await 60 has_reached k net "$before"
    echo "round $round: killed $moment s after its network was up"
    sleep "$moment"
    kill -9 "$(vm_field k .vmm.pid)"
    await 20 in_state k failed
    is_sound "$work"
    is_sound "$(disk_of k upper.img)"
  done
  expect 0 banger vm start k
  [ "$(df_mib k /)" -gt 2900 ]
  [ "$(df_mib k /root)" -gt 22000 ]
  expect 0 banger ssh k -- test -d /root/kept
  expect 0 banger vm stop k
  expect 0 e2fsck -fn "$work"
  is_sound "$(disk_of k upper.img)"
}
