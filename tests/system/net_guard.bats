#!/usr/bin/env bats
# The host itself: no guest may reach it through the private network. Root in a guest tries.
load ../lib
load vm
load net

setup() {
  vm_root
  helpers=
}
teardown() {
  remove_vms
  local pid
  # A function that is run beside is a shell, and what it runs its child.
  for pid in $helpers; do
    # shellcheck disable=SC2046 # none or more
    end $(pgrep -P "$pid") "$pid"
  done
}

dropped() { net_field ".leases[] | select(.vm == \"$1\") | .dropped.destination"; }
counted() { [ "$(dropped "$1")" -ge "$2" ]; }

# A server of TCP and UDP at every address of the host; serve COMMAND… runs it by COMMAND. Its port
# comes in $port; what it was told by datagrams in $root/told.
serve() {
  rm -f "$root/port"
  "$@" python3 -u - "$root/port" "$root/told" <<'EOF' 3>&- &
import os, select, socket, sys
while True:
    t = socket.create_server(("0.0.0.0", 0))
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        u.bind(t.getsockname())
        break
    except OSError:
        pass
with open(sys.argv[1] + ".new", "w") as f:
    f.write("%d\n" % t.getsockname()[1])
os.rename(sys.argv[1] + ".new", sys.argv[1])
while True:
    for s in select.select([t, u], [], [])[0]:
        if s is t:
            c, _ = t.accept()
            c.sendall(b"host\n")
            c.close()
        else:
            with open(sys.argv[2], "ab") as f:
                f.write(u.recv(100) + b"\n")
EOF
  helpers="$helpers $!"
  await 10 test -e "$root/port"
  read -r port <"$root/port"
}

