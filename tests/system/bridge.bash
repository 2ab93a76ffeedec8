# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # what the tests and ../lib have in common
# Helpers of the tests of the host's network: load last, for its setup is the one that counts.
#
# The host is a world of the test's own, in which whoever runs the test is root: a network namespace
# with an uplink to another one, the outside, and a /run of its own. The machine's own links and rules
# are never touched.
#
#   world:    up0 192.0.2.1/24, default route by .2     dock0 198.51.100.1/24, another network of the host's
#   outside:  out0 192.0.2.2/24, and 203.0.113.7/32     dock1 198.51.100.2/24
#             a route back to the VMs by 192.0.2.1: the LAN

setup() {
  vm_root
  world='' outside='' servers=()
  own_host
}
teardown() {
  [ -z "${world:-}" ] || remove_vms
  end "${servers[@]}" "$outside" "$world"
}

in_ns() {
  local target=${1:?no world}
  shift
  nsenter --target "$target" --user --mount --net --preserve-credentials -- "$@"
}
within() { in_ns "$world" "$@"; }
without() { in_ns "$outside" "$@"; }
# Never on the machine itself: without a world this fails.
banger() { within banger "$@"; }
is_ready() { [ -e "$root/$1" ]; }

own_host() {
  echo 'nameserver 192.0.2.2' >"$root/resolv.conf"
  unshare --user --map-root-user --mount --net bash -c '
    set -e
    mount --bind "$1/resolv.conf" "$(readlink -f /etc/resolv.conf)"
    mount -t tmpfs -o mode=755 none /run
    ip link set lo up
    touch "$1/world"
    exec sleep infinity' - "$root" 3>&- &
  world=$!
  await 10 is_ready world
  nsenter --target "$world" --user --mount --net --preserve-credentials -- \
    unshare --net bash -c '
    ip link set lo up
    touch "$1/outside"
    exec sleep infinity' - "$root" 3>&- &
  outside=$!
  await 10 is_ready outside
  within bash -ec '
    ip link add up0 type veth peer name out0
    ip link add dock0 type veth peer name dock1
    for link in out0 dock1; do ip link set $link netns "$1"; done
    ip addr add 192.0.2.1/24 dev up0
    ip addr add 198.51.100.1/24 dev dock0
    for link in up0 dock0; do ip link set $link up; done
    for key in up0 dock0 all; do echo 0 >/proc/sys/net/ipv4/conf/$key/forwarding; done' - "$outside"
  without bash -ec '
    ip addr add 192.0.2.2/24 dev out0
    ip addr add 203.0.113.7/32 dev lo
    ip addr add 198.51.100.2/24 dev dock1
    for link in out0 dock1; do ip link set $link up; done
    ip route add 10.64.0.0/10 via 192.0.2.1'
  within ip route add default via 192.0.2.2
}

# Its death and another: the same state on a host that has nothing of it.
reboot_host() {
  kill "$outside" "$world"
  await 10 gone "$world"
  rm -f "$root/world" "$root/outside"
  own_host
}

# ask_helper [UID] <REQUESTS
ask_helper() { within "$BATS_TEST_DIRNAME/ask_helper.py" "$@"; }

# All that the host has of links, rules and settings, as text; not whether a link has a carrier, which follows.
host_now() {
  within bash -c '
    ip -o link | sed "s/^[0-9]*: //; s/@if[0-9]*//; s/\(^bng....-[0-9].*\)link.*/\1/; s/NO-CARRIER,\|,LOWER_UP\| state [A-Z]*//g"
    ip -4 -o addr | sed "s/^[0-9]*: //; s/ *valid_lft.*//"
    ip -4 route show table all | sed "s/ linkdown//"
    nft list ruleset
    ip rule
    grep -H . /proc/sys/net/ipv4/conf/*/{forwarding,route_localnet,arp_ignore}'
}

# serve_at WHERE ADDRESS PORT LINE: says the line to whoever connects, and who that was: "LINE PEER"; it ends
# with the shell that waits for it, which is all that the test knows of it.
serve_at() {
  "$1" setpriv --pdeathsig KILL python3 - "${@:2}" "$root/served-$2-$3" <<'EOF' 3>&- &
import os, socket, sys
s = socket.create_server((sys.argv[1], int(sys.argv[2])))
open(sys.argv[4], "w").close()
while True:
    c, peer = s.accept()
    c.sendall(f"{sys.argv[3]} {peer[0]}\n".encode())
    c.close()
EOF
  servers+=($!)
  await 10 is_ready "served-$2-$3"
}
# said WHERE ADDRESS PORT: what that server says; status 1 where there is no way.
said() {
  "$1" python3 - "${@:2}" <<'EOF'
import socket, sys
try:
    print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).makefile().readline().strip())
except OSError as e:
    sys.exit(f"no way to {sys.argv[1]}: {e}")
EOF
}
# The same from a guest, by busybox's nc.
guest_hears() { banger ssh "$1" -- "nc -w 5 $2 $3 </dev/null"; }
