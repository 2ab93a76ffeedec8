#!/usr/bin/env bats
# The private network, with real guests: what reaches what, what comes back when it is killed, what
# a hostile guest can do to its neighbour.
load ../lib
load vm
load net

# A keeper that is another than before.
came_back() {
  local pid
  pid=$(net_field ".$1")
  [ "$pid" != null ] && [ "$pid" != "$2" ] && [ "$(net_field .place)" = private ]
}
# Within 2 s, and what it takes to see that.
comes_back_in_time() {
  local began=$EPOCHREALTIME
  await 10 came_back "$1" "$2"
  took_at_most 2.3 "$began"
}
dropped() { net_field ".leases[] | select(.vm == \"$1\") | .dropped.$2"; }
kill_monitors() {
  local vm
  for vm in "$@"; do kill_monitor "$vm"; done
}
answers() { [ "$(nc_host "$1" "$2" 2>/dev/null)" = "$3" ]; }

# The line of a server on the host: nc_host ADDRESS PORT
nc_host() {
  python3 - "$1" "$2" <<'EOF'
import socket, sys
print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 8).makefile().readline().strip())
EOF
}

# A server on two addresses of the host that says one line to whoever connects; its ports come in
# $root/ports.
serve() {
  rm -f "$root/ports"
  python3 - "$root/ports" "$@" <<'EOF' 3>&- &
import os, select, socket, sys
listeners = [socket.create_server((a, 0)) for a in sys.argv[2:]]
with open(sys.argv[1] + ".new", "w") as f:
    f.write(" ".join(str(l.getsockname()[1]) for l in listeners) + "\n")
os.rename(sys.argv[1] + ".new", sys.argv[1])
while True:
    for l in select.select(listeners, [], [])[0]:
        c, _ = l.accept()
        c.sendall(b"outside\n")
        c.close()
EOF
  server=$!
  await 10 test -e "$root/ports"
}

