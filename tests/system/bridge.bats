#!/usr/bin/env bats
# The host's network, with real guests: `net up`, who reaches whom, and that nothing is left.
load ../lib
load vm
load net
load points
load bridge

lan_hears() { [ "$(said without "$(vm_field "$1" .net.address)" "$2" 2>/dev/null)" = "$3" ]; }

@test "two VMs on the bridge: the host, the outside by NAT, one another by address and name; nothing is left" {
  before=$(host_now)
  expect 0 banger net up --json
  schema result
  same "$(field '[.name, .state, .changed] | @json')" '["bridge","up",true]'
  same "$(net_field .mode)" bridge
  expect 0 banger vm create $tiny a b
  same "$stderr" ''
  expect 0 banger vm start a b
  same "$(vm_field a '.net | [.mode, .reach == .address, .dns] | @json')" '["bridge",true,"a.vm"]'
  same "$(vm_field a '.ssh | [.address, .port] | @json')" "$(vm_field a '[.net.address, 22] | @json')"
  expect 0 banger ssh a -- ping -c 1 -W 5 "$(vm_field b .net.address)"
  expect 0 banger ssh a -- ping -c 1 -W 5 b.vm
  expect 0 banger ssh b -- ping -c 1 -W 5 a
  expect 0 banger ssh a -- ping -c 1 -W 5 "$(vm_field a .net.gateway)"
  # Out by NAT: the server sees the host's address, and the counter the packets.
  serve_at without 203.0.113.7 8000 outside
  expect 0 guest_hears a 203.0.113.7 8000
  same "$output" 'outside 192.0.2.1'
  [ "$(net_field '.leases[] | select(.vm == "a").out_packets')" -gt 0 ]
  same "$(net_field '.leases[] | select(.vm == "b").out_packets')" 0
  # Without NAT nothing that it begins leaves the bridge, at once and over a restart.
  expect 0 banger net nat down a
  same "$(vm_field a .net.nat)" false
  hears_nothing a 203.0.113.7 8000
  expect 0 banger ssh a -- ping -c 1 -W 5 b
  expect 0 banger vm restart a
  hears_nothing a 203.0.113.7 8000
  expect 0 banger net nat up a
  expect 0 guest_hears a 203.0.113.7 8000
  # The LAN reaches it by its address.
  banger ssh b -- 'nc -l -p 7000 -e echo hello </dev/null >/dev/null 2>&1 &'
  await 10 lan_hears b 7000 hello
  expect 0 banger vm rm --force a b
  expect 0 banger net down
  same "$(net_field .mode)" user
  same "$(host_now)" "$before"
  nothing_left
}

hears_nothing() {
  expect 1 banger ssh "$1" -- "nc -w 2 $2 $3 </dev/null"
  same "$output" ''
}

@test "a guest reaches neither the host nor its other networks, nor do those reach it; it sends as itself alone" {
  expect 0 banger net up
  expect 0 banger vm run $tiny a -- true
  address=$(vm_field a .net.address)
  gateway=$(vm_field a .net.gateway)
  for at in 0.0.0.0:8001 127.0.0.1:8002; do serve_at within "${at%:*}" "${at#*:}" host; done
  serve_at without 198.51.100.2 8003 other
  for at in "$gateway 8001" '192.0.2.1 8001' '198.51.100.1 8001' '127.0.0.1 8002' '198.51.100.2 8003'; do
    hears_nothing a ${at}
  done
  [ "$(net_field '.leases[0].dropped.destination')" -gt 0 ]
  # A route to loopback through the bridge, which routes what comes from there.
  banger ssh a -- "ip route add 127.0.0.2/32 via $gateway 2>/dev/null; ip route add table local 127.0.0.3 via $gateway" || true
  banger ssh a -- 'nc -l -p 7000 -e echo hello </dev/null >/dev/null 2>&1 &'
  in_ns "$outside" ip route add "$address/32" via 198.51.100.1
  within bash -c 'echo 1 >/proc/sys/net/ipv4/conf/dock0/forwarding'
  expect 1 said without "$address" 7000 # by dock0, the network of a stranger
  in_ns "$outside" ip route del "$address/32"
  await 10 lan_hears a 7000 hello
  # Another's address.
  banger ssh a -- "ip addr add ${address%.*}.77/24 dev eth0; ping -c 1 -W 1 -I ${address%.*}.77 $gateway" && false
  [ "$(net_field '.leases[0].dropped | .address + .arp')" -gt 0 ]
  # The host is open to those that are told so at their start; never its loopback.
  expect 0 banger vm stop a
  BANGER_NET_HOST_ACCESS=true expect 0 banger vm start a
  expect 0 guest_hears a 192.0.2.1 8001
  same "$output" "host $address"
  hears_nothing a 127.0.0.1 8002
  same "$(vm_field a .net.address)" "$address" # over a restart
}

