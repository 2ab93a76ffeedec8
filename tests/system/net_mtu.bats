#!/usr/bin/env bats
# The largest packet of the network `user`: guests are told what it is, and large packets and large
# transfers arrive on every way that there is.
# shellcheck disable=SC2034,SC2154 # $server is ended by net.bash
load ../lib
load vm
load net

sum() { sha256sum | cut -d' ' -f1; }

# A server at an address of the host: to a client of the first port it sends file $2, of one of the
# second it takes all and writes it to file $3. The ports come in $root/ports.
serve() {
  python3 - "$root/ports" "$@" <<'EOT' 3>&- &
import os, select, socket, sys
ports, address, source, target = sys.argv[1:]
listeners = [socket.create_server((address, 0)) for _ in range(2)]
with open(ports + ".new", "w") as f:
    f.write(" ".join(str(l.getsockname()[1]) for l in listeners) + "\n")
os.rename(ports + ".new", ports)
while True:
    for l in select.select(listeners, [], [])[0]:
        c, _ = l.accept()
        if l is listeners[0]:
            c.sendall(open(source, "rb").read())
        else:
            with open(target + ".new", "wb") as f:
                while data := c.recv(1 << 20):
                    f.write(data)
            os.rename(target + ".new", target)
        c.close()
EOT
  server=$!
  await 10 test -e "$root/ports"
}

# The bytes that a port of the host gives.
fetch() {
  python3 - "$1" "$2" <<'EOT'
import socket, sys
c = socket.create_connection((sys.argv[1], int(sys.argv[2])), 20)
while data := c.recv(1 << 20):
    sys.stdout.buffer.write(data)
EOT
}

# Whether a datagram of $3 bytes comes back as it went.
echoes_udp() {
  python3 - "$1" "$2" "$3" 2>/dev/null <<'EOT'
import os, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
s.connect((sys.argv[1], int(sys.argv[2])))
data = os.urandom(int(sys.argv[3]))
s.send(data)
assert s.recv(65536) == data
EOT
}

@test "guests have the network's MTU, and what is large arrives on every way" {
  expect 0 banger net status --json
  [ "$(field .mode)" = user ] || skip "$(field .why)"
  export BANGER_NET_HOST_ACCESS=true # the host's own address serves as the outside
  expect 0 banger vm create $tiny --publish 17001:7001 --publish 17002:7002/udp a
  expect 0 banger vm create $tiny b
  expect 0 banger vm start a b
  for vm in a b; do
    await 30 guest "$vm" true
    same "$(guest "$vm" 'cat /sys/class/net/eth0/mtu')" 21880
  done
  local b reach large
  b=$(vm_field b .net.address) reach=$(vm_field a .net.reach)

  # One packet, to the neighbour and to the way out; one that has to be cut.
  for large in 20000 50000; do
    expect 0 guest a "ping -c 1 -W 5 -s $large $b"
    expect 0 guest a "ping -c 1 -W 5 -s $large 10.0.2.2"
  done

  head -c 20000000 /dev/urandom >large
  local wanted
  wanted=$(sum <large)
  serve "$(outside_address)" large out
  read -r give take <"$root/ports"
  # In and out by the way out,
  expect 0 guest a "nc -w 20 $(outside_address) $give </dev/null >/tmp/large; sha256sum </tmp/large"
  same "${output%% *}" "$wanted"
  expect 0 guest a "nc -w 20 $(outside_address) $take </tmp/large"
  await 20 test -e out
  same "$(sum <out)" "$wanted"
  # by a published port,
  guest a "setsid nc -ll -p 7001 -e cat /tmp/large >/dev/null 2>&1 </dev/null &"
  await 10 eval "[ \"\$(fetch $reach 17001 | sum)\" = $wanted ]"
  # by ssh, and from one to the other.
  same "$(guest a 'cat /tmp/large' | sum)" "$wanted"
  expect 0 guest b "nc -w 20 $(vm_field a .net.address) 7001 </dev/null | sha256sum"
  same "${output%% *}" "$wanted"

  expect 0 banger ssh cp "$BANGER_BUILD/tests/banger-test-udp" a:udp
  guest a "setsid ./udp echo 7002 >/dev/null 2>&1 </dev/null &"
  for large in 1000 9000 40000; do await 20 echoes_udp "$reach" 17002 $large; done
  expect 0 banger vm rm --force a b
  nothing_left
}

# bats test_tags=once
@test "an isolated guest has the usual MTU" {
  BANGER_NET_ISOLATED_OUTBOUND=true expect 0 banger vm run i $tiny --net isolated
  same "$(guest i 'cat /sys/class/net/eth0/mtu')" 1500
  head -c 5000000 /dev/urandom >large
  serve "$(outside_address)" large out
  read -r give _ <"$root/ports"
  expect 0 guest i "nc -w 20 $(outside_address) $give </dev/null | sha256sum"
  same "${output%% *}" "$(sum <large)"
  expect 0 banger vm rm --force i
}
