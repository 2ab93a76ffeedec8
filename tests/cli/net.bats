#!/usr/bin/env bats
# banger-net and the network's options, without a VM that runs.
load ../lib

test_vm="$BANGER_BUILD/tests/banger-test-vm"

setup() { private_root; }
teardown() { remove_private_root; }

@test "status without a state says what a VM would get, and makes nothing" {
  expect 0 banger net status --json
  schema net
  same "$(field .place)" none
  same "$(field '.leases | length')" 0
  expect 0 banger net status
  outputs 'down'
  expect 0 banger net status -q
  same "$output" down
  [ ! -e "$BANGER_STATE_DIR" ]
  expect 0 env BANGER_NET_MODE=isolated banger net status --json
  same "$(field .mode)" isolated
  same "$(field .why)" null
}

@test "without slirp4netns a host has no network 'user', and it is said how to mend it" {
  mkdir "$root/bin"
  for p in jq python3 env; do ln -s "$(command -v "$p")" "$root/bin/$p"; done
  expect 0 env PATH="$BANGER_BUILD/bin:$root/bin" banger-net status --json
  same "$(field .mode)" isolated
  [[ $(field .why) == *slirp4netns* ]]
  [[ $(field .fix) == *'apt-get install slirp4netns'* ]]
  # The mode that a VM gets instead is said once.
  expect 0 env PATH="$BANGER_BUILD/bin:$root/bin" banger-vm create --image tiny a
  errors 'VMs are isolated'
  errors 'apt-get install slirp4netns'
  same "$(banger vm show --json a | jq -r .net.mode)" isolated
  expect 0 env PATH="$BANGER_BUILD/bin:$root/bin" banger-vm create --image tiny b
  same "$stderr" ''
  expect 5 env PATH="$BANGER_BUILD/bin:$root/bin" banger-vm create --image tiny --net user c
  errors "no 'slirp4netns' in PATH"
}

@test "a VM is not isolated for ever: set --net, and back" {
  expect 0 banger net status --json
  [ "$(field .mode)" = user ] || skip "$(field .why)"
  expect 0 banger vm create --image tiny --memory 128M --net user first
  expect 0 banger vm create --image tiny --memory 128M --net isolated --publish 7001:80 a
  expect 0 banger vm show a
  outputs "'banger vm set --net user' changes that"
  expect 0 banger vm show --json a
  before=$(field '[.net.mode, .net.address, .net.mac, .net.reach] | join(" ")')
  expect 0 banger vm set --net user a
  same "$output" 'a: changed'
  expect 0 banger vm show --json a
  schema vm
  same "$(field '[.net.mode, .net.address, .net.prefix, .net.gateway, .net.mac] | join(" ")')" \
    'user 10.0.2.5 24 10.0.2.2 52:54:00:00:02:05'
  same "$(field .net.reach)" "${before##* }"
  same "$(field '.net.ports[0].host')" 7001
  expect 0 banger vm set --net user a
  same "$output" 'a: unchanged'
  expect 0 banger vm set --net isolated a
  expect 0 banger vm show --json a
  same "$(field '[.net.mode, .net.address, .net.mac, .net.reach] | join(" ")')" "$before"
  # Its place there is free again.
  expect 0 banger vm create --image tiny --memory 128M --net user --ip 10.0.2.5 b
  # A port whose answers could not come out.
  expect 0 banger net publish b 7002:53/udp
  expect 4 banger vm set --net isolated b
  errors 'no UDP answer'
  same "$(banger vm show --json b | jq -r .net.mode)" user
  # Where the host has no such network, the VM stays what it is.
  mkdir "$root/bin"
  for p in jq python3 env; do ln -s "$(command -v "$p")" "$root/bin/$p"; done
  expect 5 env PATH="$BANGER_BUILD/bin:$root/bin" banger-vm set --net user a
  errors "no 'slirp4netns' in PATH"
}

