#!/usr/bin/env bats
# The names that guests are told: each other's on the network `user`, and those of the outside.
#
# The outside is a world of the test's own: namespaces with nothing but a loopback, a name server of
# ours at its port 53, and a resolv.conf that names it. Root is not needed for that. Programs that
# are started in it see no other.
load ../lib
load vm
load net

setup() {
  vm_root
  world='' server=''
}
teardown() {
  remove_vms
  end $server $world
}

within() { nsenter --target "$world" --user --mount --net --preserve-credentials -- "$@"; }
# answer_at ADDRESS: the name server; what it was asked stands in $root/asked.
answer_at() {
  # Without a shell of its own, which would be what is killed.
  nsenter --target "$world" --user --mount --net --preserve-credentials -- \
    python3 "$BATS_TEST_DIRNAME/name_server.py" "$1" "$root/asked" 3>&- &
  server=$!
}
# Runs banger, and what else, in that world.
banger() { if [ -n "$world" ]; then within banger "$@"; else command banger "$@"; fi; }

# ready_times N: the name server has begun for the Nth time
ready_times() { [ "$(grep -c ready "$root/asked")" = "$1" ]; }
is_ready() { [ -e "$root/$1" ]; }

own_world() {
  echo 'nameserver 127.0.0.53' >"$root/resolv.conf"
  unshare --user --map-root-user --mount --net bash -c '
    ip link set lo up && mount --bind "$1/resolv.conf" "$(readlink -f /etc/resolv.conf)" &&
      touch "$1/world" && exec sleep infinity' - "$root" 3>&- &
  world=$!
  await 10 is_ready world
  answer_at 127.0.0.53
  await 10 grep -qs ready "$root/asked"
}

# At port 53 of the network whose holder that is: proc(5), /proc/net/udp.
question_waits() {
  awk '$2 ~ /:0035$/ && $5 !~ /:00000000$/ { found = 1 } END { exit !found }' "/proc/$1/net/udp"
}
change_state() {
  python3 -c '
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute(sys.argv[2])
db.commit()' "$BANGER_STATE_DIR/state.db" "$1"
}

# ask VM udp|tcp NAME TYPE, at the resolver that it was told
ask() { within python3 "$BATS_TEST_DIRNAME/ask.py" "$1" "$(net_field .resolver)" "${@:2}"; }
asked() { grep -c "^$1\$" "$root/asked"; }
resolves() { [ "$(ask "$1" udp www.outside.test A)" = "NOERROR ra 192.0.2.7" ]; }
other_holder() {
  local pid
  pid=$(net_field .holder)
  [ "$pid" != null ] && [ "$pid" != "$1" ]
}
other_resolver() {
  local pid
  pid=$(net_field .resolver_pid)
  [ "$pid" != null ] && [ "$pid" != "$1" ]
}