@test "published ports: at loopback, at the host's addresses, at the VM's own; taken ones are a conflict" {
  expect 0 banger net up
  serve_at within 127.0.0.1 8500 taken
  expect 0 banger vm create $tiny --publish 8080:80 --publish 0.0.0.0:8081:80 --publish own:8082:80 --publish 198.51.100.1:8083:80 web
  forwards() { within cat /proc/sys/net/ipv4/conf/dock0/forwarding; }
  same "$(forwards)" 0
  expect 0 banger vm start web
  own=$(vm_field web .net.address)
  banger ssh web -- 'setsid nc -ll -p 80 -e echo served </dev/null >/dev/null 2>&1 &'
  await 10 served within 127.0.0.1 8080
  served within "$own" 8080
  served within 192.0.2.1 8081
  served within 127.0.0.1 8081
  served without 192.0.2.1 8081
  served within "$own" 8082
  # At an address whose network is not the way out, too: that link forwards to guests, and nowhere else.
  served within 198.51.100.1 8083
  served without 198.51.100.1 8083
  served without 198.51.100.1 8081
  same "$(forwards)" 1
  same "$(net_field '.host.uplinks | @json')" '["up0"]'
  expect 1 said within 192.0.2.1 8080
  expect 1 said without 192.0.2.1 8080
  expect 4 banger net publish web 8500:80
  expect 0 banger net publish web 8600:80
  served within 127.0.0.1 8600
  expect 0 banger net publish web 8600:80 --remove
  expect 1 said within 127.0.0.1 8600
  served within 127.0.0.1 8080
  # Another VM cannot have them, and they end with it.
  expect 4 banger vm create $tiny --publish 8080:80 other
  errors "'web' publishes it"
  expect 0 banger vm stop web
  same "$(forwards)" 0
  expect 1 said within 127.0.0.1 8080
  expect 0 banger vm start web
  banger ssh web -- 'setsid nc -ll -p 80 -e echo served </dev/null >/dev/null 2>&1 &'
  await 10 served within 127.0.0.1 8080
}
served() { [ "$(said "$@" 2>/dev/null)" = served ]; }