@test "ports of a VM that does not run are published, listed and ended" {
  export BANGER_NET_ISOLATED_OUTBOUND=true # else no UDP of an isolated one has an answer
  "$test_vm" "$BANGER_STATE_DIR" add web >"$root/reach"
  reach=$(cat "$root/reach")
  mkdir -p "$BANGER_STATE_DIR"/vms/"$(banger vm show --json web | jq -r .id)"
  expect 0 banger net publish web 8080:80 127.0.0.1:5353:53/udp
  same "$output" "web: 127.0.0.1:8080 -> 80
web: $reach:8080 -> 80
web: 127.0.0.1:5353 -> 53/udp"
  expect 0 banger net publish -q web
  same "$output" "127.0.0.1:8080:80
$reach:8080:80
127.0.0.1:5353:53/udp"
  expect 0 banger net publish --json web
  schema port
  # The same again is so already; with another beside it, that one is what changes.
  for spec in 8080:80 own:8080:80 127.0.0.1:8080:80; do
    expect 0 banger net publish --json web "$spec"
    same "$(field '"\(.ok) \(.changed)"')" 'true false'
  done
  expect 0 banger net publish web 8080:80 127.0.0.1:5353:53/udp
  errors "'web' published that already"
  same "$output" "web: 127.0.0.1:8080 -> 80
web: $reach:8080 -> 80
web: 127.0.0.1:5353 -> 53/udp"
  expect 0 banger net publish web 8080:80 own:9090:90
  same "$output" "web: $reach:9090 -> 90"
  expect 0 banger net publish --remove web own:9090:90
  # Asked for twice in one call, it is one.
  expect 0 banger net publish web own:9090:90 own:9090-9091:90-91
  same "$output" "web: $reach:9090-9091 -> 90-91"
  expect 0 banger net publish --remove web own:9090-9091:90-91 own:9090:90
  # Another guest port on the same one of the host, one of the host's twice in one call.
  for spec in 8080:81 0.0.0.0:8080:82 127.0.0.1:5353:54/udp; do
    expect 4 banger net publish web "$spec"
  done
  expect 4 banger net publish web 9000:1 9000:2
  expect 0 banger net publish web 8080:80/udp
  # Another VM's own address is another place; the same address is not.
  "$test_vm" "$BANGER_STATE_DIR" add other >/dev/null
  mkdir -p "$BANGER_STATE_DIR"/vms/"$(banger vm show --json other | jq -r .id)"
  expect 0 banger net publish other own:8080:80
  expect 4 banger net publish other 127.0.0.1:5353:53/udp
  errors "'web' publishes it"

  expect 3 banger net publish --remove web 8081:80
  expect 3 banger net publish --remove web 8080:80 8081:80
  expect 0 banger net publish -q web
  outputs "$reach:8080:80"
  expect 0 banger net publish --remove web 8080:80 8080:80/udp "127.0.0.1:5353:53/udp"
  same "$output" "web: 127.0.0.1:8080 -> 80 removed
web: $reach:8080 -> 80 removed
web: 127.0.0.1:8080 -> 80/udp removed
web: $reach:8080 -> 80/udp removed
web: 127.0.0.1:5353 -> 53/udp removed"
  expect 0 banger net publish -q web
  same "$output" ''
}

# Rows of ports: vm_ports NAME
vm_ports() {
  banger vm show --json "$1" | jq -r '.net.ports[] | [.host_address, .host, .guest, .proto] | join(" ")'
}

@test "ports where people look: own, ADDR, localhost, ranges" {
  expect 0 banger vm create --image tiny --memory 128M --net isolated web -p 8080:80 \
    --publish own:81:81 --publish localhost:82:82 --publish 8000-8002:9000-9002 --publish 0.0.0.0:83:83
  reach=$(banger vm show --json web | jq -r .net.reach)
  same "$(vm_ports web)" "127.0.0.1 8080 80 tcp
$reach 8080 80 tcp
$reach 81 81 tcp
127.0.0.1 82 82 tcp
127.0.0.1 8000 9000 tcp
127.0.0.1 8001 9001 tcp
127.0.0.1 8002 9002 tcp
$reach 8000 9000 tcp
$reach 8001 9001 tcp
$reach 8002 9002 tcp
0.0.0.0 83 83 tcp"
  expect 0 banger vm show web
  outputs '127.0.0.1:8080 to 80/tcp'
  outputs "$reach:8000-8002 to 9000-9002/tcp"
  # Both are taken back at once, a part of a range too, and what is there alone.
  expect 0 banger net publish --remove web 8080:80 8001:9001 81:81
  same "$output" "web: 127.0.0.1:8080 -> 80 removed
web: $reach:8080 -> 80 removed
web: 127.0.0.1:8001 -> 9001 removed
web: $reach:8001 -> 9001 removed
web: $reach:81 -> 81 removed"
  expect 0 banger net publish --remove web own:8000:9000
  expect 3 banger net publish --remove web own:8000:9000
  errors "'web' does not publish $reach:8000:9000"
  expect 3 banger net publish --remove web 8001:9001
  errors "'web' does not publish 8001:9001"
  expect 0 banger net publish --remove web 8000:9000
  same "$output" 'web: 127.0.0.1:8000 -> 9000 removed'
  # A range of which a part leads elsewhere is not taken at all.
  before=$(vm_ports web)
  expect 4 banger net publish web 8000-8005:9100-9105
  same "$(vm_ports web)" "$before"
  expect 2 banger net publish web 10000-10200:10000-10200
  errors 'a VM has at most 256'
  for spec in 8000-8002:80 8000-8002:9000-9001 8002-8000:8002-8000 8000-:8000- own:own:80 here:80:80 \
    '[::1]:80:80' 1-70000:1-70000; do
    expect 2 banger net publish web "$spec"
    expect 2 banger vm create --image tiny --publish "$spec" x
  done
}