@test "guests reach each other by name from their first boot on, and the outside's names are the host's" {
  needs_user_net
  own_world
  expect 0 banger vm create $tiny a b off
  expect 0 banger vm start a b
  local a b
  a=$(vm_field a .net.address) b=$(vm_field b .net.address)
  expect 0 banger ssh cp "$BANGER_BUILD/tests/banger-test-udp" a:udp
  expect 0 guest a 'ping -c 1 -W 5 b'
  outputs "$b"
  expect 0 guest b 'ping -c 1 -W 5 a.vm'
  outputs "$a"
  expect 0 guest a 'ping -c 1 -W 5 a && ping -c 1 -W 5 localhost'
  outputs 127.0.0.1
  # Addresses of the guests' own network, never those that the host reaches them at.
  same "$(ask a udp b.vm A)" "NOERROR ra $b"
  same "$(ask a tcp b.vm A)" "NOERROR ra $b"
  same "$(ask a udp "$(awk -F. '{ print $4 "." $3 "." $2 "." $1 }' <<<"$b").in-addr.arpa" PTR)" 'NOERROR ra b.vm'
  # A name of others is asked of the host's name server, over TCP where its answer is too long.
  same "$(ask a udp www.outside.test A)" 'NOERROR ra 192.0.2.7'
  same "$(ask a udp none.outside.test A)" 'NXDOMAIN ra'
  same "$(ask a udp large.outside.test TXT)" 'NOERROR tc ra'
  same "$(ask a tcp large.outside.test TXT)" 'NOERROR ra 3072'
  same "$(asked 'udp large.outside.test 16') $(asked 'tcp large.outside.test 16')" '1 1'
  # A private name is asked of no server.
  same "$(ask a udp off.vm A)" 'NXDOMAIN ra'
  same "$(ask a udp off A)" 'NXDOMAIN ra'
  same "$(ask a udp 77.2.0.10.in-addr.arpa PTR)" 'NXDOMAIN ra'
  same "$(ask a udp 1.1.1.127.in-addr.arpa PTR)" 'NXDOMAIN ra'
  same "$(grep -v outside.test "$root/asked")" ready
  # A name goes with its VM.
  guest b poweroff || true
  await 30 in_state b stopped
  same "$(ask a udp b.vm A)" 'NXDOMAIN ra'
  # The host's name server is another one from the next question on.
  kill "$server"
  wait "$server" || true
  answer_at 127.0.0.54
  await 10 ready_times 2
  same "$(ask a udp www.outside.test A)" SERVFAIL
  echo 'nameserver 127.0.0.54' >"$root/resolv.conf"
  resolves a
  # It may be one of IPv6, and known on one link alone.
  local at times=2
  within ip -6 address add fe80::1/64 dev lo nodad
  for at in ::1 fe80::1%lo; do
    kill "$server"
    wait "$server" || true
    answer_at $at
    await 10 ready_times $((times += 1))
    echo "nameserver $at" >"$root/resolv.conf"
    resolves a
    same "$(ask a tcp large.outside.test TXT)" 'NOERROR ra 3072'
  done
}

@test "who answers guests is killed: what was asked meanwhile is answered, and no look-up is lost for long" {
  needs_user_net
  own_world
  expect 0 banger vm create $tiny a b
  expect 0 banger vm start a b
  expect 0 banger ssh cp "$BANGER_BUILD/tests/banger-test-udp" a:udp
  resolves a
  local before holder began asker
  before=$(net_field .resolver_pid) holder=$(net_field .holder)
  # One datagram, sent while nobody is there, nor anybody who could put him back.
  # shellcheck disable=SC2046 # a pid each
  kill -STOP $(monitor_of a) $(monitor_of b)
  kill_dead "$before"
  ask a udp www.outside.test A >"$root/answer" 3>&- &
  asker=$!
  await 10 question_waits "$holder"
  began=$EPOCHREALTIME
  # shellcheck disable=SC2046
  kill -CONT $(monitor_of a) $(monitor_of b)
  await 5 other_resolver "$before"
  took_at_most 2.3 "$began"
  wait "$asker"
  same "$(<"$root/answer")" 'NOERROR ra 192.0.2.7'
  # Without its holder it goes on, and comes back after it.
  before=$(net_field .resolver_pid)
  kill -9 "$holder"
  resolves a
  await 5 other_holder "$holder"
  same "$(net_field .resolver_pid)" "$before"
  kill -9 "$before"
  await 5 other_resolver "$before"
  resolves a
  # Both at once.
  before=$(net_field .resolver_pid) holder=$(net_field .holder)
  kill -9 "$before" "$holder"
  await 5 other_resolver "$before"
  resolves a
  # The holder is put back by a monitor of a build before, whose record has no such process.
  before=$(net_field .resolver_pid) holder=$(net_field .holder)
  change_state 'DELETE FROM host_object WHERE kind = "holder" AND name = "resolver"'
  kill -9 "$before" "$holder"
  await 5 other_resolver "$before"
  resolves a
  # A VM less is no reason to go; none is.
  expect 0 banger vm rm --force b
  resolves a
  before=$(net_field .resolver_pid)
  expect 0 banger vm stop a
  await 5 gone "$before"
  expect 0 banger vm rm a
  nothing_left
}