@test "three VMs reach each other and the outside, not the host's loopback; the network comes back" {
  needs_user_net
  export BANGER_NET_HOST_ACCESS=true # the host's own address serves as the outside
  expect 0 banger vm create $tiny a b c
  expect 0 banger vm start a b c
  for vm in a b c; do await 30 guest "$vm" true; done # a busy server may turn the first ones away
  expect 0 banger net status --json
  schema net
  same "$(field .place)" private
  same "$(field '[.leases[].address] | sort | join(" ")')" '10.0.2.4 10.0.2.5 10.0.2.6'
  same "$(field '.forwards | length')" 3
  # A plain table, 80 columns at most.
  expect 0 banger net status
  same "$(awk 'length > 80' <<<"$output")" ''

  local a b c
  a=$(vm_field a .net.address) b=$(vm_field b .net.address) c=$(vm_field c .net.address)
  expect 0 guest a "ping -c 1 -W 5 $b && ping -c 1 -W 5 $c"
  expect 0 guest c "ping -c 1 -W 5 $a"

  # The outside is the host's own address, as slirp4netns sees it; its loopback is not.
  local outside
  outside=$(outside_address)
  serve "$outside" 127.0.0.1
  read -r open closed <"$root/ports"
  expect 0 guest a "nc -w 10 $outside $open </dev/null"
  same "$output" outside
  answers 127.0.0.1 "$closed" outside
  expect 1 guest a "nc -w 10 10.0.2.2 $closed </dev/null"
  same "$output" ''

  # The holder, slirp4netns, then both at once.
  local old_holder old_slirp id
  old_holder=$(net_field .holder) old_slirp=$(net_field ".leases[0].slirp") id=$(net_field .namespace)
  kill -9 "$old_holder"
  comes_back_in_time holder "$old_holder"
  same "$(net_field ".leases[0].slirp")" "$old_slirp"
  kill -9 "$old_slirp"
  comes_back_in_time "leases[0].slirp" "$old_slirp"
  old_holder=$(net_field .holder) old_slirp=$(net_field ".leases[0].slirp")
  kill -9 "$old_holder" "$old_slirp"
  await 3 came_back holder "$old_holder"
  await 3 came_back "leases[0].slirp" "$old_slirp"
  same "$(net_field .namespace)" "$id"
  same "$(net_field '.forwards | length')" 3
  for vm in a b c; do expect 0 guest "$vm" true; done
  expect 0 guest a "ping -c 1 -W 5 $b"
  # One that starts afterwards finds its place, with the address it had.
  expect 0 banger vm stop b
  # Words of slirp4netns fill no disk.
  local log
  log=$(echo "$XDG_RUNTIME_DIR"/banger/*/net/log)
  yes slirp | head -c 3M >>"$log"
  expect 0 banger vm start b
  [ "$(du -k "$log" | cut -f1)" -lt 200 ]
  same "$(vm_field b .net.address)" "$b"
  expect 0 guest b "ping -c 1 -W 5 $c"
  # No process watches while no monitor lives; the command that adopts the VMs repairs.
  old_slirp=$(net_field ".leases[0].slirp")
  kill_monitors a b c
  kill -9 "$old_slirp"
  expect 3 banger vm start nobody
  await 3 came_back "leases[0].slirp" "$old_slirp"
  for vm in a b c; do expect 0 guest "$vm" true; done
  # An adopted VM's guest boots anew in the same place.
  boot_id=$(guest a 'cat /proc/sys/kernel/random/boot_id')
  guest a reboot || true
  await 60 booted_again a "$boot_id"
  expect 0 guest a "ping -c 1 -W 5 $b"
  same "$(net_field '.forwards | length')" 3

  # Everything at once, as a crash of the host's session would do.
  kill_monitors a b c
  # shellcheck disable=SC2046 # a pid each
  kill_dead "$(net_field .holder)" $(net_field ".leases[].slirp") \
    "$(vm_field a .vmm.pid)" "$(vm_field b .vmm.pid)" "$(vm_field c .vmm.pid)"
  expect 0 banger vm start a
  expect 0 guest a true
  same "$(net_field '[.leases[] | select(.tap)] | length')" 1
  expect 0 banger vm rm --force a b c
  nothing_left
}

# bats test_tags=once
@test "a guest that lies about its MAC, its address or another's is counted, its neighbour unharmed" {
  needs_user_net
  expect 0 banger vm create $tiny bad good
  expect 0 banger vm start bad good
  for vm in bad good; do await 30 guest "$vm" true; done
  local good
  good=$(vm_field good .net.address)
  expect 0 guest bad "ping -c 1 -W 5 $good"
  for reason in mac address arp dhcp destination other; do same "$(dropped bad $reason)" 0; done

  # It claims the neighbour's address, and the way out's: while it does, it cannot answer us.
  guest bad "(sleep 1; for claimed in $good 10.0.2.2; do
    ip addr add \$claimed/32 dev eth0; arping -q -c 2 -U -s \$claimed -I eth0 \$claimed
    ip addr del \$claimed/32 dev eth0; done) >/dev/null 2>&1 </dev/null &"
  await 60 count_grew bad arp 3
  await 30 guest bad true
  # An address that is nobody's; the neighbour's MAC is known, so that no ARP comes before.
  expect 1 guest bad "ip addr add 10.0.2.77/32 dev eth0; ping -c 3 -W 1 -I 10.0.2.77 $good"
  [ "$(dropped bad address)" -ge 3 ]
  # It asks for an address, and offers some.
  expect 1 guest bad "udhcpc -i eth0 -n -q -f -t 2 -T 1 -s /bin/true"
  asked=$(dropped bad dhcp)
  [ "$asked" -ge 2 ]
  expect 0 banger ssh cp "$BANGER_BUILD/tests/banger-test-udp" bad:udp
  guest bad "for i in 1 2 3; do ./udp send 67 $good 68; done"
  [ "$(dropped bad dhcp)" -ge $((asked + 3)) ]
  # Another MAC, for a moment.
  guest bad "(sleep 1; ip link set eth0 down; ip link set eth0 address 52:54:00:66:66:66
    ip link set eth0 up; ping -c 3 -W 1 $good; ip link set eth0 down
    ip link set eth0 address $(vm_field bad .net.mac); ip link set eth0 up
    ip route add default via 10.0.2.2) >/dev/null 2>&1 </dev/null &"
  await 30 count_grew bad mac 0

  same "$(net_field '.leases[] | select(.vm == "good") | .dropped | add')" 0
  expect 0 guest good 'ping -c 1 -W 5 10.0.2.2'
  same "$(guest good 'ip neigh' | grep -c 52:54:00:66:66:66)" 0
  # And when it is honest again, it is served again.
  await 30 guest bad true
  expect 0 guest bad "ping -c 1 -W 5 $good"
  expect 0 banger vm rm --force bad good
  nothing_left
}

count_grew() { [ "$(dropped "$1" "$2")" -gt "$3" ]; }

@test "ports are published and ended while a VM runs, on user and isolated alike" {
  modes='isolated'
  [ "$(net_field .mode)" != user ] || modes='user isolated'
  for mode in $modes; do
    expect 0 banger vm run $mode $tiny --net $mode
    reach=$(vm_field $mode .net.reach)
    await 30 guest "$mode" true # a busy server may turn the first ones away
    guest $mode "setsid nc -ll -p 7000 -e echo $mode >/dev/null 2>&1 </dev/null &"
    expect 0 banger net publish --json $mode own:17000:7000
    schema result
    await 10 answers "$reach" 17000 $mode
    expect 0 banger net publish --json $mode
    schema port
    same "$(field .host)" 17000
    same "$(net_field "[.forwards[] | select(.vm == \"$mode\" and .guest == 7000)] | length")" 1
    # It stays over a stop.
    expect 0 banger vm restart $mode
    await 30 guest "$mode" true
    guest $mode "setsid nc -ll -p 7000 -e echo again >/dev/null 2>&1 </dev/null &"
    await 10 answers "$reach" 17000 again
    expect 0 banger net publish --remove $mode 17000:7000
    expect 1 nc_host "$reach" 17000
    expect 0 banger net publish -q $mode
    same "$output" ''
    expect 0 banger vm rm --force $mode
  done
  nothing_left
}

nc_connects() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# bats test_tags=once
@test "a published port is at 127.0.0.1 and at the VM's own address, over stops, until it is taken back" {
  modes='isolated'
  [ "$(net_field .mode)" != user ] || modes='user isolated'
  for mode in $modes; do
    first=$(free_port) second=$(free_port)
    expect 0 banger vm run web $tiny --net $mode --publish "$first:7000"
    reach=$(vm_field web .net.reach)
    same "$output" "web: running
web: 127.0.0.1:$first -> 7000
web: $reach:$first -> 7000"
    await 30 guest web true
    guest web "setsid nc -ll -p 7000 -e echo one >/dev/null 2>&1 </dev/null &"
    await 10 answers 127.0.0.1 "$first" one
    expect 0 answers "$reach" "$first" one
    expect 0 banger net publish web "$second:7000"
    same "$output" "web: 127.0.0.1:$second -> 7000
web: $reach:$second -> 7000"
    for address in 127.0.0.1 "$reach"; do
      expect 0 answers "$address" "$second" one
      same "$(net_field "[.forwards[] | select(.vm == \"web\" and .host_address == \"$address\" and .guest == 7000)] | length")" 2
    done
    expect 0 banger vm stop web
    for port in "$first" "$second"; do expect 1 nc_host 127.0.0.1 "$port"; done
    expect 0 banger vm start web
    outputs "web: 127.0.0.1:$second -> 7000"
    await 30 guest web true
    guest web "setsid nc -ll -p 7000 -e echo two >/dev/null 2>&1 </dev/null &"
    await 10 answers 127.0.0.1 "$second" two
    expect 0 answers 127.0.0.1 "$first" two
    expect 0 banger net publish --remove web "$second:7000"
    for address in 127.0.0.1 "$reach"; do expect 1 nc_host "$address" "$second"; done
    expect 0 answers 127.0.0.1 "$first" two
    # At 127.0.0.1 another program's, while the VM runs: none of both is taken.
    serve 127.0.0.1 127.0.0.1
    read -r port port2 <"$root/ports"
    expect 4 banger net publish web "$port:7000"
    errors "python3 (process $server) has that port; banger net publish web own:$port:7000"
    expect 1 nc_host "$reach" "$port"
    expect 0 banger net publish web "own:$port:7000"
    expect 0 answers "$reach" "$port" two
    kill "$server"
    server=
    expect 0 banger doctor --leaks
    expect 0 banger vm rm --force web
    expect 1 nc_host 127.0.0.1 "$first"
    nothing_left
  done
}

@test "a low port is one number at both addresses" {
  expect 0 banger vm run web $tiny --net isolated --publish 99:7000
  await 30 guest web true
  guest web "setsid nc -ll -p 7000 -e echo low >/dev/null 2>&1 </dev/null &"
  reach=$(vm_field web .net.reach)
  port=$(vm_field web '[.net.ports[].host] | unique | join(" ")')
  outputs "web: 127.0.0.1:$port -> 7000"
  [ "$port" = 99 ] || [ "$port" -ge 1024 ]
  await 10 answers 127.0.0.1 "$port" low
  expect 0 answers "$reach" "$port" low
  expect 0 banger vm restart web
  same "$(vm_field web '[.net.ports[].host] | unique | join(" ")')" "$port"
  expect 0 banger net publish --remove web "$port:7000"
  expect 0 banger vm rm --force web
}

@test "ports of create: tcp and udp, at another address, a low one where the host allows it" {
  # Restricted, QEMU's network lets no answer of UDP out: said before anything is made.
  expect 4 banger vm run p $tiny --net isolated --publish 17002:7002/udp
  errors "cannot publish 17002:7002/udp of 'p'"
  errors 'net.isolated_outbound'
  expect 3 banger vm show p
  modes='isolated'
  [ "$(net_field .mode)" != user ] || modes='user isolated'
  for mode in $modes; do
    local=$(free_port)
    [ $mode = user ] || export BANGER_NET_ISOLATED_OUTBOUND=true
    expect 0 banger vm run p $tiny --net $mode --publish own:17001:7001 --publish own:17002:7002/udp \
      --publish "localhost:$local:7001" --publish own:80:7001
    await 30 guest p true
    expect 0 banger ssh cp "$BANGER_BUILD/tests/banger-test-udp" p:udp
    guest p "setsid nc -ll -p 7001 -e echo tcp >/dev/null 2>&1 </dev/null &
      setsid ./udp echo 7002 >/dev/null 2>&1 </dev/null &"
    reach=$(vm_field p .net.reach)
    await 10 answers "$reach" 17001 tcp
    await 10 answers 127.0.0.1 "$local" tcp
    # Below 1024 it is the number asked for, or one that is recorded.
    low=$(vm_field p '.net.ports[] | select(.guest == 7001 and .host != 17001 and .host != '"$local"') | .host')
    [ "$low" = 80 ] || [ "$low" -ge 1024 ]
    await 10 answers "$reach" "$low" tcp
    await 20 echoes_udp "$reach" 17002
    same "$(net_field '[.forwards[] | select(.proto == "udp")] | map([.vm, .host, .guest] | join(" ")) | join(",")')" \
      'p 17002 7002'
    [ $mode = user ] || closed_way_out_refuses_udp
    expect 0 banger vm rm --force p
  done
  nothing_left
}

closed_way_out_refuses_udp() {
  export BANGER_NET_ISOLATED_OUTBOUND=false
  # The way in which its VMM was started counts,
  expect 0 banger net publish p own:17004:7004/udp
  expect 0 banger net publish --remove p 17004:7004/udp
  expect 0 banger vm stop p
  # and how it would be.
  expect 4 banger net publish p own:17004:7004/udp
  errors 'lets no UDP answer out'
  expect 0 banger net publish -q p
  [[ $output != *17004* ]]
  expect 4 banger vm start p
  errors 'lets no UDP answer out'
}

# Whether a datagram comes back: echoes_udp ADDRESS PORT
echoes_udp() {
  python3 - "$1" "$2" 2>/dev/null <<'EOT'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect((sys.argv[1], int(sys.argv[2])))
s.send(b"there and back\n")
assert s.recv(100) == b"there and back\n"
EOT
}

# bats test_tags=once
@test "a port of UDP: the holder is killed and it answers, it is removed and ends" {
  needs_user_net
  expect 0 banger vm run p $tiny --net user --publish own:17002:7002/udp
  await 30 guest p true
  expect 0 banger ssh cp "$BANGER_BUILD/tests/banger-test-udp" p:udp
  guest p "setsid ./udp echo 7002 >/dev/null 2>&1 </dev/null &"
  reach=$(vm_field p .net.reach)
  await 20 echoes_udp "$reach" 17002
  # The address that datagrams come from has nothing else for a guest, and leads nowhere.
  expect 0 guest p 'ping -c 1 -W 5 10.0.2.1'
  expect 1 guest p 'nc -w 3 10.0.2.1 22 </dev/null'
  old=$(net_field .holder)
  kill -9 "$old"
  comes_back_in_time holder "$old"
  await 5 echoes_udp "$reach" 17002
  old=$(net_field ".leases[0].slirp")
  kill -9 "$old"
  comes_back_in_time "leases[0].slirp" "$old"
  expect 0 echoes_udp "$reach" 17002
  same "$(net_field '[.forwards[] | select(.vm == "p") | .proto] | sort | join(" ")')" 'tcp udp'

  # At every address of the host: the answer comes from the one that was asked.
  expect 0 banger net publish p 0.0.0.0:17004:7002/udp
  for address in 127.0.0.1 127.0.0.99 "$(outside_address)"; do
    expect 0 echoes_udp "$address" 17004
  done
  expect 0 banger net publish --remove p 17002:7002/udp
  expect 1 echoes_udp "$reach" 17002
  expect 0 echoes_udp 127.0.0.1 17004
  expect 0 banger vm rm --force p
  expect 1 echoes_udp 127.0.0.1 17004
  nothing_left
}

# The helper of $monitor that repairs, once it is there. A program that it starts has its words
# until it is another.
repairer() { pgrep -P "$monitor" -f 'banger-place repair$'; }
repairs() { [ -n "$(repairer)" ]; }

# bats test_tags=once
@test "who starts a holder dies before it has its relays: the next one begins anew" {
  needs_user_net
  banger vm failpoints >/dev/null 2>&1 || skip 'this build has no failpoints'
  # The second forward of a start, and of a repair.
  expect 0 env BANGER_FAILPOINT=net.forward#2:sleep=6000 BANGER_FAILPOINT_IN=banger-place \
    banger vm run p $tiny --net user --publish own:17002:7002/udp --publish own:17003:7003/udp
  expect 0 banger ssh cp "$BANGER_BUILD/tests/banger-test-udp" p:udp
  guest p "setsid ./udp echo 7003 >/dev/null 2>&1 </dev/null &"
  reach=$(vm_field p .net.reach)
  await 20 echoes_udp "$reach" 17003
  monitor=$(monitor_of p)
  kill -9 "$(net_field .holder)"
  await 5 repairs
  helper=$(repairer)
  await 5 holder_lives
  kill -9 "$monitor" "$helper"
  await 5 gone "$helper"
  half=$(net_field .holder)
  [ "$half" != null ]
  expect 1 echoes_udp "$reach" 17003
  expect 3 banger vm start nobody
  await 5 came_back holder "$half"
  await 5 echoes_udp "$reach" 17003
  expect 0 banger vm rm --force p
  nothing_left
}
holder_lives() { [ "$(net_field .holder)" != null ]; }

# bats test_tags=once
@test "an isolated VM reaches nothing; net.isolated_outbound opens the way out, and show says so" {
  serve "$(outside_address)" 127.0.0.1
  read -r open inner <"$root/ports"
  expect 0 banger vm run alone $tiny --net isolated
  expect 0 guest alone true # the host reaches it
  expect 1 guest alone "nc -w 5 $(outside_address) $open </dev/null"
  expect 1 guest alone "nc -w 5 10.0.2.2 $inner </dev/null"
  expect 0 banger vm show alone
  [[ $output != *loopback* ]]
  expect 0 banger vm stop alone
  BANGER_NET_ISOLATED_OUTBOUND=true expect 0 banger vm start alone
  expect 0 guest alone "nc -w 10 $(outside_address) $open </dev/null"
  same "$output" outside
  # That way leads to the host's own loopback too, which people must be told.
  expect 0 guest alone "nc -w 10 10.0.2.2 $inner </dev/null"
  expect 0 banger vm show alone
  outputs "the host's loopback too"
}

# bats test_tags=once
@test "an isolated VM is taken among the others, and goes out by their way" {
  needs_user_net
  expect 0 banger vm run $tiny --net user there
  expect 0 banger vm run $tiny --net isolated moved
  expect 4 banger vm set --net user moved
  errors 'banger vm stop moved'
  expect 0 banger vm stop moved
  expect 0 banger vm set --net user moved
  expect 0 banger vm start moved
  expect 0 guest moved "ping -c 1 -W 5 $(vm_field there .net.address) && ping -c 1 -W 5 10.0.2.2"
  expect 0 banger vm rm --force moved there
  nothing_left
}

# bats test_tags=once
@test "a port that is taken is named before anything boots" {
  expect 0 banger vm create $tiny one
  serve 127.0.0.1 127.0.0.1
  read -r port port2 <"$root/ports"
  expect 0 banger net publish one "127.0.0.1:$port:80"
  expect 4 banger vm start one
  errors "127.0.0.1:$port"
  errors "python3 (process $server) has that port"
  same "$(vm_field one .state)" stopped
  # Asked for without an address, it is to be had at the VM's own alone.
  expect 0 banger vm create $tiny three --publish "$port2:80"
  expect 4 banger vm start three
  errors "python3 (process $server) has that port; banger net publish --remove three 127.0.0.1:$port2:80"
  expect 0 banger net publish --remove three "127.0.0.1:$port2:80"
  expect 5 banger vm preflight one
  expect 0 banger vm preflight three
  expect 0 banger vm rm three
  # Each that is taken is named, by the start and by who asks before it.
  expect 0 banger net publish one "127.0.0.1:$port2:81"
  expect 4 banger vm start one
  errors "127.0.0.1:$port"
  errors "127.0.0.1:$port2"
  expect 5 banger vm preflight one
  outputs "127.0.0.1:$port/tcp"
  outputs "127.0.0.1:$port2/tcp"
  expect 0 banger net publish --remove one "127.0.0.1:$port2:81"
  expect 4 banger vm run $tiny --dry-run new --publish "127.0.0.1:$port2:80"
  errors "127.0.0.1:$port2"
  expect 4 banger vm run $tiny new --publish "127.0.0.1:$port2:80"
  [[ $stderr != *own:* ]]
  expect 4 banger vm run $tiny new --publish "$port2:80"
  errors "python3 (process $server) has that port; --publish own:$port2:80"
  everywhere=$(free_port)
  python3 -c 'import socket, sys, time
s = socket.create_server(("0.0.0.0", int(sys.argv[1])))
time.sleep(600)' "$everywhere" 3>&- &
  wildcard=$!
  await 10 nc_connects "$everywhere"
  for spec in "$everywhere:80" "own:$everywhere:80"; do
    expect 4 banger vm run $tiny new --publish "$spec"
    errors "python3 (process $wildcard) has that port; publish another one"
  done
  kill "$wildcard"
  expect 3 banger vm show new
  # Another VM's, running or not.
  expect 4 banger vm create $tiny two --publish "127.0.0.1:$port:80"
  errors "'one' publishes it"
  expect 3 banger vm show two
  expect 4 banger vm create $tiny two --publish 8080:80 --publish 8080:81
  expect 0 banger net publish --remove one "127.0.0.1:$port:80"
  expect 0 banger vm rm one
}

# bats test_tags=once
@test "addresses are leased, lowest free first; one subnet serves all VMs" {
  needs_user_net
  expect 0 banger vm create $tiny a b c
  expect 0 banger vm rm b
  expect 0 banger vm create $tiny --ip 10.0.2.200 fixed
  same "$(vm_field fixed .net.address)" 10.0.2.200
  gap=$(for i in 4 5 6; do vm_field a .net.address; vm_field c .net.address; echo 10.0.2.$i; done |
    sort | uniq -c | awk '$1 == 1 { print $2 }')
  expect 0 banger vm create $tiny again
  same "$(vm_field again .net.address)" "$gap"
  expect 4 banger vm create $tiny --ip 10.0.2.200 other
  errors "'fixed'"
  for bad in 10.0.2.1 10.0.2.15 10.0.2.255 10.0.3.9 10.0.2 x; do
    expect 2 banger vm create $tiny --ip $bad other
  done
  expect 4 env BANGER_NET_SUBNET=10.9.0.0/16 banger vm create $tiny other
  errors 'fixed'
  expect 3 banger vm show other
  expect 0 banger vm rm --all
  expect 0 env BANGER_NET_SUBNET=10.9.0.0/16 banger vm run $tiny other -- ip route
  outputs '10.9.0.0/16 dev eth0 scope link  src 10.9.0.4'
  outputs 'default via 10.9.0.2'
  expect 0 banger vm rm --force other
  # Many at once: each has its own.
  expect 0 banger vm create $tiny --count 12 n-
  same "$(banger vm list --json | jq -r .net.address | sort -u | wc -l)" 12
  expect 0 banger vm rm --all
  nothing_left
}