@test "a port that another VM publishes at 127.0.0.1: who has it, and the VM's own instead" {
  expect 0 banger vm create --image tiny --memory 128M --net isolated --publish 5432:5432 db
  expect 4 banger vm create --image tiny --memory 128M --net isolated --publish 5432:5432 db2
  errors "'db' publishes it"
  errors '--publish own:5432:5432'
  expect 0 banger vm create --image tiny --memory 128M --net isolated --publish own:5432:5432 db2
  expect 4 banger net publish db2 127.0.0.1:5432:5433
  errors "'db' publishes it"
  [[ $stderr != *own:* ]]
  expect 0 banger vm create --image tiny --memory 128M --net isolated db3
  expect 4 banger net publish db3 5432:5432
  errors 'banger net publish db3 own:5432:5432'
  # Where its own address would not help either, it is not offered.
  expect 0 banger vm create --image tiny --memory 128M --net isolated --publish 0.0.0.0:5433:5432 db4
  expect 4 banger vm create --image tiny --memory 128M --net isolated --publish 5433:5432 db5
  errors "'db4' publishes it"
  [[ $stderr != *own:* ]]
}

@test "what only one VM can have is refused for several, before anything is made" {
  several() { # WHAT OPTION...
    local what=$1
    shift
    expect 2 banger vm create --image tiny --memory 128M "$@" a b
    errors "$what"
    expect 2 banger vm create --image tiny --memory 128M --count 2 "$@" a
    expect 2 banger vm create --image tiny --memory 128M --atomic --dry-run "$@" - <<<$'a\nb'
  }
  several 'goes with one VM: 127.0.0.1:8080 is one port of the host' --publish 8080:80
  errors '--publish own:8080:80'
  several 'goes with one VM' -p 0.0.0.0:8080:80
  several 'goes with one VM' --publish 8080-8081:80-81
  several 'an address is one VM' --ip 10.0.2.20
  [ ! -e "$BANGER_STATE_DIR" ]
  expect 0 banger vm create --image tiny --memory 128M --net isolated --publish own:8080:80 a b
  expect 0 banger vm create --image tiny --memory 128M --net isolated --publish 8080:80 --count 1 c
}

@test "bad ports and VMs are refused" {
  expect 3 banger net publish nobody 80:80
  expect 3 banger net publish nobody
  for spec in 80 80:80:80:80 0:80 80:65536 a:b 1.2.3:80:80 1.2.3.400:80:80 80:80/sctp :80 80: ''; do
    expect 2 banger net publish nobody "$spec"
  done
  expect 2 banger net publish --remove nobody
  # The typed port is quoted whole, with its fault.
  quoted() { # SPEC WHAT
    expect 2 banger vm create --dry-run --image tiny -p "$1" a
    errors "invalid port '$1': $2"
  }
  quoted :80 'a port is missing'
  quoted own::80 'a port is missing'
  quoted -1:80 'a port is missing'
  quoted http:80 "'http' is no number from 1 to 65535"
  quoted 127.0.0.1:8080:65536 "'65536' is no number from 1 to 65535"
  quoted '[::1]:8080:80' 'an address is one of IPv4'
  quoted ::1:8080:80 'an address is one of IPv4'
  for address in 224.0.0.1 255.255.255.255; do quoted $address:8080:80 "nobody is reached at $address"; done
  expect 2 banger vm create --dry-run --image tiny -p 1.2.3.400:80:80 a
  errors "invalid port '1.2.3.400:80:80': '400' is no number from 0 to 255"
}

@test "what a probe cannot go to is refused, and quoted whole" {
  for to in 'a b:1' :80 '[::1]:80' example.com example.com:0 example.com:http 1.2.3:80 999.2.3.4:80 'é.test:1' ''; do
    expect 2 banger net probe --to "$to" x
    [ -z "$to" ] || errors "'$to'"
  done
}

@test "a network that VMs cannot have is refused before anything is made" {
  expect 2 env BANGER_NET_MODE=vlan banger vm create x
  errors 'it is one of auto, user, bridge, isolated'
  expect 5 env BANGER_NET_MODE=bridge banger vm create x
  errors 'banger net up'
  expect 2 banger vm create --net isolated --ip 10.0.2.9 x
  errors 'isolated'
  mkdir "$root/bin"
  expect 5 env PATH="$BANGER_BUILD/bin:$root/bin" banger-vm create --net user x
  errors 'slirp4netns'
  # An address that no VM can have.
  private='--image tiny --net user'
  if expect 0 banger vm create $private --dry-run x; then
    for verb in create run; do
      expect 2 banger vm $verb $private --dry-run --ip 10.0.2.300 x
      errors "invalid address '10.0.2.300'"
      expect 2 banger vm $verb $private --dry-run --ip fe80::1 x
      expect 2 banger vm $verb $private --dry-run --ip 192.168.1.7 x
      errors 'it is not one for VMs of 10.0.2.0/24'
    done
  fi
  expect 0 banger vm list -q
  same "$output" ''
}
