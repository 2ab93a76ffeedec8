#!/usr/bin/env bats
# The host's network beside firewalls of others, from their packages, and beside a VPN.
load ../lib
load vm
load net
load points
load bridge

# What the guest gets at outside, and the outside at the guest's published port; the first as whom.
reaches() {
  guest_hears a 203.0.113.7 8000 >"$root/heard" 2>/dev/null &&
    same "$(<"$root/heard")" "outside ${1:-192.0.2.1}" && is_served
}
is_served() { [ "$(said without 192.0.2.1 8080 2>/dev/null)" = served ]; }
is_cut_off() { expect 1 banger ssh a -- 'nc -w 2 203.0.113.7 8000 </dev/null'; }

# All rules of the host as text, but for what they count.
rules_now() {
  within bash -c 'nft list ruleset | sed "s/counter packets [0-9]* bytes [0-9]*//; /expires/d"; iptables-legacy -S 2>/dev/null'
}
# Another state's bridge comes and goes: the rules are as before.
comes_and_goes() {
  local before
  before=$(rules_now)
  same "$(ask_helper <<<'{"do":"up","tag":"aaaa","subnet":"10.77.0.0/24"}' | jq -r .subnet)" 10.77.0.0/24
  [ "$(within bash -c 'nft list ruleset; iptables-legacy -S 2>/dev/null' | grep -v banger | grep -c '"\?bng-aaaa')" -ge 2 ]
  same "$(ask_helper <<<'{"do":"down","tag":"aaaa"}')" ok
  diff <(echo "$before") <(rules_now)
}

a_guest() {
  serve_at without 203.0.113.7 8000 outside
  expect 0 banger net up
  expect 0 banger vm run $tiny --publish 0.0.0.0:8080:80 a -- true
  banger ssh a -- 'setsid nc -ll -p 80 -e echo served </dev/null >/dev/null 2>&1 &'
  await 10 reaches
}

# bats test_tags=once
@test "chains that end in a drop let the bridge pass, before that rule; guests go by a VPN with a table of its own" {
  a_guest
  clean=$(rules_now)
  mender_rests
  for last in DROP 'REJECT --reject-with icmp-host-prohibited'; do
    for kind in nft legacy; do
      within iptables-$kind -A FORWARD -s 198.51.100.0/24 -j ACCEPT
      within iptables-$kind -A FORWARD -j ${last}
      is_cut_off
      expect 0 banger net up
      reaches
      same "$(within iptables-$kind -S FORWARD | grep -c 'bng-.* -j ACCEPT')" 2
      comes_and_goes
      within iptables-$kind -F FORWARD
    done
  done
  within nft 'delete table ip filter'
  within nft 'add table inet own; add chain inet own last; add rule inet own last counter reject
    add chain inet own forwards { type filter hook forward priority 5; }
    add rule inet own forwards ct state established accept
    add rule inet own forwards jump last'
  is_cut_off
  expect 0 banger net up
  reaches
  comes_and_goes
  # A condition before the drop is its owner's will: it is not met.
  within nft 'flush chain inet own last; flush chain inet own forwards; add rule inet own forwards tcp dport 8000 drop'
  expect 0 banger net up
  is_cut_off
  within nft delete table inet own
  diff <(echo "$clean") <(rules_now)
  reaches
  mender_goes_on

  # As wg-quick has it.
  within bash -ec '
    ip link add vpn0 type veth peer name vpn1
    ip link set vpn1 netns "$1"
    ip addr add 172.31.9.1/30 dev vpn0
    ip link set vpn0 up' - "$outside"
  without bash -ec 'ip addr add 172.31.9.2/30 dev vpn1; ip link set vpn1 up'
  within bash -ec '
    ip route add default via 172.31.9.2 table 51820
    ip rule add not fwmark 51820 table 51820
    ip rule add table main suppress_prefixlength 0'
  is_cut_off # not around it either
  expect 0 banger net up --json
  same "$(net_field '.host.uplinks | join(" ")')" 'up0 vpn0'
  reaches 172.31.9.1
  # It ends: guests go as the host does.
  within bash -ec 'ip rule del not fwmark 51820 table 51820; ip rule del table main suppress_prefixlength 0; ip link del vpn0'
  expect 0 banger net up
  same "$(net_field '.host.uplinks | join(" ")')" up0
  reaches
}

# bats test_tags=once
@test "ufw and firewalld from their packages: guests get out and are reached, also after a reload; theirs stays as it was" {
  a_guest
  within bash -ec '
    mount -t tmpfs none /var/log
    for place in ufw default; do
      cp -a /etc/$place "$1/etc-$place"
      mount --bind "$1/etc-$place" /etc/$place
    done
    mount -t tmpfs none /etc/firewalld' - "$root"
  mender_rests
  within ufw --force enable
  is_cut_off
  expect 0 banger net up
  mender_goes_on
  reaches
  expect 0 banger ssh a -- nslookup a.vm "$(vm_field a .net.gateway)"
  comes_and_goes
  within ufw reload
  reaches
  expect 1 banger net probe --to 203.0.113.7:8000 --json a # nobody answers for names outside
  same "$(jq -r 'select(.test == "outside").outcome' <<<"$output")" ok
  within ufw --force disable
  within bash -ec 'iptables-nft -F; iptables-nft -X; nft flush ruleset'
  expect 0 banger net up

  # firewalld, with a bus of its own.
  cat >"$root/bus.conf" <<'EOF'
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
EOF
  mender_rests
  within mkdir -p /run/dbus
  within setpriv --pdeathsig KILL dbus-daemon --config-file="$root/bus.conf" --nofork --nopidfile 3>&- 2>/dev/null &
  servers+=($!)
  await 10 within test -S /run/dbus/system_bus_socket
  within setpriv --pdeathsig KILL firewalld --nofork --nopid 3>&- >"$root/firewalld" 2>&1 &
  servers+=($!)
  await 20 within firewall-cmd --state
  # The zone's chains come with its first use, and stay.
  within firewall-cmd --zone=trusted --change-interface=first0
  within firewall-cmd --zone=trusted --remove-interface=first0
  is_cut_off
  expect 0 banger net up
  mender_goes_on
  reaches
  expect 0 banger ssh a -- nslookup a.vm "$(vm_field a .net.gateway)"
  zones=$(within firewall-cmd --list-all-zones)
  comes_and_goes
  same "$(within firewall-cmd --list-all-zones)" "$zones"
  # A reload forgets what was not written down: the probe says so, and what mends it does.
  mender_rests
  within firewall-cmd --reload
  is_cut_off
  expect 1 banger net probe --to 203.0.113.7:8000 --json a
  same "$(jq -r 'select(.test == "outside") | [.by, .fix] | @json' <<<"$output")" '["firewall","banger net up"]'
  mender_goes_on
  await 90 reaches
  same "$(within find /etc/firewalld -type f)" ''
}
