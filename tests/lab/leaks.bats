#!/usr/bin/env bats
# What lies on a host without a record, where it takes devices that few machines that test have. As root.
load ../lib
load ../system/vm

setup() {
  vm_root
  export BANGER_VM_IMAGE=tiny BANGER_VM_MEMORY=128M BANGER_VM_ROOT=dm-snapshot BANGER_VM_VMM=qemu BANGER_NET_MODE=isolated
}

# bats test_tags=root
@test "a loop device on a file of the state that nothing stands on is a leak; one that is used is none" {
  expect 0 banger vm create a
  cow=$(disk_of a cow.img)
  loop=$(losetup --find --show "$cow")
  expect 1 banger doctor --leaks --json
  schema leak
  same "$(field '[.object, .name, .owner] | join(" ")')" "loop $loop ($cow) $(vm_field a .id)"
  # Used by another device: somebody's.
  dmsetup create banger-test --table "0 8 linear $loop 0"
  expect 0 banger doctor --leaks
  dmsetup remove banger-test
  # Elsewhere: not ours.
  truncate -s 1M "$root/file"
  other=$(losetup --find --show "$root/file")
  expect 0 banger doctor --fix
  outputs "$loop"
  expect 0 banger doctor --leaks
  same "$(losetup -n -O NAME "$other")" "$other"
  losetup -d "$other"
  same "$(losetup -n -O BACK-FILE | grep -cF "$BANGER_STATE_DIR" || true)" 0
  expect 0 banger vm rm a
}
