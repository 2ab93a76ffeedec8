#!/usr/bin/env bats
# The lab's promises to the tests in it. It runs in the lab (tests/lab/lab), as root and as the
# plain user `lab`; a tag marks a test that is for one of them alone.
load ../lib

setup() { private_root; }
teardown() {
  # The mapped device first: it holds its loop devices.
  [ -z "${mapped:-}" ] || dmsetup remove "$mapped"
  for device in ${loops:-}; do losetup -d "$device"; done
  for namespace in ${namespaces:-}; do ip netns del "$namespace"; done
  remove_private_root
}

# bats test_tags=root
@test "systemd is process 1, and all of it came up" {
  same "$(ps -p 1 -o comm=)" systemd
  expect 0 systemctl is-system-running
}

# bats test_tags=root
@test "the bundle's kernel is the lab's own" {
  bundle=$(runtime_bundle)
  same "$(uname -r)" "$(jq -r .kernel_release "$bundle/bundle.json")"
}

# Root's turn is in vm.bats.
# bats test_tags=user
@test "a guest of ours runs on real KVM" {
  bundle=$(runtime_bundle)
  cp --sparse=always "$bundle"/root-tiny-* "$root/disk"
  chmod u+w "$root/disk"
  expect 0 "$BANGER_SOURCE/tests/boot-initrd" --accel kvm --bundle "$bundle" --root "$root/disk" \
    --run 'dmesg | grep Hypervisor; echo "up as $(id -u)"'
  outputs 'Hypervisor detected: KVM'
  outputs 'up as 0'
}

# bats test_tags=user
@test "the plain user has group kvm and no other rights" {
  same "$(id -nG)" 'lab kvm'
  expect 1 cat /etc/shadow
  expect 1 sudo -n true
}

# loop_of FILE [OPTION]: $device is a loop device of it.
loop_of() {
  device=$(losetup --find --show "${@:2}" "$1")
  loops="$device ${loops:-}"
}

# bats test_tags=root
@test "loop devices: what is written there is in the file" {
  truncate -s 1M "$root/file"
  loop_of "$root/file"
  echo there | dd of="$device" conv=fsync status=none
  same "$(head -c 5 "$root/file")" there
}

# bats test_tags=root
@test "dm-snapshot: what is written to it is not in its base" {
  printf 'base' >"$root/base" && truncate -s 4M "$root/base"
  truncate -s 4M "$root/cow"
  loop_of "$root/base" --read-only
  base=$device
  loop_of "$root/cow"
  echo "0 $(blockdev --getsz "$base") snapshot $base $device P 8" | dmsetup create "lab-$$"
  mapped=lab-$$
  same "$(head -c 4 "/dev/mapper/$mapped")" base
  echo copy | dd of="/dev/mapper/$mapped" conv=fsync,notrunc status=none
  same "$(head -c 4 "/dev/mapper/$mapped")" copy
  same "$(head -c 4 "$root/base")" base
}

@test "tap devices, for a plain user in a namespace of his own" {
  within=()
  [ "$(id -u)" -eq 0 ] || within=(unshare --user --map-root-user --net)
  expect 0 "${within[@]}" sh -c 'ip tuntap add lab0 mode tap && ip -o link show lab0 && ip link del lab0'
  outputs lab0
}

make_namespaces() {
  for namespace in inside router outside; do
    ip netns add $namespace
    namespaces="$namespace ${namespaces:-}"
  done
}

# Three namespaces in a row: inside (10.9.1.2), router, outside (10.9.2.2).
three_in_a_row() {
  make_namespaces
  ip -n router link add in type veth peer name eth0 netns inside
  ip -n router link add out type veth peer name eth0 netns outside
  ip -n router address add 10.9.1.1/24 dev in
  ip -n router address add 10.9.2.1/24 dev out
  ip -n inside address add 10.9.1.2/24 dev eth0
  ip -n outside address add 10.9.2.2/24 dev eth0
  for link in in out; do ip -n router link set $link up; done
  for namespace in inside outside; do ip -n $namespace link set eth0 up; done
  ip -n inside route add default via 10.9.1.1
  ip netns exec router sysctl -q -w net.ipv4.ip_forward=1
}

# The address that a server outside sees when a client inside connects to it.
seen_outside() {
  rm -f "$root/listens"
  ip netns exec outside python3 -c '
import socket, sys
s = socket.create_server(("10.9.2.2", 80)); s.settimeout(20); open(sys.argv[1], "w")
print(s.accept()[1][0])' "$root/listens" >"$root/seen" 3>&- &
  server=$!
  await 20 test -e "$root/listens"
  ip netns exec inside python3 -c 'import socket; socket.create_connection(("10.9.2.2", 80), 20)' || return
  wait "$server"
  cat "$root/seen"
}

# bats test_tags=root
@test "nft masquerades what is forwarded" {
  three_in_a_row
  ip netns exec router nft -f - <<'NFT'
table ip lab {
  chain post {
    type nat hook postrouting priority srcnat
    oifname "out" masquerade
  }
}
NFT
  same "$(seen_outside)" 10.9.2.1
}

# bats test_tags=root
@test "iptables refuses what its rule says" {
  three_in_a_row
  ip netns exec router iptables -t nat -A POSTROUTING -o out -j SNAT --to-source 10.9.2.1
  same "$(seen_outside)" 10.9.2.1
  ip netns exec router iptables -A FORWARD -p tcp -j REJECT --reject-with tcp-reset
  expect 1 ip netns exec inside python3 -c 'import socket; socket.create_connection(("10.9.2.2", 80), 20)'
  errors ConnectionRefusedError
}

# bats test_tags=root
@test "a bridge carries what comes in by its ports" {
  make_namespaces
  ip -n router link add br0 type bridge
  for namespace in inside outside; do
    ip -n router link add $namespace type veth peer name eth0 netns $namespace
    ip -n router link set $namespace master br0 up
    ip -n $namespace link set eth0 up
  done
  ip -n router link set br0 up
  ip -n inside address add 10.9.2.3/24 dev eth0
  ip -n outside address add 10.9.2.2/24 dev eth0
  same "$(seen_outside)" 10.9.2.3
}
