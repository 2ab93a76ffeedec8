#!/usr/bin/env bats
# banger's own VMs on a KVM that works, which tests of the system cannot count on. It runs in the lab
# (tests/lab/lab), as root and as a plain user who has no rights but those of group kvm.
load ../lib
load ../system/vm

setup() { vm_root; }
teardown() { remove_vms; }

@test "a VM runs on KVM without anybody asking for it, is reached, stopped and started" {
  expect 0 banger vm run --image tiny --memory 128M --net user t
  same "$stderr" ''
  same "$(vm_field t .vmm.accel)" kvm
  same "$(vm_field t .net.mode)" user
  expect 0 banger ssh t -- 'dmesg | grep Hypervisor; echo kept >kept'
  outputs 'Hypervisor detected: KVM'
  expect 0 banger vm stop t
  expect 0 banger vm start t
  same "$(vm_field t .vmm.accel)" kvm
  expect 0 banger ssh t -- cat kept
  same "$output" kept
  expect 0 banger vm rm --force t
  nothing_left
}

@test "a VM for one command gives its status" {
  expect 7 banger vm run --rm --image tiny --memory 128M --net user t -- 'echo said; exit 7'
  outputs said
  nothing_left
}
