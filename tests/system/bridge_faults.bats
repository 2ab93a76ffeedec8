#!/usr/bin/env bats
# What a host loses of the network `bridge` by another's hand: it is told at once, with what mends it.
load ../lib
load vm
load net
load bridge

faults() { net_field '[.host.faults[].text] | join("; ")'; }
# fault_is TEXT: status and doctor tell it, and the one `net up` that they name mends all.
fault_is() {
  [[ "; $(faults)" == *"; $1"* ]] || {
    echo "told: $(faults)" >&2
    false
  }
  same "$(net_field '.host.faults[0].fix')" 'banger net up'
  expect 0 banger net status
  outputs "$1"
  banger doctor --json >"$root/doctor" || true # what else this machine lacks is not asked
  same "$(jq -r 'select(.id == "bridge") | [.status, .fix] | @json' "$root/doctor")" '["warn","banger net up"]'
  expect 0 banger net up
  same "$(faults)" ''
  same "$(host_now)" "$whole"
}

@test "without VMs: flushed rules, links, the address, forwarding, ways out, firewalls" {
  expect 0 banger net up
  bridge=$(net_field .host.bridge)
  gateway=$(net_field .host.gateway)
  tag=${bridge#bng-}
  same "$(faults)" ''
  expect 0 banger net status --json
  schema net
  whole=$(host_now)

  within nft flush ruleset
  expect 0 banger net status --json
  schema net
  fault_is "rules of the table 'bridge banger_$tag' are missing"
  within nft flush table inet "banger_$tag"
  fault_is "rules of the table 'inet banger_$tag' are missing: guests are not kept from this host"
  within nft flush chain bridge "banger_$tag" guest
  fault_is "rules of the table 'bridge banger_$tag' are missing: guests may send as others"
  # What is there more, or is not what it was, too.
  within nft insert rule inet "banger_$tag" forward drop
  fault_is "somebody has changed the table 'inet banger_$tag'"
  within bash -ec 'nft replace rule inet $1 out handle $(nft -a list chain inet $1 out | sed -n "s/.*@nat.* handle //p") counter accept' - "banger_$tag"
  fault_is "somebody has changed the table 'inet banger_$tag'"
  within nft add element inet "banger_$tag" host_open '{ 10.64.0.9 }'
  fault_is "somebody has changed the table 'inet banger_$tag'"
  within nft add chain bridge "banger_$tag" more '{ type filter hook input priority 0; policy drop; }'
  fault_is "somebody has changed the table 'bridge banger_$tag'"
  within tc qdisc del dev "$bridge" clsact
  fault_is "no filter guards '$bridge': whoever flushes all rules opens it"
  within ip link del "$bridge"
  fault_is "the bridge '$bridge' is not there"
  within ip link set "$bridge" down
  fault_is "the bridge '$bridge' is not up"
  within ip addr flush dev "$bridge"
  fault_is "the address $gateway is not at the bridge '$bridge'"
  within bash -ec 'ip addr flush dev "$1"; ip addr add "$2/32" dev dock0' - "$bridge" "$gateway"
  [[ $(faults) == *"the address $gateway is not at the bridge '$bridge'"* ]]
  expect 4 banger net up # it is somebody's
  within ip addr del "$gateway/32" dev dock0
  fault_is "the address $gateway is not at the bridge '$bridge'"
  within bash -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv4/ip_forward'
  fault_is "forwarding is off for '$bridge'"
  within bash -c 'echo 0 >/proc/sys/net/ipv4/conf/up0/forwarding'
  fault_is "forwarding is off for 'up0'"
  within iptables-nft -P FORWARD DROP
  whole_then=$whole
  expect 0 banger net up
  whole=$(host_now)
  within iptables-nft -F FORWARD
  fault_is "iptables-nft does not let '$bridge' pass in FORWARD"
  within iptables-nft -D FORWARD -o "$bridge" -j ACCEPT
  fault_is "iptables-nft does not let '$bridge' pass in FORWARD"
  within nft delete table ip filter
  expect 0 banger net up
  same "$(host_now)" "$whole_then"

  # The way out is another.
  within bash -ec 'ip route del default; ip route add default via 198.51.100.2'
  same "$(faults)" "guests go out by 'up0', which leads outside no more; 'dock0' leads outside now, and guests may not go by it"
  banger doctor --json >"$root/doctor" || true # what else this machine lacks is not asked
  same "$(jq -r 'select(.id == "bridge") | [.found, .fix] | join("; ")' "$root/doctor")" "$(faults); banger net up"
  expect 0 banger net up
  same "$(faults)" ''
  within bash -ec 'ip route del default; ip route add default via 192.0.2.2'
  expect 0 banger net up
  whole=$whole_then
  same "$(host_now)" "$whole"

  # A VPN takes its subnet: the rest is made good, and what is taken is told.
  within ip route add "${gateway%.*}.128/25" via 192.0.2.2
  within nft flush table inet "banger_$tag"
  expect 0 banger net up
  same "$(net_field '.host.faults | map([.text, .fix]) | @json')" "[[\"this host has another route to ${gateway%.*}.128/25, in the bridge's subnet\",\"banger net down; banger net up\"]]"
  # One that is not there is made in no subnet of another's.
  within ip link del "$bridge"
  expect 4 banger net up
  errors 'this host has a route to'
  # No VM has an address of it, so that another will do.
  expect 0 banger net down
  expect 0 banger net up
  same "$(faults)" ''
  [ "$(net_field .host.gateway)" != "$gateway" ]
  within ip route del "${gateway%.*}.128/25"
  expect 0 banger net up
  same "$(faults)" ''

  # A kernel without such a filter: told when the bridge is made, and not as what a command mends.
  expect 0 banger net down
  BANGER_FAILPOINT_IN=banger-helper BANGER_FAILPOINT=net.link#2:eio expect 0 banger net up
  errors "whoever flushes all rules of this host opens '$(net_field .host.bridge)'"
  same "$(faults)" ''
  within nft flush ruleset
  [[ $(faults) == *'guests are not kept from this host'* ]]
  expect 0 banger net up
  same "$(faults)" ''
}

@test "a record that cannot be read is named, with the way out; whatever a look says, the rest is told" {
  expect 0 banger net up
  bridge=$(net_field .host.bridge)
  record=/run/banger/${bridge#bng-}.bridge
  whole=$(host_now)
  for text in '' garbage '{"v":1,"uid":0}' '[]'; do
    within bash -c 'printf "%s" "$1" >"$2"' - "$text" "$record"
    same "$(net_field '.host.blind | startswith("the record '"'$record'"' cannot be read")')" true
    expect 1 banger net up
    errors "the record '$record' cannot be read"
    same "$(net_field '.host.faults[0].fix')" "sudo rm $record, banger net up, and banger vm restart of those that run"
    errors "hint: sudo rm $record, banger net up, and banger vm restart of those that run"
    banger doctor --json >"$root/doctor" || true # what else this machine lacks is not asked
    same "$(jq -r 'select(.id == "bridge") | [.status, .fix] | @json' "$root/doctor")" \
      "[\"warn\",\"sudo rm $record, banger net up, and banger vm restart of those that run\"]"
  done
  within rm "$record"
  expect 0 banger net up
  same "$(host_now)" "$whole"
  expect 0 banger net down
}

@test "a start lists the rules where another has changed any, and there alone; whose bridge changed last does not matter" {
  joins() { printf '{"do":"join","tag":"%s","guest":{"tap":%s,"address":"%s.%s"}}' "$1" "$3" "$2" "$((3 + $3))"; }
  join() { [[ $(ask_helper <<<"$(joins "$@")") == *'"link"'* ]]; }
  # How often that asks the kernel for rules.
  listings() {
    within strace -f -s 100 -e trace=sendto,sendmsg -o "$root/calls" "$BATS_TEST_DIRNAME/ask_helper.py" <<<"$(joins "$@")" >"$root/said"
    grep -q '"link"' "$root/said"
    grep -c NFT_MSG_NEWSETELEM "$root/calls" >/dev/null # which it must
    grep -c NFT_MSG_GETRULE "$root/calls" || true
  }
  rules() { within nft -a list table "$1" "banger_$2" | grep -c ' # handle '; }
  up='{"do":"up","tag":"aaaa","subnet":"10.77.0.0/24"}
{"do":"up","tag":"bbbb","subnet":"10.78.0.0/24"}'
  ask_helper <<<"$up" >/dev/null
  join aaaa 10.77.0 1
  join bbbb 10.78.0 1
  same "$(listings aaaa 10.77.0 2)" 0
  same "$(listings bbbb 10.78.0 2)" 0
  same "$(listings aaaa 10.77.0 3)" 0
  # Of another's rules, even.
  within nft add table inet own
  [ "$(listings aaaa 10.77.0 4)" -gt 0 ]
  same "$(listings aaaa 10.77.0 5)" 0
  whole_a=$(rules inet aaaa) whole_b=$(rules bridge bbbb)
  within nft flush chain inet banger_aaaa input
  within nft flush chain bridge banger_bbbb guest
  [ "$(rules inet aaaa)" -lt "$whole_a" ]
  join bbbb 10.78.0 3
  same "$(rules bridge bbbb)" "$whole_b"
  [ "$(rules inet aaaa)" -lt "$whole_a" ]
  same "$(listings bbbb 10.78.0 4)" 0
  join aaaa 10.77.0 6
  same "$(rules inet aaaa)" "$whole_a"
  # So are elements of sets.
  elements() { within nft list set bridge banger_aaaa addresses | grep -c 'bngaaaa-'; }
  whole_a=$(elements)
  within nft flush set bridge banger_aaaa addresses
  join aaaa 10.77.0 8
  [ "$(elements)" -ge "$whole_a" ]
  # A firewall that came since is passed.
  within nft 'add chain inet own forwards { type filter hook forward priority 5; policy drop; }'
  join aaaa 10.77.0 7
  within nft list chain inet own forwards | grep -q bng-aaaa
  ask_helper <<<'{"do":"down","tag":"aaaa"}
{"do":"down","tag":"bbbb"}'
}

@test "a tap that was removed under its VM: the restart that mends it is named; reconcile tells of leaks" {
  expect 0 banger net up
  expect 0 banger vm run $tiny a -- true
  tap=$(net_field '.leases[0].tap')
  tag=${tap#bng}
  tag=${tag%-*}
  same "$(net_field '.host.faults | length')" 0
  within ip link set "$tap" nomaster
  same "$(net_field '.host.faults[] | [.text, .fix] | @json')" "[\"a: the tap '$tap' is not up, at the bridge\",\"banger net up\"]"
  expect 0 banger net up
  expect 0 banger ssh a -- true
  # While a VM runs, rules that another took are there again without a command, his firewall's reload or not; and
  # nobody races with one who takes them all the time.
  is_mended() { [ "$(net_field '.host.faults | length')" -eq 0 ]; }
  mends() { grep -c '"net.mended"' "$BANGER_STATE_DIR/log/banger.jsonl" || true; }
  same "$(mends)" 0
  within nft flush ruleset
  await 20 is_mended
  same "$(mends)" 1
  expect 0 banger ssh a -- true
  within nft flush set bridge "banger_$tag" addresses
  await 20 eval '[ "$(mends)" = 2 ] && is_mended'
  expect 0 banger ssh a -- true
  expect 124 within timeout 5 bash -c 'while :; do nft flush ruleset; done'
  [ "$(mends)" -lt 8 ]
  await 60 is_mended
  expect 0 banger ssh a -- true
  # What another took is made good by the next start or end of any VM, too.
  expect 0 banger vm create $tiny b # whose preflight minds none of it
  within nft flush ruleset
  expect 0 banger vm start b
  same "$(net_field '.host.faults | length')" 0
  expect 0 banger vm rm --force b
  within nft flush table inet "banger_$tag" # its chains stay, without a rule
  expect 0 banger vm create $tiny b
  expect 0 banger vm start b
  same "$(net_field '.host.faults | length')" 0
  expect 0 banger vm rm --force b
  within ip addr flush dev "bng-$tag"
  within bash -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv4/ip_forward'
  ask_helper >/dev/null <<<"{\"do\":\"join\",\"tag\":\"$tag\",\"guest\":{\"tap\":77,\"address\":\"$(net_field .host.gateway |
    sed 's/1$/77/')\"}}"
  same "$(net_field '.host.faults | length')" 0
  # The tap that nobody's row tells of is a leak.
  expect 0 banger vm reconcile
  errors '1 of what earlier runs left is of no VM: banger doctor --leaks'
  [[ $stderr != *'everything is in order'* ]]
  expect 0 banger doctor --fix
  expect 0 banger vm reconcile
  errors 'everything is in order'
  for was in "the tap '$tap' is not there" "no VMM is at the tap '$tap'"; do
    [[ $was == no* ]] || within ip link del "$tap"
    same "$(net_field '.host.faults[] | [.text, .fix] | @json')" "[\"a: $was\",\"banger vm restart a\"]"
    banger doctor --json >"$root/doctor" || true # what else this machine lacks is not asked
    same "$(jq -r 'select(.id == "bridge") | [.found, .fix] | @json' "$root/doctor")" "[\"a: $was\",\"banger vm restart a\"]"
    expect 0 banger net up # the tap is made, and nobody is at it
  done
  expect 0 banger vm restart a
  same "$(net_field '.host.faults | length')" 0
  expect 0 banger ssh a -- true
  # The helper forgot the bridge, and it went: who runs on it is not forgotten, and is on it again.
  lost="the bridge 'bng-$tag' has lost its record of a"
  within bash -ec 'rm "/run/banger/$1.bridge"; ip link del "bng-$1"; nft flush ruleset' - "$tag"
  same "$(net_field '.host.faults[] | [.text, .fix] | @json')" "[\"$lost\",\"banger net up\"]"
  banger doctor --json >"$root/doctor" || true # what else this machine lacks is not asked
  same "$(jq -r 'select(.id == "bridge") | [.status, .found, .fix] | @json' "$root/doctor")" "[\"warn\",\"$lost\",\"banger net up\"]"
  expect 0 banger net up
  expect 0 banger ssh a -- true
  same "$(net_field '.host.faults | length')" 0
  # The bridge alone is there, since another's start made it.
  within rm "/run/banger/$tag.bridge"
  expect 0 banger net status
  outputs 'uplinks   not known until the bridge is made again'
  expect 0 banger vm run $tiny b -- true
  expect 0 banger ssh a -- true
  expect 0 banger vm rm --force b
  within rm "/run/banger/$tag.bridge"
  expect 0 banger net up
  expect 0 banger ssh a -- true
  same "$(net_field '.leases[0].tap')" "$tap"
  expect 0 banger vm rm --force a
  expect 0 banger net down
  expect 0 banger doctor --leaks
}
