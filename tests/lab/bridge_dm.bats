#!/usr/bin/env bats
# The host's side with everything on: the network `bridge`, root disks by device-mapper. A start and a stop
# killed at each point of every program, after which the next command makes all good; and that the host is as
# before, compared as text. As root; with Firecracker where there is a binary.
load ../lib
load ../system/vm
load ../system/points

setup() {
  vm_root
  export BANGER_VM_READY_TIMEOUT=4m BANGER_VM_IMAGE=tiny BANGER_VM_MEMORY=128M BANGER_VM_ROOT=dm-snapshot
  export BANGER_VM_VMM=qemu BANGER_VM_STOP_TIMEOUT=20s
}
teardown() {
  banger vm list -q 2>/dev/null | xargs -r banger vm kill >/dev/null 2>&1 || true
  remove_vms
}

# Links, addresses, routes, rules of all kinds, block devices, records: but for what is counted.
all_of_host() {
  ip -o link | cut -d: -f2- | sed 's/@if[0-9]*//; s/NO-CARRIER,\|,LOWER_UP\| state [A-Z]*//g'
  ip -4 -o addr | sed 's/^[0-9]*: //; s/ *valid_lft.*//'
  ip -4 route show table all | sed 's/ linkdown//'
  ip rule
  nft list ruleset | sed 's/ counter packets [0-9]* bytes [0-9]*//; / expires /d'
  iptables-save 2>/dev/null | grep -v '^#' || true
  grep -H . /proc/sys/net/ipv4/conf/*/{forwarding,route_localnet}
  losetup -a
  dmsetup ls
  ls /dev/mapper
  find /run/banger -name '*.bridge' 2>/dev/null || true
}
leases() {
  python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(*(db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("vm", "host_object", "net_place")))' "$BANGER_STATE_DIR/state.db"
}
as_before() { [ "$(all_of_host)" = "$1" ]; }

# bats test_tags=root
@test "a loop device on a file of the state that nothing stands on is a leak; one that is used is none" {
  expect 0 banger vm create a
  cow=$(disk_of a cow.img)
  loop=$(losetup --find --show "$cow")
  expect 1 banger doctor --leaks --json
  schema leak
  same "$(field '[.object, .name, .owner] | join(" ")')" "loop $loop ($cow) $(vm_field a .id)"
  # Used by another device, or mounted: somebody's.
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

# bats test_tags=root
@test "start and stop with bridge and device-mapper, killed at each point of every program" {
  needs_failpoints
  before=$(all_of_host)
  expect 0 banger net up
  idle=$(all_of_host)
  expect 0 banger vm create --publish 8080:80 a
  prepared() { banger vm reconcile >/dev/null; }
  start_and_kill() {
    banger vm start --no-wait a
    banger vm kill a
  }
  made_good() {
    expect 0 banger vm reconcile
    expect 0 banger vm kill a
    await 20 as_before "$idle" || diff <(echo "$idle") <(all_of_host)
    expect 0 banger doctor --leaks
  }
  # shellcheck disable=SC2034 # walk uses it
  only='net.link|net.rules|disk.map|disk.loop|state.commit|sys.tap'
  walk banger-mapper prepared start_and_kill made_good 4 ends
  walk banger-helper prepared start_and_kill made_good 4 ends
  walk banger-place prepared start_and_kill made_good 1 ends
  walk banger-monitor prepared start_and_kill made_good 1 ends
  # A power cut of all that is in the way of the next start: VMM and monitor, with its rules gone.
  expect 0 banger vm start --no-wait a
  kill_monitor a "$(vm_field a .vmm.pid)"
  nft flush ruleset
  expect 0 banger vm start a
  expect 0 banger ssh a -- true
  expect 0 banger vm rm --force --all
  expect 0 banger net down
  await 20 as_before "$before" || diff <(echo "$before") <(all_of_host)
  same "$(leases)" '0 0 0'
  nothing_left
}

# bats test_tags=root
@test "three guests at once, and a smoke test beside them: the host is as before when they went" {
  if binary=${FIRECRACKER:-$(command -v firecracker)}; then
    export BANGER_FIRECRACKER_BINARY=$binary BANGER_VM_VMM=firecracker
  fi
  before=$(all_of_host)
  expect 0 banger net up
  up=$(all_of_host)
  expect 0 banger vm create a b c
  expect 0 banger vm start a b c
  expect 0 banger ssh a -- ping -c 1 -W 5 b.vm
  expect 0 banger ssh c -- ping -c 1 -W 5 "$(vm_field a .net.address)"
  three=$(all_of_host | grep -v ' expires ')
  expect 0 banger doctor --smoke --nat --json
  schema check
  same "$(jq -r 'select(.status == "missing").id' <<<"$output")" ''
  same "$(jq -r 'select(.id == "left").found' <<<"$output")" 'nothing is left of it'
  as_three() { [ "$(all_of_host)" = "$three" ]; }
  await 20 as_three || diff <(echo "$three") <(all_of_host)
  expect 0 banger doctor --leaks
  expect 0 banger vm rm --force --all
  await 20 as_before "$up" || diff <(echo "$up") <(all_of_host)
  expect 0 banger net down
  await 20 as_before "$before" || diff <(echo "$before") <(all_of_host)
  same "$(leases)" '0 0 0'
}
