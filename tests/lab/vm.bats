#!/usr/bin/env bats
# banger's own VMs on a KVM that works, which tests of the system cannot count on. It runs in the lab
# (tests/lab/lab), as root and as a plain user who has no rights but those of group kvm.
load ../lib
load ../system/vm

setup() {
  vm_root
  # The lab is emulated: its VMs boot at the pace of a slow machine.
  export BANGER_VM_READY_TIMEOUT=4m
}
teardown() { remove_vms; }

@test "a VM on KVM is made, reached and stopped, and nothing of it is left" {
  expect 0 banger vm run --image tiny --memory 128M --vmm qemu --accel kvm --net user t
  same "$(vm_field t .vmm.accel)" kvm
  same "$(vm_field t .net.mode)" user
  expect 0 banger ssh t -- 'dmesg | grep Hypervisor'
  outputs 'Hypervisor detected: KVM'
  expect 0 banger vm stop t
  same "$(vm_field t .state)" stopped
  expect 0 banger vm rm t
  nothing_left
}

@test "a KVM that works is used without anybody asking for it" {
  expect 0 banger vm create --image tiny --memory 128M --vmm qemu --net isolated a
  expect 0 banger vm start --no-wait a
  same "$stderr" ''
  same "$(vm_field a .vmm.accel)" kvm
  expect 0 banger vm kill a
}

# bats test_tags=root
@test "a guest's clock is right within seconds when the host's is set, and when its VMM was stopped" {
  expect 0 banger vm run --image tiny --memory 128M --vmm qemu --accel kvm --net isolated c
  right_time c
  for jump in '+1 hour' '-1 hour'; do
    date -s "$(date -d "$jump" +'%F %T')" >/dev/null
    await 10 right_time c
  done
  vmm=$(vm_field c .vmm.pid)
  kill -STOP "$vmm"
  sleep 20
  kill -CONT "$vmm"
  await 10 right_time c
  expect 0 banger vm kill c
}
