#!/usr/bin/env bats
# `banger net probe` on the host's network: what is in a guest's way is put there, and named.
load ../lib
load vm
load net
load points
load bridge

# finds TEST OUTCOME [BY [AT]]: what the probe that ran last says of a test, AT as a pattern.
finds() {
  local line
  line=$(jq -c "select(.test == \"$1\")" <<<"$output" | head -n 1)
  # shellcheck disable=SC2053 # a pattern
  [ "$(jq -r '[.outcome, .by // "-"] | join(" ")' <<<"$line")" = "$2 ${3:--}" ] &&
    [[ $(jq -r '.at // ""' <<<"$line") == ${4:-*} ]] || {
    printf 'wanted %s\nfound  %s\n' "$*" "$line" >&2
    false
  }
}
arrives() {
  expect 0 banger net probe --json "$@"
  same "$(jq -r 'select(.outcome == "lost")' <<<"$output")" ''
}
probes() { expect 1 banger net probe --json "$@"; }
said_of() { jq -r "select(.test == \"$1\") | [.found, .fix // \"\"] | join(\"; \")" <<<"$output"; }
has_resolver() { [ "$(net_field .host.resolver_pid)" != null ]; }
ended() { ! kill -0 "$1" 2>/dev/null; }
on_guest() { banger ssh "$1" -- "$2"; }

# names_at ADDRESS: a name server while "$root/names" is there: outside.test is its own name, of others it finds nothing.
names_at() {
  without setpriv --pdeathsig KILL python3 - "$1" "$root/names" <<'EOF' 3>&- &
import os, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53))
open(sys.argv[2], "w").close()
while True:
    question, peer = s.recvfrom(4096)
    if not os.path.exists(sys.argv[2]):
        continue
    if question[12:].startswith(b"\7outside\4test\0\0\1"):
        asked = question[12:question.index(b"\0", 12) + 5]
        s.sendto(question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + asked + b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" +
                 socket.inet_aton(sys.argv[1]), peer)
    else:
        s.sendto(question[:2] + b"\x81\x80" + question[4:6] + bytes(6) + question[12:], peer)
EOF
  servers+=($!)
  await 10 is_ready names
}
# The host but for what counts and what runs out.
host_stands() { host_now | grep -v 'counter\|expires'; }
# Nothing of a probe stands on the host.
nothing_watches() { [ "$(within nft list tables | grep -c watch)" = 0 ]; }