# bats test_tags=once
@test "a guest that floods takes no name from its neighbour" {
  needs_user_net
  own_world
  expect 0 banger vm create $tiny a b
  expect 0 banger vm start a b
  for vm in a b; do expect 0 banger ssh cp "$BANGER_BUILD/tests/banger-test-udp" $vm:udp; done
  local kind silent='\101\101\001\000\000\001\000\000\000\000\000\000\006silent\007outside\004test\000\000\001\000\001'
  for kind in "$silent" garbage; do
    guest b "printf '$kind' | ./udp flood 6 10.0.2.1 53" 3>&- &
    local flood=$!
    # Each is one datagram.
    for _ in 1 2 3; do
      resolves a
      same "$(ask a udp b.vm A)" "NOERROR ra $(vm_field b .net.address)"
    done
    wait "$flood"
  done
  # Connections that say nothing.
  guest b 'for i in $(seq 20); do sleep 8 | nc 10.0.2.1 53 >/dev/null 2>&1 & done; wait' 3>&- &
  local held=$!
  for _ in 1 2 3; do same "$(ask a tcp b.vm A)" "NOERROR ra $(vm_field b .net.address)"; done
  wait "$held"
  local questions
  questions=$(asked 'udp silent.outside.test 1')
  [ "$questions" -gt 0 ]
}

# bats test_tags=once
@test "where nobody can answer guests a VM starts all the same; one that was started so is unharmed by what comes later" {
  needs_user_net
  banger vm failpoints >/dev/null 2>&1 || skip 'this build has no failpoints'
  own_world
  expect 0 banger vm create $tiny a b
  expect 0 within env BANGER_FAILPOINT=sys.bind:eio BANGER_FAILPOINT_IN=banger-netns banger vm start a
  expect 0 guest a 'cat /etc/resolv.conf'
  outputs 'nameserver 10.0.2.3'
  expect 0 banger net status --json
  schema net
  same "$(field '[.resolver, .resolver_pid] | @json')" '["10.0.2.3",null]'
  expect 0 banger ssh cp "$BANGER_BUILD/tests/banger-test-udp" a:udp
  same "$(ask a udp www.outside.test A)" 'NOERROR ra 192.0.2.7'
  # The network as an older build left it: its holder is replaced, and its guests keep what they have.
  local holder b
  holder=$(net_field .holder)
  change_state 'UPDATE host_object SET identity = 3 WHERE kind = "table"'
  expect 0 banger vm start b
  other_holder "$holder"
  expect 0 guest b 'cat /etc/resolv.conf'
  outputs 'nameserver 10.0.2.1'
  expect 0 guest b 'ping -c 1 -W 5 a'
  b=$(vm_field b .net.address)
  expect 0 guest a "ping -c 1 -W 5 $b"
  same "$(within python3 "$BATS_TEST_DIRNAME/ask.py" a 10.0.2.3 udp www.outside.test A)" 'NOERROR ra 192.0.2.7'
  same "$(ask a udp b.vm A)" "NOERROR ra $b"
}

# bats test_tags=once
@test "an isolated VM whose way out is open resolves what the host resolves" {
  own_world
  expect 0 within env BANGER_NET_ISOLATED_OUTBOUND=true banger vm run i $tiny --net isolated
  expect 0 banger ssh cp "$BANGER_BUILD/tests/banger-test-udp" i:udp
  expect 0 guest i 'cat /etc/resolv.conf'
  outputs 'nameserver 10.0.2.3'
  same "$(within python3 "$BATS_TEST_DIRNAME/ask.py" i 10.0.2.3 udp www.outside.test A)" 'NOERROR ra 192.0.2.7'
  expect 0 guest i 'ping -c 1 -W 5 i && ping -c 1 -W 5 localhost'
}