@test "up and down: what stands in the way is named; a VM moves between networks and keeps its ports" {
  expect 0 banger net down
  expect 5 banger vm create $tiny --net bridge b
  errors 'banger net up'
  expect 0 banger vm create $tiny --net user --publish own:8090:80 a
  reach=$(vm_field a .net.reach)
  expect 2 banger net up --subnet 203.0.113.0/24
  errors 'somebody'
  same "$(net_field .mode)" user # what was refused is no wish
  within ip route add 10.99.0.0/16 via 192.0.2.2
  expect 4 banger net up --subnet 10.99.7.0/24
  errors 'route to 10.99.0.0/16'
  same "$(within nft list ruleset)" ''
  expect 0 banger net up --subnet 192.168.77.0/24
  outputs '192.168.77.0/24'
  expect 0 banger net up --json
  same "$(field .changed)" false
  expect 0 banger vm set --net bridge a
  same "$(vm_field a '.net | [.mode, .address, .reach, .gateway, .ports[0].host_address] | @json')" \
    '["bridge","192.168.77.4","192.168.77.4","192.168.77.1","192.168.77.4"]'
  expect 4 banger net up --subnet 192.168.78.0/24
  errors "a has an address of another"
  expect 0 banger vm create $tiny --ip 192.168.77.99 c
  expect 4 banger vm create $tiny --ip 192.168.77.99 d
  expect 2 banger vm create $tiny --ip 192.168.77.1 d
  # An address that the host does not have: refused of a stopped VM as of one that runs, and a start names
  # what undoes it where it was lost since.
  expect 4 banger net publish a 203.0.113.99:9400:80
  errors 'cannot publish 203.0.113.99:9400/tcp: it is no address of this host'
  within ip addr add 203.0.113.99/32 dev lo
  expect 0 banger net publish a 203.0.113.99:9400:80
  within ip addr del 203.0.113.99/32 dev lo
  expect 4 banger vm start a
  errors 'cannot publish 203.0.113.99:9400/tcp: it is no address of this host'
  errors 'hint: banger net publish --remove a 203.0.113.99:9400:80'
  expect 0 banger net publish --remove a 203.0.113.99:9400:80
  expect 0 banger vm start a
  expect 0 banger vm snapshot create a s
  expect 4 banger net publish a 203.0.113.99:9400:80
  expect 4 banger net down
  errors 'a runs on it'
  expect 0 banger vm stop a
  expect 0 banger net down
  expect 5 banger vm start a
  errors 'banger net up'
  expect 0 banger net up # its subnet was kept
  outputs '192.168.77.0/24'
  # A VPN takes it, and VMs have addresses of it: the commands that are named lead to another one.
  within ip route add 192.168.77.128/25 via 192.0.2.2
  way='banger vm set --net user a c; banger net up; banger vm set --net bridge a c'
  same "$(net_field '.host.faults[0].fix')" "banger net down; $way"
  banger doctor --json >"$root/doctor" || true # what else this machine lacks is not asked
  same "$(jq -r 'select(.id == "bridge").fix' "$root/doctor")" "banger net down; $way"
  expect 0 banger net down
  expect 4 banger net up
  errors 'a, c have an address of it'
  errors "hint: $way"
  expect 0 banger vm set --net user a c
  expect 0 banger net up
  expect 0 banger vm set --net bridge a c
  same "$(net_field '.host.faults | length')" 0
  expect 4 banger vm snapshot restore a s
  errors '192.168.77.4 is no address of'
  errors 'hint: banger net down, and banger net up --subnet 192.168.77.0/24'
  within ip route del 192.168.77.128/25
  expect 0 banger vm set --net user a
  same "$(vm_field a '.net | [.mode, .reach == .ports[0].host_address, .reach] | @json')" "[\"user\",true,\"$reach\"]"
  expect 0 banger vm start a
  expect 0 banger ssh a -- true
}

