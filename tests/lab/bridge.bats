#!/usr/bin/env bats
# The host's network in the lab's own namespace, under a KVM that works: by root, and by a plain user who
# may start banger's helper and nothing else. With Firecracker where there is a binary, else with QEMU.
load ../lib
load ../system/vm

setup() {
  vm_root
  export BANGER_VM_READY_TIMEOUT=4m BANGER_VM_IMAGE=tiny BANGER_VM_MEMORY=128M
  vmm=qemu
  if binary=${FIRECRACKER:-$(command -v firecracker)}; then
    export BANGER_FIRECRACKER_BINARY=$binary
    vmm=firecracker
  fi
}
teardown() {
  remove_vms
  [ -z "${outside:-}" ] || ip netns del outside || true
}

net_field() { banger net status --json | jq -r "$1"; }
# All that the lab shows of links, rules and settings to whoever looks.
host_now() {
  ip -o link | cut -d: -f2- | sed 's/@if[0-9]*//; s/NO-CARRIER,\|,LOWER_UP\| state [A-Z]*//g'
  ip -4 route
  grep -H . /proc/sys/net/ipv4/conf/*/forwarding
  find /run/banger -name '*.bridge' 2>/dev/null || true
  [ "$(id -u)" -ne 0 ] || nft list ruleset
}

@test "two VMs on the bridge reach each other by address and name, and the host reaches them; nothing is left" {
  before=$(host_now)
  expect 0 banger doctor --json
  same "$(jq -r 'select(.id == "bridge").status' <<<"$output")" ok
  expect 0 banger net up
  same "$(net_field '.host.faults | length')" 0 # the kernel has the filter behind the rules, too
  expect 0 banger vm create --vmm $vmm a b
  expect 0 banger vm start a b
  same "$(vm_field a '[.vmm.driver, .net.mode] | join(" ")')" "$vmm bridge"
  expect 0 banger ssh a -- ping -c 1 -W 5 "$(vm_field b .net.address)"
  expect 0 banger ssh b -- ping -c 1 -W 5 a.vm
  same "$(timeout 10 bash -c 'exec 3<>"/dev/tcp/$1/22" && head -c 4 <&3' - "$(vm_field a .net.address)")" SSH-
  same "$(cat "/sys/class/net/$(net_field '.leases[0].tap')/owner")" "$(id -u)"
  expect 0 banger net publish a 8080:80
  banger ssh a -- 'setsid nc -ll -p 80 -e echo served </dev/null >/dev/null 2>&1 &'
  await 20 served 127.0.0.1 8080
  # What of it arrives; and with the helper's eye, the rule that keeps the lab's own ssh from guests.
  expect 1 banger net probe --json --to "$(hostname -I | cut -d' ' -f1):22" a
  same "$(jq -rs 'map(select(.test | IN("outside", "names") | not) | .outcome) | unique | join(" ")' <<<"$output")" ok
  [[ $(jq -r 'select(.test == "outside") | .by + " " + .at' <<<"$output") == 'rule inet banger_'????' input, rule '* ]]
  kill_monitor a "$(vm_field a .vmm.pid)"
  expect 0 banger vm start a
  expect 0 banger ssh b -- ping -c 1 -W 5 a.vm
  expect 0 banger vm rm --force a b
  expect 0 banger net down
  same "$(host_now)" "$before"
  nothing_left
}
served() { [ "$(timeout 5 bash -c "exec 3<>/dev/tcp/$1/$2 && head -1 <&3")" = served ]; }

# bats test_tags=user
@test "a plain user has no other rights: not another's bridge, not a port of root's" {
  expect 1 sudo -n true
  expect 0 banger net up
  helper=$BANGER_BUILD/libexec/banger/banger-helper
  expect 1 sudo -n "$helper" down
  expect 1 nft list ruleset
  expect 0 banger vm create --vmm $vmm --publish 0.0.0.0:80:80 a
  expect 0 banger vm start a
  [ "$(vm_field a '.net.ports[0].host')" -ge 1024 ]
  expect 0 banger vm rm --force a
  expect 0 banger net down
}

# bats test_tags=root
@test "a VM reaches a server in another network by NAT, and the counters show it" {
  outside=yes
  ip netns add outside
  ip link add lab0 type veth peer name lab1 netns outside
  ip addr add 192.0.2.1/24 dev lab0 && ip link set lab0 up
  ip -n outside addr add 192.0.2.2/24 dev lab1 && ip -n outside link set lab1 up
  ip -n outside link set lo up
  ip route replace default via 192.0.2.2
  ip netns exec outside python3 -c '
import socket
s = socket.create_server(("192.0.2.2", 8000))
while True:
    c, peer = s.accept()
    c.sendall((peer[0] + "\n").encode())
    c.close()' 3>&- &
  server=$!
  expect 0 banger net up
  expect 0 banger vm run --vmm $vmm a -- true
  await 20 hears_itself a
  [ "$(net_field '.leases[0].out_packets')" -gt 0 ]
  nft flush ruleset
  await 30 is_mended
  await 20 hears_itself a
  expect 0 banger vm rm --force a
  expect 0 banger net down
  kill $server
}
is_mended() { [ "$(net_field '.host.faults | length')" = 0 ]; }
hears_itself() { [ "$(banger ssh "$1" -- 'nc -w 5 192.0.2.2 8000 </dev/null')" = 192.0.2.1 ]; }
