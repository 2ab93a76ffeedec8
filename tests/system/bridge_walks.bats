#!/usr/bin/env bats
# A start and a stop on the network `bridge`, killed at each point that its programs pass: the next command
# makes all good. And many VMs at once, of which the host knows nothing afterwards. Without a guest that boots.
load ../lib
load vm
load net
load points
load bridge

# But for what is counted, and what goes by itself.
still() { host_now | sed 's/ counter packets [0-9]* bytes [0-9]*//; / expires /d'; }

prepared() {
  banger vm reconcile >/dev/null
  in_state a stopped || in_state a failed
}
start_and_kill() {
  banger vm start --no-wait a
  banger vm kill a
}
as_before() { [ "$(still)" = "$idle" ]; }
# A monitor that lives goes on, and so does its VM.
made_good() {
  expect 0 banger vm reconcile
  expect 0 banger vm kill a
  await 10 as_before || diff <(echo "$idle") <(still)
  expect 0 banger doctor --leaks
  # The network's own, empty, is its bridge's: it goes with that.
  same "$(find "$XDG_RUNTIME_DIR/banger" -mindepth 2 ! -path '*/bridge' 2>/dev/null)" ''
}

# bats test_tags=once
@test "start and stop killed at each point of verb, monitor, banger-place and helper: the next command makes all good" {
  needs_failpoints
  before=$(still)
  expect 0 banger net up
  idle=$(still)
  expect 0 banger vm create $tiny --publish 8080:80 a
  walk banger-helper prepared start_and_kill made_good 12
  walk banger-place prepared start_and_kill made_good 4 ends
  walk banger-monitor prepared start_and_kill made_good 8 ends
  start() { banger vm start --no-wait a; }
  walk banger-vm prepared start made_good 3 ends
  # It boots, after all that.
  expect 0 banger vm start a
  expect 0 banger ssh a -- true
  expect 0 banger vm rm --force --all
  expect 0 banger net down
  same "$(still)" "$before"
  nothing_left
}

@test "net up and down killed at each point of the verb and the helper: the next one makes it whole, or absent" {
  needs_failpoints
  before=$(still)
  up() { banger net up; }
  down() { banger net down; }
  is_up() {
    expect 0 banger net up
    same "$(net_field .host.up)" true
    expect 0 banger doctor --leaks
  }
  is_down() {
    expect 0 banger net down
    expect 0 banger doctor --fix # a wish that was refused is none: what the dead one made is nobody's
    same "$(still)" "$before"
  }
  for program in banger-helper banger-net; do
    walk $program is_down up is_up 3 ends
    walk $program is_up down is_down 2 ends
  done
  is_down
}

@test "twenty VMs at once on the bridge, with NAT and ports: all of it is there, and the host is as before when they went" {
  export BANGER_QEMU_BINARY=$BANGER_BUILD/tests/banger-stub-vmm
  before=$(still)
  leases() { python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(*(db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("vm", "host_object", "net_place")))' "$BANGER_STATE_DIR/state.db"; }
  expect 0 banger net up
  up=$(still)
  expect 0 banger vm create $tiny v- --count 20
  expect 0 banger net publish v-7 9007:80
  began=$EPOCHREALTIME
  expect 0 banger vm start --no-wait --all
  echo "# 20 started on the bridge in $(jq -n "$EPOCHREALTIME - $began") s" >&3

  tag=$(net_field .host.bridge)
  tag=${tag#bng-}
  same "$(within ip -o link | grep -c ": bng$tag-[0-9]")" 20
  same "$(within nft -j list set inet "banger_$tag" nat | jq '[.nftables[] | select(.set) | .set.elem[]] | length')" 20
  same "$(banger vm list --json | jq -r .net.address | sort -u | wc -l)" 20
  expect 4 banger net down
  errors "'bridge' down: v-1, v-10, v-11, "
  errors ', v-9 run on it'
  expect 0 banger doctor --leaks
  # One by one and all at once.
  expect 0 banger vm kill v-1 v-2
  same "$(within ip -o link | grep -c ": bng$tag-[0-9]")" 18
  expect 0 banger vm rm --force --all
  same "$(still)" "$up"
  expect 0 banger net down
  same "$(still)" "$before"
  same "$(leases)" '0 0 0'
  nothing_left
}