@test "what a host loses comes back: rules flushed, the bridge removed, the resolver killed, a reboot" {
  expect 0 banger net up
  expect 0 banger vm create $tiny --publish 8080:80 a
  expect 0 banger vm create $tiny b
  expect 0 banger vm start a b
  tag=$(net_field .host.bridge)
  tag=${tag#bng-}
  banger ssh a -- 'setsid nc -ll -p 80 -e echo served </dev/null >/dev/null 2>&1 &'
  await 10 served within 127.0.0.1 8080
  rules=$(within nft list ruleset | grep -v counter)
  within nft flush ruleset
  await 20 has_rules
  expect 0 banger net up --json
  same "$(within nft list ruleset | grep -v counter)" "$rules"
  served within 127.0.0.1 8080
  resolver=$(net_field .host.resolver_pid)
  within ip link del "bng-$tag"
  expect 0 banger net up
  served within 127.0.0.1 8080
  await 10 answered_by_another "$resolver"
  expect 0 banger ssh a -- ping -c 1 -W 5 b.vm
  # A start makes good what another lacks.
  expect 0 banger vm stop b
  within nft flush ruleset
  expect 0 banger vm start b
  served within 127.0.0.1 8080
  resolver=$(net_field .host.resolver_pid)
  kill -9 "$resolver"
  await 10 answered_by_another "$resolver"
  expect 0 banger ssh a -- ping -c 1 -W 5 b.vm
  # A power cut.
  kill_monitor a "$(vm_field a .vmm.pid)"
  kill_monitor b "$(vm_field b .vmm.pid)"
  address=$(vm_field a .net.address)
  reboot_host
  expect 0 banger vm start a
  same "$(vm_field a .net.address)" "$address"
  banger ssh a -- 'setsid nc -ll -p 80 -e echo served </dev/null >/dev/null 2>&1 &'
  await 10 served within 127.0.0.1 8080
  expect 0 banger vm rm --force a b
  expect 0 banger net down
  same "$(within nft list ruleset)" ''
  nothing_left
}
has_rules() { [ -n "$(within nft list ruleset)" ]; }
answered_by_another() {
  local pid
  pid=$(net_field .host.resolver_pid)
  [ "$pid" != null ] && [ "$pid" != "$1" ]
}

@test "firewalls of others that drop what is forwarded let the bridge pass, and have no rule of it afterwards" {
  export BANGER_VM_IMAGE=tiny BANGER_VM_MEMORY=128M BANGER_VM_ACCEL=tcg
  serve_at without 203.0.113.7 8000 outside
  within iptables-nft -P FORWARD DROP
  within iptables-nft -P INPUT DROP
  within iptables-nft -A INPUT -i lo -j ACCEPT
  within iptables-nft -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
  within iptables-legacy -P FORWARD DROP
  within nft 'add table inet own; add chain inet own forwards { type filter hook forward priority 5; policy drop; }'
  before=$(host_now)
  before_legacy=$(within iptables-legacy -S 2>/dev/null || true)
  expect 0 banger net up
  same "$(within iptables-nft -S FORWARD | grep -c 'bng-.* -j ACCEPT')" 2
  expect 0 banger vm run --publish 0.0.0.0:8080:80 a -- true
  expect 0 guest_hears a 203.0.113.7 8000
  same "$output" 'outside 192.0.2.1'
  expect 0 banger ssh a -- nslookup a.vm "$(vm_field a .net.gateway)"
  banger ssh a -- 'setsid nc -ll -p 80 -e echo served </dev/null >/dev/null 2>&1 &'
  await 10 served without 192.0.2.1 8080
  # Docker comes: its chain for others is the place, and is found at once.
  within iptables-nft -N DOCKER-USER
  within iptables-nft -F FORWARD
  within iptables-nft -A FORWARD -j DOCKER-USER
  await 60 served without 192.0.2.1 8080
  expect 0 banger vm run b -- true
  served without 192.0.2.1 8080
  same "$(within iptables-nft -S DOCKER-USER | grep -c 'bng-.* -j ACCEPT')" 2
  within iptables-nft -F FORWARD
  within iptables-nft -X DOCKER-USER 2>/dev/null || { within iptables-nft -F DOCKER-USER && within iptables-nft -X DOCKER-USER; }
  expect 0 banger vm rm --force a b
  expect 0 banger net down
  diff <(echo "$before") <(host_now)
  same "$(within iptables-legacy -S 2>/dev/null || true)" "$before_legacy"
}

@test "frames that a bridge hands to its host past its own hooks bring nothing there" {
  ask_helper <<'EOF' >/dev/null
{"do":"up","tag":"aaaa","subnet":"10.77.0.0/24"}
{"do":"join","tag":"aaaa","guest":{"tap":1,"address":"10.77.0.4","ports":[{"proto":"udp","host_address":"127.0.0.1","host":5999,"guest":5999}]}}
{"do":"join","tag":"aaaa","guest":{"tap":2,"address":"10.77.0.5"}}
EOF
  expect 0 within "$BATS_TEST_DIRNAME/tap_guest.py" bngaaaa-1 52:54:00:4d:00:04 10.77.0.4 52:54:00:4d:00:01 192.0.2.1 5555
  same "$output" ''
  # What the test hears where a guest may be heard.
  ask_helper <<<'{"do":"join","tag":"aaaa","guest":{"tap":1,"address":"10.77.0.4","host_open":true}}'
  expect 0 within "$BATS_TEST_DIRNAME/tap_guest.py" bngaaaa-1 52:54:00:4d:00:04 10.77.0.4 52:54:00:4d:00:01 192.0.2.1 5555
  # The bridge takes those groups as any frame for itself, with its sender looked at.
  same "$(grep -v '^01:80:c2:00:00:0. as 10.77.0.4 was' <<<"$output")" 'plain was heard from 10.77.0.4'
  # With the rules gone by another's hand nobody is heard.
  within nft flush ruleset
  expect 0 within "$BATS_TEST_DIRNAME/tap_guest.py" bngaaaa-1 52:54:00:4d:00:04 10.77.0.4 52:54:00:4d:00:01 192.0.2.1 5555
  same "$output" ''
}

@test "what others forward by this host goes on, while the bridge is up and after it went" {
  routes() { same "$(said in_dock 203.0.113.7 8000)" 'outside 192.0.2.1'; }
  in_dock() { in_ns "$dock" "$@"; }
  nsenter --target "$world" --user --mount --net --preserve-credentials -- \
    unshare --net bash -c 'ip link set lo up; touch "$1/dock"; exec sleep infinity' - "$root" 3>&- &
  dock=$!
  servers+=("$dock")
  await 10 is_ready dock
  serve_at without 203.0.113.7 8000 outside
  expect 0 banger net up
  # As dockerd does.
  within bash -ec '
    ip link add box0 type veth peer name box1
    ip link set box1 netns "$1"
    ip addr add 172.17.0.1/16 dev box0
    ip link set box0 up
    echo 1 >/proc/sys/net/ipv4/ip_forward
    nft "add table ip other; add chain ip other post { type nat hook postrouting priority 100; }"
    nft "add rule ip other post ip saddr 172.17.0.0/16 oifname up0 masquerade"' - "$dock"
  in_dock bash -ec 'ip addr add 172.17.0.2/16 dev box1; ip link set box1 up; ip route add default via 172.17.0.1'
  routes
  expect 0 banger net up
  routes
  expect 0 banger net down
  routes
}

@test "the helper trusts no argument" {
  up='{"do":"up","tag":"aaaa","subnet":"10.77.0.0/24"}'
  same "$(ask_helper 1000 <<<"$up" | jq -r .subnet)" 10.77.0.0/24
  answers=$(ask_helper 1001 <<'EOF'
{"do":"up","tag":"aaaa"}
{"do":"down","tag":"aaaa"}
{"do":"leave","tag":"aaaa","taps":[1]}
{"do":"look","tag":"aaaa"}
{"do":"names","tag":"aaaa","proto":"udp"}
{"do":"watch","tag":"aaaa","tap":1,"port":{"proto":"tcp","host_address":"192.0.2.2","host":80,"guest":0}}
{"do":"join","tag":"aaaa","guest":{"tap":1,"address":"10.77.0.4"}}
EOF
  )
  same "$(sort -u <<<"$answers")" "conflict: the tag 'aaaa' belongs to another user of this host"
  ask() { ask_helper 1000 <<<"$1"; }
  refused() {
    local said
    said=$(ask "$1")
    [[ $said == *"$2"* ]] || {
      echo "$1 gave $said" >&2
      false
    }
  }
  guest() { printf '{"do":"join","tag":"aaaa","guest":{"tap":%s,"address":"%s","ports":[%s]}}' "$1" "$2" "${3:-}"; }
  port() { printf '{"proto":"%s","host_address":"%s","host":%s,"guest":80}' "$1" "$2" "$3"; }
  refused '{"do":"up","tag":"../x"}' "invalid tag"
  refused '{"do":"up","tag":"AAAA"}' "invalid tag"
  refused '{"do":"up","tag":"aaaaa"}' "invalid tag"
  refused '{"do":"up"}' "invalid tag"
  refused '{"do":"up","tag":"bbbb","subnet":"8.8.8.0/24"}' "root's to take"
  refused '{"do":"up","tag":"bbbb","subnet":"10.10.10.0/24"}' "root's to take"
  same "$(ask_helper 0 <<<'{"do":"up","tag":"bbbb","subnet":"8.8.8.0/24"}' | cut -d: -f1)" usage
  refused '{"do":"up","tag":"bbbb","subnet":"10.77.0.0/25"}' "route to 10.77.0.0/24"
  refused '{"do":"up","tag":"bbbb","subnet":"10.0.0.0/8"}' "prefix"
  refused '{"do":"up","tag":7}' "cannot be read"
  refused '{"do":"burn","tag":"aaaa"}' "unknown request"
  refused '[]' "cannot be read"
  refused 'nonsense' "cannot be read"
  refused "$(printf '{"do":"leave","tag":"aaaa","taps":[%099999d' 1)" "longer than 65536 bytes"
  refused "$(guest 0 10.77.0.4)" "number of a tap"
  refused "$(guest 1000000 10.77.0.4)" "number of a tap"
  for tap in 4294967297 18446744073709551617 1e50 1.5 true '"1"'; do
    refused "$(guest "$tap" 10.77.0.4)" "cannot be read"
  done
  refused "$(guest 1 10.77.0.4 "$(port tcp 127.0.0.1 4294975377)")" "cannot be read"
  refused "$(guest 1 10.77.1.4)" "not one for VMs"
  refused "$(guest 1 10.77.0.1)" "not one for VMs"
  refused "$(guest 1 '10.77.0.4 } ; flush ruleset')" "invalid address"
  refused "$(guest 1 10.77.0.4 "$(port tcp 0.0.0.0 22)")" "root's"
  for address in 192.0.2.77 224.0.0.251 255.255.255.255; do
    refused "$(guest 1 10.77.0.4 "$(port udp $address 2222)")" "no address of this host"
  done
  refused "$(guest 1 10.77.0.4 "$(port sctp 192.0.2.1 2222)")" "protocol"
  refused "$(guest 1 10.77.0.4 "$(port tcp 192.0.2.1 70000)")" "invalid port"
  refused "$(guest 1 10.77.0.4 "$(port tcp 'x } }' 2222)")" "invalid address"
  refused '{"do":"names","tag":"aaaa","proto":"raw"}' "protocol"
  refused "{\"do\":\"watch\",\"tag\":\"aaaa\",\"tap\":1,\"port\":$(port tcp 192.0.2.2 80)}" "no VM is at tap 1"
  refused "{\"do\":\"watch\",\"tag\":\"bbbb\",\"tap\":1,\"port\":$(port tcp 192.0.2.2 80)}" "down"
  refused '{"do":"names","tag":"bbbb","proto":"udp"}' "down"
  serve_at within 0.0.0.0 9000 stranger
  refused "$(guest 1 10.77.0.4 "$(port tcp 127.0.0.1 9000)")" "another program"
  # Nothing of it came to be, and what is another's stays.
  same "$(within bash -c 'ip -br link | grep -c bng')" 1
  [ "$(within nft list ruleset | grep -c 10.77.0.4)" = 0 ]
  # A refused subnet leaves the bridge as it was, and one that another has is not free.
  refused '{"do":"up","tag":"aaaa","subnet":"10.64.0.0/10"}' "prefix"
  refused '{"do":"up","tag":"aaaa","subnet":"192.168.1.0/24"}' "root's to take"
  within ip link show bng-aaaa >/dev/null
  within ip link del bng-aaaa
  same "$(ask_helper 1001 <<<'{"do":"up","tag":"cccc","subnet":"10.77.0.0/24"}' | cut -d: -f1)" conflict
  same "$(ask '{"do":"up","tag":"aaaa"}' | jq -r .subnet)" 10.77.0.0/24
  # Its socket for names ends with the bridge: who kept one hears nothing of the next.
  within python3 - <<'EOF'
import json, os, socket, subprocess
def ask(request):
    ours, theirs = socket.socketpair()
    program = os.environ["BANGER_BUILD"] + "/libexec/banger/banger-helper"
    child = subprocess.Popen([program], stdin=theirs, stdout=theirs, env={**os.environ, "SUDO_UID": "1000"})
    theirs.close()
    ours.sendall((json.dumps({"v": 1, "tag": "aaaa", **request}) + "\n").encode())
    line, fds, _, _ = socket.recv_fds(ours, 65536, 1)
    child.wait()
    assert b"error" not in line, line
    return fds
kept = ask({"do": "names", "proto": "udp"})[0]
ask({"do": "down"})
ask({"do": "up", "subnet": "10.77.0.0/24"})
ask({"do": "names", "proto": "udp"})
EOF
  # Nor does anything that it is started with keep it from its work: a pipe that nobody reads, limits.
  within iptables-nft -P FORWARD DROP
  expect 0 within bash -c 'ulimit -n 16; ulimit -f 1; umask 777; mkfifo "$1/full"; exec 9<>"$1/full"; dd if=/dev/zero bs=4k count=16 status=none >&9
    echo "{\"do\":\"up\",\"tag\":\"aaaa\"}" | timeout 20 "$2" 1000 2>&9' - "$root" "$BATS_TEST_DIRNAME/ask_helper.py"
  outputs '10.77.0.0/24'
  within iptables-nft -P FORWARD ACCEPT
  # A bridge more than a user has any use for.
  for n in $(seq 1 16); do printf '{"do":"up","tag":"00%02x"}\n' "$n"; done | ask_helper 1002 >/dev/null
  same "$(ask_helper 1002 <<<'{"do":"up","tag":"0099"}')" 'conflict: cannot make a bridge: this user has 16 already'
  # A registry that somebody else could write is none.
  within chmod 777 /run/banger
  refused '{"do":"look","tag":"aaaa"}' "not root's own directory"
}

@test "root's own VMs and the host's records are in one directory, whichever was there first" {
  of_root() { within env -u XDG_RUNTIME_DIR banger "$@"; }
  mode() { within stat -c %a "$1"; }
  expect 0 of_root net up
  same "$(mode /run/banger)" 755
  expect 0 of_root vm run $tiny a -- true
  same "$(of_root vm show --json a | jq -r .net.mode)" bridge
  tag=$(within bash -c "basename /run/banger/*/")
  same "$(mode "/run/banger/$tag")" 700
  expect 0 of_root doctor --leaks
  expect 0 of_root vm rm --force a
  expect 0 of_root net down
  within find /run/banger -mindepth 1 -delete
  within rmdir /run/banger
  expect 0 of_root vm run $tiny --net user b -- true
  same "$(mode /run/banger)" 700
  expect 0 of_root net up # others look there for their bridge
  same "$(mode /run/banger)" 755
  same "$(mode "/run/banger/$tag")" 700
  expect 0 of_root ssh b -- true
  expect 0 of_root vm stop b
  within chmod 775 /run/banger
  expect 5 of_root vm start b
  errors "others can write to '/run/banger'"
  errors 'chmod 755 /run/banger'
  within chmod 755 /run/banger
  expect 0 of_root vm rm --force b
  expect 0 of_root net down
}

@test "each step of the helper may be its last: the next call makes the same of it" {
  needs_failpoints
  request() { case $1 in
    up) echo '{"do":"up","tag":"aaaa","subnet":"10.77.0.0/24"}' ;;
    join) echo '{"do":"join","tag":"aaaa","guest":{"tap":1,"address":"10.77.0.4","nat":true,"ports":[{"proto":"tcp","host_address":"127.0.0.1","host":8080,"guest":80}]}}' ;;
    change) echo '{"do":"join","tag":"aaaa","guest":{"tap":1,"address":"10.77.0.5","host_open":true}}' ;;
    leave) echo '{"do":"leave","tag":"aaaa","taps":[1]}' ;;
    down) echo '{"do":"down","tag":"aaaa"}' ;;
  esac; }
  act() { request "$1" | ask_helper; }
  # Whose the tag is, is written down the first time alone.
  act up >/dev/null && act down >/dev/null
  clean=$(host_now)
  local -A before=([up]='' [join]=up [change]='up join' [leave]='up join' [down]='up join')
  local done=0
  for verb in up join change leave down; do
    for first in ${before[$verb]}; do act "$first" >/dev/null; done
    BANGER_FAILPOINT_TRACE=$root/trace.$verb act $verb >/dev/null
    after=$(host_now)
    act down >/dev/null
    same "$(host_now)" "$clean"
    declare -A seen=()
    while read -r name; do
      seen[$name]=$((${seen[$name]:-0} + 1))
      for first in ${before[$verb]}; do act "$first" >/dev/null; done
      same "$(BANGER_FAILPOINT="$name#${seen[$name]}:kill" act $verb)" 'no answer'
      [[ $(act $verb) =~ ^(ok|\{) ]]
      diff <(echo "$after") <(host_now) || {
        echo "after $verb $name#${seen[$name]}"
        false
      }
      act down >/dev/null
      same "$(host_now)" "$clean"
      done=$((done + 1))
    done <"$root/trace.$verb"
    unset seen
  done
  [ "$done" -gt 30 ]
}
