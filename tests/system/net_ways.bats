#!/usr/bin/env bats
# Each VM has a way out of its own: what one uses up another does not miss, what goes through it ends
# with the VM, and one that is broken is nobody else's trouble.
load ../lib
load vm
load net

setup() {
  vm_root
  server=""
  stopped=""
}
teardown() {
  end -CONT $stopped
  end $server
  remove_vms
}

slirp_of() { net_field ".leases[] | select(.vm == \"$1\") | .slirp"; }

# A server on an address of the host, which says one line to whoever connects and then tells in
# $root/open how many are connected. Its port comes in $root/port.
serve() {
  python3 - "$root" "$1" <<'PY' 3>&- &
import os, selectors, socket, sys
root, address = sys.argv[1:]
def tell(name, text):
    with open(f"{root}/{name}.new", "w") as f:
        f.write(f"{text}\n")
    os.rename(f"{root}/{name}.new", f"{root}/{name}")
listener = socket.create_server((address, 0), backlog=200)
selector = selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ)
clients = set()
tell("port", listener.getsockname()[1])
while True:
    for key, _ in selector.select():
        s = key.fileobj
        if s is listener:
            c, _ = s.accept()
            c.sendall(b"outside\n")
            clients.add(c)
            selector.register(c, selectors.EVENT_READ)
        else:
            try:
                gone = not s.recv(4096)
            except OSError:
                gone = True
            if gone:
                selector.unregister(s)
                clients.discard(s)
                s.close()
        tell("open", len(clients))
PY
  server=$!
  await 10 test -e "$root/port"
}
open_are() { [ "$(cat "$root/open" 2>/dev/null)" = "$1" ]; }

@test "what one VM uses up another does not miss" {
  needs_user_net
  export BANGER_NET_HOST_ACCESS=true # the host's own address serves as the outside
  outside=$(outside_address)
  serve "$outside"
  port=$(cat "$root/port")
  expect 0 banger vm run $tiny a
  expect 0 banger vm run $tiny b
  expect 0 banger ssh cp "$BANGER_BUILD/tests/banger-test-udp" a:udp
  # More sockets of the host than a process may have: slirp4netns keeps each for minutes.
  for _ in 1 2 3; do expect 0 guest a "./udp many 500 $outside 9"; done
  expect 0 guest b "for i in 1 2 3 4 5 6 7 8 9 10; do nc -w 5 $outside $port </dev/null || exit 1; done"
  same "$(grep -c outside <<<"$output")" 10
  expect 0 banger vm kill a
  expect 0 banger vm rm --force a b
  nothing_left
}

# bats test_tags=once
@test "whoever is connected, in or out, hears at once that the VM has ended" {
  needs_user_net
  export BANGER_NET_HOST_ACCESS=true
  outside=$(outside_address)
  serve "$outside"
  port=$(cat "$root/port")
  expect 0 banger vm run $tiny other # the network goes on
  for how in kill crash; do
    expect 0 banger vm run $tiny --publish own:17022:22 a
    reach=$(vm_field a .net.reach)
    guest a "sleep 1000 | nc $outside $port >/dev/null 2>&1 &" >/dev/null
    await 20 open_are 1
    # One that says nothing, and that nobody says anything to.
    python3 - "$reach" >"$root/client.$how" <<'PY' 3>&- &
import socket, sys
s = socket.create_connection((sys.argv[1], 17022), 10)
s.settimeout(60)
s.recv(100)
print("in", flush=True)
try:
    while s.recv(65536): # what a server says unasked
        pass
except ConnectionResetError:
    pass
print("end")
PY
    client=$!
    await 20 grep -q in "$root/client.$how"
    began=$EPOCHREALTIME
    if [ "$how" = kill ]; then
      expect 0 banger vm kill a
    else
      kill -9 "$(vm_field a .vmm.pid)"
    fi
    wait $client
    took_at_most 2 "$began"
    same "$(tail -n 1 "$root/client.$how")" end
    await 2 open_are 0
    expect 0 banger vm rm --force a
  done
  expect 0 guest other true
}

# bats test_tags=once
@test "a way out that is stopped is its VM's trouble alone, and its VM can be ended" {
  needs_user_net
  expect 0 banger vm run $tiny a
  stopped=$(slirp_of a)
  kill -STOP "$stopped"
  expect 0 banger vm run $tiny b
  expect 0 guest b true
  began=$EPOCHREALTIME
  expect 0 banger net status
  took_at_most 5 "$began"
  expect 1 timeout 15 banger net publish a own:17023:23
  errors 'slirp4netns does not answer'
  began=$EPOCHREALTIME
  expect 0 banger vm kill a
  took_at_most 2 "$began"
  gone "$stopped"
  expect 0 guest b true
  expect 0 banger vm start a
  expect 0 guest a true
  expect 0 banger vm rm --force a b
  nothing_left
}

# bats test_tags=once
@test "a holder that is stopped gets a successor" {
  needs_user_net
  expect 0 banger vm run $tiny a
  expect 0 banger vm run $tiny b
  stopped=$(net_field .holder)
  kill -STOP "$stopped"
  # A kill does not wait for it; the next command that changes anything gives the network another.
  began=$EPOCHREALTIME
  expect 0 banger vm kill a
  took_at_most 2 "$began"
  expect 0 guest b true
  expect 0 banger vm start a
  gone "$stopped"
  expect 0 guest a "ping -c 1 -W 5 $(vm_field b .net.address)"
  expect 0 banger vm rm --force a b
  nothing_left
}
