#!/usr/bin/env bats
# Limits of what a VM may move, as they are wished for and kept: no VM runs here.
load ../lib

setup() {
  private_root
  mkdir -p tree/sbin
  printf '#!/bin/sh\n' >tree/sbin/init
  chmod 755 tree/sbin/init
  expect 0 banger image import --size 64M mine tree
}
teardown() { remove_private_root; }

limits_of() { banger vm show --json "$1" | jq -c .limits; }

@test "limits are given when a VM is made, changed and lifted later, and shown" {
  expect 0 banger vm create --image mine --work-disk 32M --limit root.bandwidth=20M --limit work.ops=7 \
    --limit work.ops=500 a
  expect 0 banger vm show --json a
  schema vm
  same "$(field '.limits | @json')" \
    '{"root":{"bandwidth":20971520,"ops":null},"work":{"bandwidth":null,"ops":500},"net":{"bandwidth":null,"ops":null}}'
  expect 0 banger vm show a
  outputs 'limits     root 20M/s, work 500 ops/s'
  expect 0 banger vm list --json
  schema vm
  expect 0 banger vm set --json --limit root.bandwidth=none --limit root.ops=100 --limit work.ops=500 a
  schema result
  same "$(field .changed)" true
  same "$(limits_of a | jq -c '[.root, .work]')" '[{"bandwidth":null,"ops":100},{"bandwidth":null,"ops":500}]'
  expect 0 banger vm events --json a
  same "$(jq -r 'select(.type == "vm.changed").detail.limits' <<<"$output")" 'root 100 ops/s, work 500 ops/s'
  expect 0 banger vm set --json --limit root.ops=100 --limit net.bandwidth=none a
  same "$(field .changed)" false
  expect 0 banger vm set --limit root.ops=none --limit work.ops=none a
  same "$(limits_of a)" null
  expect 0 banger vm show a
  same "$(grep limits <<<"$output")" ''
  # A reset makes disks anew, and nothing else.
  expect 0 banger vm set --limit root.ops=100 a
  expect 0 banger vm reset a
  same "$(limits_of a | jq .root.ops)" 100
}

@test "what cannot be limited is refused, and nothing is made or changed" {
  for bad in root root=1M disk.bandwidth=1M root.speed=1M root.bandwidth=1K root.ops=0 root.ops=1.5; do
    expect 2 banger vm create --image mine --limit "$bad" a
  done
  errors "invalid limit 'root.ops=1.5'"
  expect 2 banger vm create --image mine --limit work.ops=5 a
  errors "cannot limit the work disk of 'a': it has none"
  # QEMU limits no network, and Firecracker has none for a VM that is alone.
  expect 4 banger vm create --image mine --vmm qemu --limit net.ops=5 a
  errors "cannot create 'a' on 'qemu': it does not limit a network"
  errors '--vmm firecracker'
  expect 4 banger vm create --image mine --net isolated --limit net.ops=5 a
  errors '--net user with Firecracker'
  expect 0 banger vm list -q
  same "$output" ''

  expect 0 banger vm create --image mine --net isolated --label k=before a
  expect 2 banger vm set --limit work.ops=5 --label k=after a
  expect 4 banger vm set --limit net.ops=5 --label k=after a
  errors "cannot change 'a' on 'qemu': it does not limit a network"
  same "$(banger vm show --json a | jq -c '[.limits, .labels.k]')" '[null,"before"]'
  expect 2 banger vm set a
  errors 'nothing to change'
}