# bats test_tags=once
@test "what keeps a guest on the bridge from the outside is named: rules, firewalls, forwarding, the guest itself" {
  serve_at without 192.0.2.2 53 names
  serve_at without 198.51.100.2 8003 other
  names_at 192.0.2.2
  expect 0 banger net up
  expect 0 banger vm run $tiny --publish 8080:80 --publish 8081:81 a -- true
  tag=$(net_field .host.bridge)
  tag=${tag#bng-}
  on_guest a 'setsid nc -ll -p 80 -e echo served </dev/null >/dev/null 2>&1 &
    setsid nc -ll -p 81 -s 127.0.0.1 -e echo served </dev/null >/dev/null 2>&1 & true'
  probes a
  schema probe
  finds guest ok
  finds link ok
  finds address ok
  finds route ok
  finds outside ok
  finds name ok
  finds names ok
  finds port ok
  # The second published port has nobody, or only the guest's own loopback.
  same "$(jq -rs 'map(select(.outcome == "lost")) | map(.to + " " + .by) | join(",")' <<<"$output")" \
    "127.0.0.1:8081/tcp guest,$(vm_field a .net.address):8081/tcp guest"
  expect 0 banger net publish a 8081:81 --remove
  # By a name, as the VMs' resolver asks for it.
  arrives --to outside.test:53 a
  schema probe
  same "$(jq -r 'select(.test == "outside").to' <<<"$output")" 'outside.test:53/tcp (192.0.2.2)'
  probes --to nowhere.test:53 a
  finds outside lost outside
  same "$(jq -r 'select(.test == "outside") | .to + ", " + .found' <<<"$output")" \
    "nowhere.test:53/tcp, 192.0.2.2 knows no address of 'nowhere.test'"
  # What is not probed is said.
  expect 2 banger net probe --to '[2001:db8::1]:80' a
  errors 'IPv6 is not probed, for VMs have none'
  expect 0 banger net publish a 5300:53/udp
  arrives a
  same "$(jq -rs '.[] | select(.to == "127.0.0.1:5300/udp") | .outcome + " " + .found' <<<"$output")" \
    "skipped ports of UDP are not probed: only a program of the guest's could tell"
  expect 0 banger net publish a 5300:53/udp --remove
  before=$(host_stands)
  arrives a
  expect 0 banger net probe a
  same "$(banger net probe -q a)" ''

  # The VM's own setting.
  expect 0 banger net nat down a
  probes a
  finds outside lost setting "inet banger_$tag out, rule *"
  expect 0 banger net nat up a
  # An outside that refuses is one that is reached; what keeps the guest from it is told as ever.
  arrives --to 192.0.2.2:9 a
  same "$(said_of outside)" 'it refuses; '
  expect 0 banger net nat down a
  probes --to 192.0.2.2:9 a
  finds outside lost setting "inet banger_$tag out, rule *"
  expect 0 banger net nat up a
  # A network of the host's that is no uplink.
  probes --to 198.51.100.2:8003 a
  finds outside lost rule "inet banger_$tag out, rule *"
  # Where the host itself does not get.
  probes --to 203.0.113.99:80 a
  finds outside lost outside

  within ip route del default
  probes --to 203.0.113.7:80 a
  finds outside lost routing
  within ip route add default via 192.0.2.2

  # Firewalls of others: a rule, a policy, one that refuses as the other end would, one of iptables-legacy.
  within nft 'add table inet their; add chain inet their way { type filter hook forward priority 7; }
    add rule inet their way tcp dport 53 drop'
  probes a
  finds outside lost firewall 'inet their way, rule *'
  within nft 'flush chain inet their way; add rule inet their way tcp dport 53 reject'
  probes a
  finds outside lost firewall 'inet their way, rule *'
  mender_rests
  within nft 'flush chain inet their way; add chain inet their way { policy drop; }'
  probes a
  finds outside lost firewall 'inet their way, policy'
  mender_goes_on
  within nft 'add chain inet their way { policy accept; }; add rule inet their way ip saddr 192.0.2.2 drop'
  probes a
  finds outside lost firewall 'inet their way, rule *'
  within nft 'delete table inet their'
  within iptables-nft -I INPUT -p udp --dport 53 -j DROP
  probes a
  finds outside ok
  finds name lost firewall 'ip filter INPUT, rule *'
  within iptables-nft -D INPUT -p udp --dport 53 -j DROP
  within iptables-nft -I OUTPUT -p tcp --dport 80 -j DROP
  probes a
  finds port lost firewall 'ip filter OUTPUT, rule *'
  within iptables-nft -D OUTPUT -p tcp --dport 80 -j DROP
  within nft 'delete table ip filter'
  within iptables-legacy -I FORWARD -p tcp --dport 53 -j DROP
  probes a
  finds outside lost firewall 'the hook forward'
  within iptables-legacy -D FORWARD -p tcp --dport 53 -j DROP
  arrives a

  # The host's own settings, and its routes.
  within bash -c 'echo 0 >/proc/sys/net/ipv4/conf/bng-'"$tag"'/forwarding'
  probes a
  finds outside lost forwarding "net.ipv4.conf.bng-$tag.forwarding"
  within bash -c 'echo 1 >/proc/sys/net/ipv4/conf/bng-'"$tag"'/forwarding; echo 0 >/proc/sys/net/ipv4/conf/up0/forwarding'
  probes a
  finds outside lost forwarding net.ipv4.conf.up0.forwarding
  within bash -c 'echo 1 >/proc/sys/net/ipv4/conf/up0/forwarding'
  within ip rule add iif "bng-$tag" prohibit
  probes a
  finds outside lost routing
  within ip rule del iif "bng-$tag" prohibit
  # The LAN has a route back to VMs, with which they need no NAT.
  without ip route del 10.64.0.0/10
  # Not even ssh gets an answer: as long as nobody makes good what was flushed, nothing gets in.
  mender_rests
  within nft flush ruleset
  probes a
  finds guest lost rule "banger's own tables"
  mender_goes_on
  expect 0 banger net up
  # Names: those of the outside, and the resolver.
  rm "$root/names"
  probes a
  finds name ok
  finds names lost outside
  touch "$root/names"
  arrives a
  same "$(host_stands)" "$before"
  nothing_watches

  # The guest itself.
  on_guest a 'ip route del default'
  probes a
  finds route lost guest
  finds outside lost guest
  on_guest a "ip route add default via $(vm_field a .net.gateway)"
  on_guest a 'cp /etc/resolv.conf /tmp/was; : >/etc/resolv.conf'
  probes a
  finds names lost guest /etc/resolv.conf
  on_guest a 'cp /tmp/was /etc/resolv.conf'
  arrives a
  on_guest a 'ip route add prohibit 192.0.2.2'
  probes a
  finds outside lost guest
  on_guest a 'ip route del prohibit 192.0.2.2'
  # Without its monitor nobody puts its resolver back.
  kill_monitor a "$(net_field .host.resolver_pid)"
  probes a
  finds name lost process banger-resolver
  # Deaf.
  on_guest a 'killall dropbear' || true
  probes a
  finds guest lost guest
  finds outside skipped
}

# bats test_tags=once
@test "what the host has lost of the way to a guest is not the guest's, and one that ends is not waited for" {
  names_at 192.0.2.2
  expect 0 banger net up
  expect 0 banger vm run $tiny a -- true
  tag=$(net_field .host.bridge)
  tag=${tag#bng-}
  # What the host has lost of the bridge or of the tap is not the guest's.
  tap=$(net_field '.leases[] | select(.vm == "a").tap')
  address=$(vm_field a .net.address)
  mender_rests
  loses() { # TEXT FIX COMMAND...
    within "${@:3}"
    probes a
    finds guest lost routing "bng-$tag"
    same "$(said_of guest)" "$1; $2"
    expect 0 $2
  }
  loses "a: the tap '$tap' is not up, at the bridge" 'banger net up' ip link set "$tap" down
  loses "the address $(vm_field a .net.gateway) is not at the bridge 'bng-$tag'" 'banger net up' \
    ip addr flush dev "bng-$tag"
  loses "the bridge 'bng-$tag' is not there" 'banger net up' ip link del "bng-$tag"
  await 10 has_resolver
  mender_rests
  within ip addr add "$address/32" dev dock0
  probes a
  finds guest lost routing
  [[ $(said_of guest) == "this host has another route to $address/32, in the bridge's subnet; "* ]]
  within ip addr del "$address/32" dev dock0
  within ip route add "$address/32" via 192.0.2.2
  probes a
  finds guest lost routing
  [[ $(said_of guest) == "this host has another route to $address/32, in the bridge's subnet; "* ]]
  within ip route del "$address/32"
  loses "a: the tap '$tap' is not there" 'banger vm restart a' ip link del "$tap"
  arrives a
  # Deaf.
  on_guest a 'killall dropbear' || true
  probes a
  finds guest lost guest
  finds outside skipped
  same "$(said_of guest)" 'no ssh server runs in the guest; banger vm console a'
  # One that ends meanwhile is not waited for.
  expect 0 banger vm restart a
  on_guest a 'kill -STOP $(pidof dropbear | tr " " "\n" | sort -n | head -n 1)' || true
  banger net probe a >"$root/probe" 2>&1 3>&- &
  probe=$!
  is_asked() { within ss -Htn state established dst "$address:22" | grep -q .; }
  await 10 is_asked
  expect 0 banger vm kill a
  await 5 ended "$probe"
  status=0
  wait "$probe" || status=$?
  same "$status" 4
  grep "cannot probe 'a': it has ended meanwhile" "$root/probe"
}

@test "on the private network and on an isolated one it tells a closed address, a way out that went, and no way out" {
  serve_at without 192.0.2.2 53 names
  serve_at within 192.0.2.1 8001 host
  names_at 192.0.2.2
  expect 0 banger vm create $tiny --net user --publish 8080:80 u
  expect 0 banger vm create $tiny --net isolated i
  expect 0 banger vm start u i
  on_guest u 'setsid nc -ll -p 80 -e echo served </dev/null >/dev/null 2>&1 & true'
  arrives u
  finds guest ok
  finds outside ok
  finds name ok
  finds port ok
  probes --to 192.0.2.1:8001 u
  finds outside lost rule 'bridge banger_???? guest'
  on_guest u 'ip route add prohibit 192.0.2.2'
  probes u
  finds outside lost guest
  on_guest u 'ip route del prohibit 192.0.2.2'
  on_guest u 'killall nc'
  probes u
  finds port lost guest
  probes i
  finds guest ok
  finds outside lost setting net.isolated_outbound
  finds names skipped
  # Without its monitor nobody puts its way out back.
  kill_monitor u "$(net_field '.leases[] | select(.vm == "u").slirp')"
  probes u
  finds guest lost process slirp4netns
  expect 0 banger vm stop i
  expect 4 banger net probe i
  expect 3 banger net probe nobody
}

# bats test_tags=once
@test "a watch is its asker's alone: another user, another watch, words that are none; and ends with whoever dies" {
  ask_helper 1000 <<'EOF' >/dev/null
{"do":"up","tag":"aaaa","subnet":"10.77.0.0/24"}
{"do":"join","tag":"aaaa","guest":{"tap":1,"address":"10.77.0.4"}}
EOF
  before=$(host_stands)
  within python3 - <<'EOF'
import json, os, signal, socket, subprocess
program = os.environ["BANGER_BUILD"] + "/libexec/banger/banger-helper"
def watch(uid="1000", **change):
    ours, theirs = socket.socketpair()
    child = subprocess.Popen([program], stdin=theirs, stdout=theirs, env={**os.environ, "SUDO_UID": uid})
    theirs.close()
    port = {"proto": "tcp", "host_address": "192.0.2.2", "host": 53, "guest": 0, **change}
    ours.sendall((json.dumps({"v": 1, "do": "watch", "tag": "aaaa", "tap": 1, "port": port}) + "\n").encode())
    return child, ours, json.loads(ours.makefile().readline())
def tables():
    return subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout.count("watch1")
def refused(code, **ask):
    child, ours, answer = watch(**ask)
    assert answer["error"]["code"] == code, (ask, answer)
    child.wait()
    assert tables() == 0
refused("conflict", uid="1001")
refused("usage", proto="icmp")
refused("usage", host=0)
refused("usage", host_address="192.0.2.2 accept; flush ruleset")
refused("usage", host_address="192.0.2.02")
refused("failed", host="53")
# One at a time; what it saw is told when it is asked.
child, ours, answer = watch()
assert answer == {"v": 1}, answer
assert tables() == 2
second, other, answer = watch()
assert answer["error"]["code"] == "conflict", answer
second.wait()
assert tables() == 2
ours.sendall(b"\n")
seen = json.loads(ours.makefile().readline())
assert seen["rules"] and seen["drops"] == [] and seen["there"]["from_tap"] == 0, seen
child.wait()
assert tables() == 0
# Killed, or left by its asker.
child, ours, answer = watch()
assert tables() == 2
child.send_signal(signal.SIGKILL)
child.wait()
assert tables() == 0
child, ours, answer = watch()
assert tables() == 2
ours.close()
child.wait()
assert tables() == 0
EOF
  same "$(host_stands)" "$before"
}
