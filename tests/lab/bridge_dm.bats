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
  # A server in the other network would keep that, and with it the link here that the lab's own tests use.
  if [ -n "${outside:-}" ]; then
    ip link del lab0 || true
    ip netns pids outside | xargs -r kill || true
    ip netns del outside || true
  fi
  banger vm kill --all >/dev/null 2>&1 || true
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
@test "start and stop with bridge and device-mapper, killed at each point of every program" {
  needs_failpoints
  expect 0 banger doctor --leaks
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
  outside=yes
  ip netns add outside
  ip link add lab0 type veth peer name lab1 netns outside
  ip addr add 192.0.2.1/24 dev lab0 && ip link set lab0 up
  ip -n outside addr add 192.0.2.2/24 dev lab1 && ip -n outside link set lab1 up
  ip route replace default via 192.0.2.2
  ip netns exec outside python3 -m http.server --bind 192.0.2.2 8000 >/dev/null 2>&1 3>&- &
  before=$(all_of_host)
  expect 0 banger net up
  up=$(all_of_host)
  expect 0 banger vm create a b c
  expect 0 banger vm start a b c
  expect 0 banger ssh a -- ping -c 1 -W 5 b.vm
  expect 0 banger ssh c -- ping -c 1 -W 5 "$(vm_field a .net.address)"
  three=$(all_of_host | grep -v ' expires ')
  expect 0 banger doctor --smoke --nat --to 192.0.2.2:8000 --json
  schema check
  same "$(jq -r 'select(.status != "ok").id' <<<"$output" | grep -v names || true)" '' # of names nobody knows there
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
