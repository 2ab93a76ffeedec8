#!/usr/bin/env bats
# What is on the host of the network `bridge` and belongs to no row: named and removed by what it is, never
# by a name that could be another's. Without guests.
load ../lib
load vm
load net
load bridge

# The leaks that doctor told, a line each.
objects() { jq -r '[.object, .name] | join(" ")' <<<"$output" | sort; }
# The state's own tag; there is none before it was made.
tag_of_state() { banger_sql 'SELECT tag FROM identity'; }
banger_sql() {
  python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
row = db.execute(sys.argv[2]).fetchone()
db.commit()
print(*(row or ()))' "$BANGER_STATE_DIR/state.db" "$1"
}
forget_wish() {
  banger_sql 'DELETE FROM host_object'
  banger_sql 'DELETE FROM net_place'
}

@test "taps and rules of no row beside a bridge that is wanted go; what only has their names stays" {
  within nft 'add table inet own; add chain inet own forwards { type filter hook forward priority 5; policy drop; }
    add chain inet own comes { type filter hook input priority 5; policy drop; }'
  expect 0 banger net up
  tag=$(tag_of_state)
  # Names alone make nothing ours: a bridge, and a tap of no group.
  within ip link add "bng$tag-8" type bridge
  within ip tuntap add "bng$tag-6" mode tap
  within nft "add rule inet own forwards iifname \"bng-$tag\" accept comment \"somebody's\""
  expect 0 banger doctor --leaks
  before=$(host_now)
  ask_helper >/dev/null <<<"{\"do\":\"join\",\"tag\":\"$tag\",\"guest\":{\"tap\":7,\"address\":\"$(banger net status --json |
    jq -r .host.gateway | sed 's/1$/77/')\"}}"
  # One that the record does not tell of, either.
  within ip tuntap add "bng$tag-9" mode tap
  within ip link set "bng$tag-9" group $((0x62000000 + 0x$tag)) master "bng-$tag"
  within nft 'add chain inet own more { type filter hook forward priority 6; }'
  within nft "add rule inet own more oifname \"bng-$tag\" accept comment \"bng-$tag\""
  expect 1 banger doctor --leaks --json
  schema leak
  same "$(objects)" "rule inet own more bng-$tag
tap bng$tag-7
tap bng$tag-9"
  expect 0 banger doctor --fix --json
  schema result
  expect 0 banger doctor --leaks
  within nft delete chain inet own more
  same "$(host_now)" "$before"
}

@test "a bridge that no state wants is named whole, and goes with every rule in others' chains" {
  within iptables-nft -P FORWARD DROP
  within iptables-legacy -P FORWARD DROP
  before=$(host_now)
  legacy=$(within iptables-legacy -S)
  expect 0 banger net up
  tag=$(tag_of_state)
  forget_wish
  expect 1 banger doctor --leaks --json
  all="bridge bng-$tag
record /run/banger/$tag.bridge
rule iptables-legacy FORWARD bng-$tag
rule iptables-nft FORWARD bng-$tag
setting net/ipv4/conf/up0/forwarding
table bridge banger_$tag
table inet banger_$tag"
  same "$(objects)" "$all"
  expect 0 banger doctor --fix
  expect 0 banger doctor --leaks
  same "$(host_now)" "$before"
  same "$(within iptables-legacy -S)" "$legacy"
  # Its record lost, too: its rules tell whose forwarding is to be turned off.
  expect 0 banger net up
  within ip tuntap add "bng$tag-9" mode tap
  within ip link set "bng$tag-9" group $((0x62000000 + 0x$tag)) master "bng-$tag"
  forget_wish
  within rm "/run/banger/$tag.bridge"
  expect 1 banger doctor --leaks --json
  same "$(objects)" "$(grep -v '^record' <<<"$all")
tap bng$tag-9"
  expect 0 banger doctor --fix
  expect 0 banger doctor --leaks
  same "$(host_now)" "$before"
  same "$(within iptables-legacy -S)" "$legacy"
}

@test "a bridge of a state that is no more is found by any other, and by who has none" {
  before=$(host_now)
  expect 0 banger net up
  gone=$(tag_of_state)
  BANGER_STATE_DIR=$root/other expect 0 banger net up
  expect 0 banger doctor --leaks
  mv "$BANGER_STATE_DIR" "$root/kept"
  expect 1 banger doctor --leaks --json
  same "$(objects)" "record /run/banger/$gone.bridge"
  mv "$root/kept" "$BANGER_STATE_DIR"
  expect 0 banger doctor --leaks
  # A state made anew in that place has another tag.
  rm -r "$BANGER_STATE_DIR"
  banger net down # makes one
  BANGER_STATE_DIR=$root/other expect 1 banger doctor --leaks --json
  same "$(objects)" "record /run/banger/$gone.bridge"
  BANGER_STATE_DIR=$root/other expect 0 banger doctor --fix
  expect 1 within ip link show "bng-$gone"
  BANGER_STATE_DIR=$root/other expect 0 banger doctor --leaks
  BANGER_STATE_DIR=$root/other expect 0 banger net down
  same "$(host_now)" "$before"
}

@test "who may not start the helper sees links, and is told what he does not see" {
  expect 0 banger net up
  tag=$(tag_of_state)
  blind() { within unshare --mount bash -c 'mount -t tmpfs none "$BANGER_BUILD/libexec/banger"; exec banger doctor "$@"' - "$@"; }
  expect 0 blind --leaks
  errors 'only links were looked at, not rules and records: no banger-helper'
  forget_wish
  expect 1 blind --leaks --json
  same "$(objects)" "bridge bng-$tag"
  expect 5 blind --fix
  errors 'to mend it: install banger again'
  within ip link show "bng-$tag" >/dev/null
  expect 0 banger doctor --fix
  # Who never had one is told nothing.
  BANGER_STATE_DIR=$root/other expect 0 blind --leaks
  same "$stderr" ''
}

@test "what works for VMs on the bridge is no leak; one that no record names is" {
  expect 0 banger net up
  expect 0 banger vm create $tiny a
  expect 0 banger vm start --no-wait a
  await 10 has_resolver
  expect 0 banger doctor --leaks
  tag=$(tag_of_state)
  within bash -c 'cd "$1" && echo $$ >"$2/stray" && exec sleep 300' - "$XDG_RUNTIME_DIR/banger/$tag/bridge" "$root" \
    >/dev/null 2>&1 3>&- &
  await 10 works_there
  stray=$(cat "$root/stray")
  expect 1 banger doctor --leaks --json
  same "$(objects)" "process $stray (sleep)"
  expect 0 banger doctor --fix
  await 10 gone "$stray"
  [ "$(net_field .host.resolver_pid)" != null ]
}
has_resolver() { [ "$(net_field .host.resolver_pid)" != null ]; }
works_there() { [ "$(cat "/proc/$(cat "$root/stray")/comm")" = sleep ]; }