# A guest's ways to 127.0.0.0/8: its own stack would not send there.
open_loopback='ip addr del 127.0.0.1/8 dev lo
  for f in /proc/sys/net/ipv4/conf/*/route_localnet; do echo 1 >$f; done
  ip route add 127.0.0.0/8 via 10.0.2.2
  ip route add 169.254.0.0/16 via 10.0.2.2'

@test "root in a guest reaches neither the host's loopback nor an address of the host" {
  needs_user_net
  serve env
  expect 0 banger vm run bad $tiny
  expect 0 banger vm run good $tiny
  for vm in bad good; do await 30 guest "$vm" true; done
  local own own_ssh
  own=$(outside_address)
  same "$(dropped bad)" 0
  guest bad "$open_loopback" || true
  # Another VM's ssh, at its address of the host.
  own_ssh=$(vm_field good '"\(.net.reach) \(.ssh.port)"')
  local n=0 target
  for target in "127.0.0.1 $port" "127.9.9.9 $port" "$own $port" "$own_ssh"; do
    expect 1 guest bad "nc -w 2 $target </dev/null"
    same "$output" ''
    n=$((n + 1))
    counted bad "$n"
  done
  expect 0 banger ssh cp "$BANGER_BUILD/tests/banger-test-udp" bad:udp
  for target in 127.0.0.1 "$own"; do
    guest bad "./udp send 4000 $target $port"
    n=$((n + 1))
    counted bad "$n"
  done
  expect 1 guest bad "ping -c 1 -W 1 $own"
  [ ! -e "$root/told" ]
  # It is told to people too, and nobody else is accused.
  expect 0 banger net status
  outputs ' destination'
  same "$(dropped good)" 0
  expect 0 guest good 'ping -c 1 -W 5 10.0.2.2 && ping -c 1 -W 5 10.0.2.3'
  expect 0 banger vm rm --force bad good
  nothing_left
}

@test "net.host_access opens the host's own addresses, not its loopback, and show says so" {
  needs_user_net
  serve env
  local own
  own=$(outside_address)
  expect 0 banger vm run closed $tiny
  expect 0 env BANGER_NET_HOST_ACCESS=true banger vm run open $tiny
  for vm in open closed; do await 30 guest "$vm" true; done
  expect 0 guest open "nc -w 10 $own $port </dev/null"
  same "$output" host
  expect 1 guest closed "nc -w 2 $own $port </dev/null"
  guest open "$open_loopback" || true
  expect 1 guest open "nc -w 2 127.0.0.1 $port </dev/null"
  counted open 1
  expect 0 banger vm show open
  outputs "the host's own addresses open"
  expect 0 banger vm show closed
  [[ $output != *"host's own"* ]]
  # It goes with the next start.
  expect 0 banger vm restart open
  expect 1 guest open "nc -w 2 $own $port </dev/null"
  expect 0 banger vm show open
  [[ $output != *"host's own"* ]]
  expect 0 banger vm rm --force open closed
  nothing_left
}

# Everything that follows is in a host of its own: a network namespace with the address 192.0.2.1
# and, behind a wire, another machine at 192.0.2.2.
make_host() {
  local map=
  [ "$(id -u)" -eq 0 ] || map=--map-root-user
  unshare $map --net sleep infinity 3>&- &
  host=$!
  helpers="$helpers $host"
  await 10 is_apart "$host" "$$"
  # shellcheck disable=SC2016 # for the inner shell
  in_host unshare --net sh -c 'echo $$ >"$0.new"; mv "$0.new" "$0"; exec sleep infinity' \
    "$root/beyond" 3>&- &
  await 10 test -e "$root/beyond"
  read -r beyond <"$root/beyond"
  helpers="$helpers $beyond"
  in_host ip link set lo up
  in_host ip link add wire type veth peer name wire netns "$beyond"
  in_host ip address add 192.0.2.1/24 dev wire
  in_host ip link set wire up
  in_beyond ip address add 192.0.2.2/24 dev wire
  in_beyond ip link set wire up
}
is_apart() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink "/proc/$2/ns/net")" ]; }
inside() {
  local user=
  [ "$(id -u)" -eq 0 ] || user='--user --preserve-credentials'
  # shellcheck disable=SC2086 # words
  nsenter --target "$1" $user --net "${@:2}"
}
in_host() { inside "$host" "$@"; }
in_beyond() { inside "$beyond" "$@"; }
# From here on the tools run on that host.
move_in() { banger() { in_host "$BANGER_BUILD/bin/banger" "$@"; }; }

# Whether a machine outside answers the guest: reached VM ADDRESS
reached() { [ "$(guest "$1" "nc -w 3 $2 $port </dev/null")" = host ]; }
unreached() { ! reached "$@"; }

# bats test_tags=once
@test "the host's addresses are followed; published ports serve the host's own clients" {
  needs_user_net
  make_host
  move_in
  serve in_beyond
  expect 0 banger vm run vm $tiny --publish 0.0.0.0:17000:7000
  await 30 guest vm true
  # Beyond the wire is the outside,
  await 10 reached vm 192.0.2.2
  in_beyond ip address add 192.0.2.9/32 dev lo
  in_host ip route add 192.0.2.9/32 via 192.0.2.2
  await 10 reached vm 192.0.2.9
  same "$(dropped vm)" 0
  # until an address is the host's.
  in_host ip route del 192.0.2.9/32 via 192.0.2.2
  in_host ip address add 192.0.2.9/32 dev wire
  beyond_port=$port
  serve in_host
  await 3 unreached vm 192.0.2.9
  counted vm 1
  expect 1 guest vm "nc -w 2 192.0.2.1 $port </dev/null"
  # A range that is routed to the host is its own as well.
  in_host ip route add local 198.51.100.0/24 dev lo
  in_host ip address add 203.0.113.5/32 dev lo
  for target in 198.51.100.77 203.0.113.5; do
    expect 1 guest vm "nc -w 2 $target $port </dev/null"
  done
  # And back.
  in_host ip address del 192.0.2.9/32 dev wire
  in_host ip route add 192.0.2.9/32 via 192.0.2.2
  port=$beyond_port
  await 10 reached vm 192.0.2.9

  # Clients at the host's own addresses get their answers.
  guest vm "setsid nc -ll -p 7000 -e echo published >/dev/null 2>&1 </dev/null &"
  for address in 127.0.0.1 192.0.2.1; do
    await 10 client in_host "$address"
  done
  await 10 client in_beyond 192.0.2.1
  expect 0 banger vm rm --force vm
}

client() {
  [ "$("$1" python3 -c 'import socket, sys
print(socket.create_connection((sys.argv[1], 17000), 5).makefile().readline().strip())' "$2")" = published ]
}

# The destinations of a VM's frames that leave by a way out, but for ARP: capture VM FILE
capture() {
  nsenter --target "$(net_field .holder)" --net python3 -u - "$2" \
    "$(net_field .bridge)" "$(vm_field "$1" .net.mac)" <<'EOF' 3>&- &
import os, socket, struct, sys
ways = sys.argv[2].replace("bng-", "bng") + "-u" # with which the names of all ways out begin
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
open(sys.argv[1] + ".ready", "w").close()
with open(sys.argv[1], "a", buffering=1) as out:
    while True:
        data, address = s.recvfrom(2048)
        if not address[0].startswith(ways): continue
        if address[2] != socket.PACKET_OUTGOING or data[6:12].hex(":") != sys.argv[3]: continue
        kind = struct.unpack("!H", data[12:14])[0]
        if kind == 0x0800: out.write(socket.inet_ntoa(data[30:34]) + "\n")
        elif kind != 0x0806: out.write("kind %#x\n" % kind)
EOF
  helpers="$helpers $!"
  await 10 test -e "$2.ready"
}

# bats test_tags=root
@test "no frame to what is closed leaves the network, whatever protocol, fragment or source" {
  [ "$(id -u)" -eq 0 ] || skip 'only root may look at the wires'
  needs_user_net
  make_host
  move_in
  expect 0 banger vm run bad $tiny
  await 30 guest bad true
  local own=192.0.2.1
  expect 0 banger ssh cp "$BANGER_BUILD/tests/banger-test-frames" bad:frames
  capture bad "$root/left"
  expect 0 guest bad 'ping -c 1 -W 5 10.0.2.2 && ip neigh show 10.0.2.2'
  gateway=$(awk '/lladdr/ { print $5 }' <<<"$output")
  address=$(vm_field bad .net.address)
  # Nine frames, two of them in halves; the one behind a tag is counted as another kind.
  local n=0 target source
  for target in 127.0.0.1 127.255.255.254 0.0.0.0 0.1.2.3 169.254.169.254 224.0.0.251 239.1.2.3 \
    240.0.0.1 255.255.255.255 "$own"; do
    expect 0 guest bad "./frames eth0 $gateway $address $target"
    n=$((n + 10))
    # An answer of TCP may go to an address of the host.
    [ "$target" != "$own" ] || n=$((n - 1))
    await 5 counted bad "$n"
  done
  same "$(dropped bad)" "$n"
  # With the sources that slirp4netns might believe: those are spoofed, and counted as that.
  for source in 10.0.2.2 10.0.2.3 127.0.0.1 "$own"; do
    expect 0 guest bad "./frames eth0 $gateway $source 127.0.0.1"
  done
  await 5 spoofed bad 40
  same "$(dropped bad)" "$n"
  # To all other places they go, also in fragments.
  expect 0 guest bad "./frames eth0 $gateway $address 192.0.2.2"
  await 5 frames_left 192.0.2.2 10
  same "$(grep -v -e '^10\.0\.2\.[23]$' -e '^192\.0\.2\.2$' "$root/left" | sort | uniq -c)" \
    "$(printf '%7d %s' 1 "$own")"
  expect 0 banger vm rm --force bad
  nothing_left
}
spoofed() { [ "$(net_field ".leases[] | select(.vm == \"$1\") | .dropped.address")" -ge "$2" ]; }
frames_left() { [ "$(grep -cx "$1" "$root/left")" -eq "$2" ]; }

# bats test_tags=root
@test "a network that an older build made is guarded from the next command on, while its VM runs" {
  [ "$(id -u)" -eq 0 ] || skip 'only root may take the guard out'
  needs_user_net
  serve env
  expect 0 banger vm run vm $tiny
  await 30 guest vm true
  local own holder tag
  own=$(outside_address) holder=$(net_field .holder) tag=$(net_field .table)
  tag=${tag#banger_}
  # As it was made before there was a guard.
  nsenter --target "$holder" --net nft -f - <<EOF
flush chain bridge $(net_field .table) out
delete chain bridge $(net_field .table) out
delete set bridge $(net_field .table) dropped_destination
delete set bridge $(net_field .table) host
delete set bridge $(net_field .table) host_open
EOF
  sqlite3 "$BANGER_STATE_DIR/state.db" \
    "update host_object set identity = '0' where kind = 'table'"
  await 10 reached vm "$own"
  # And before VMs had ways out of their own: what comes back by one was a guest's, and dropped.
  nsenter --target "$holder" --net nft -f - <<EOF
flush chain bridge $(net_field .table) sent
add rule bridge $(net_field .table) sent iifname "bng${tag}-up" goto outside
add rule bridge $(net_field .table) sent goto guest
EOF
  expect 0 banger vm reconcile
  [ "$(net_field .holder)" != "$holder" ]
  expect 0 unreached vm "$own"
  counted vm 1
  expect 0 banger vm rm --force vm
  nothing_left
}

# bats test_tags=once
@test "a Debian guest reaches neither the host's loopback nor an address of the host" {
  needs_user_net
  expect 0 banger bundle show --json
  [ "$(jq -r '[.parts[].name] | join(" ")' <<<"$output" | grep -c debian)" -gt 0 ] ||
    skip 'the bundle has no Debian root'
  serve env
  expect 0 banger vm run deb --image debian --memory 256M --accel tcg --timeout 3m
  local own n=0 target
  own=$(outside_address)
  guest deb "$open_loopback" || true
  for target in 127.0.0.1 127.9.9.9 "$own"; do
    for proto in tcp udp; do
      guest deb "timeout 2 bash -c 'echo out >/dev/$proto/$target/$port'" || true
      n=$((n + 1))
      counted deb "$n"
    done
  done
  [ ! -e "$root/told" ]
  expect 0 banger vm rm --force deb
  nothing_left
}

@test "frames that a bridge hands to its own namespace past its hooks are nobody's word" {
  needs_user_net
  expect 0 banger vm run $tiny --net user a -- true
  tag=$(net_field .bridge)
  tag=${tag#bng-}
  holder=$(net_field .holder)
  python3 - "$(net_field .dir)/holder.sock" "$tag" <<'EOF'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
guest = {"tap": 77, "mac": "52:54:00:aa:bb:cc", "address": "10.0.2.77"}
s.sendall(json.dumps({"v": 1, "do": "make", "network": {"tag": sys.argv[2], "base": "as_is", "join": [guest]}}).encode() + b"\n")
assert "error" not in s.makefile().readline()
EOF
  inside=(nsenter --target "$holder" --net)
  [ "$(id -u)" -eq 0 ] || inside+=(--user --preserve-credentials)
  expect 0 "${inside[@]}" "$BATS_TEST_DIRNAME/tap_guest.py" "bng$tag-77" 52:54:00:aa:bb:cc 10.0.2.77 \
    52:54:00:00:02:01 10.0.2.1 5555
  # The first of those groups the bridge takes as any frame for itself, with its sender looked at.
  same "$(grep -v '00:00:00 as 10.0.2.77' <<<"$output")" 'plain was heard from 10.0.2.77'
}
