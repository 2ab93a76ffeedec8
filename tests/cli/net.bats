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
  # What a VM gets instead is said once.
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
  # What no answer would come out of.
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
  same "$output" "web: $reach:8080 -> 80
web: 127.0.0.1:5353 -> 53/udp"
  expect 0 banger net publish -q web
  same "$output" "$reach:8080:80
127.0.0.1:5353:53/udp"
  expect 0 banger net publish --json web
  schema port
  # The same again, another guest port on the same one of the host, the same twice in one call.
  for spec in 8080:80 8080:81 0.0.0.0:8080:82 127.0.0.1:5353:54/udp; do
    expect 4 banger net publish web "$spec"
  done
  expect 4 banger net publish web 9000:1 9000:2
  expect 0 banger net publish web 8080:80/udp
  # Another VM's own address is another place; the same address is not.
  "$test_vm" "$BANGER_STATE_DIR" add other >/dev/null
  mkdir -p "$BANGER_STATE_DIR"/vms/"$(banger vm show --json other | jq -r .id)"
  expect 0 banger net publish other 8080:80
  expect 4 banger net publish other 127.0.0.1:5353:53/udp
  errors "'web' publishes it"

  expect 3 banger net publish --remove web 8081:80
  expect 3 banger net publish --remove web 8080:80 8081:80
  expect 0 banger net publish -q web
  outputs "$reach:8080:80"
  expect 0 banger net publish --remove web 8080:80 8080:80/udp "127.0.0.1:5353:53/udp"
  same "$output" "web: $reach:8080 -> 80 removed
web: $reach:8080 -> 80/udp removed
web: 127.0.0.1:5353 -> 53/udp removed"
  expect 0 banger net publish -q web
  same "$output" ''
}

@test "bad ports and VMs are refused" {
  expect 3 banger net publish nobody 80:80
  expect 3 banger net publish nobody
  for spec in 80 80:80:80:80 0:80 80:65536 a:b 1.2.3:80:80 1.2.3.400:80:80 80:80/sctp :80 80: ''; do
    expect 2 banger net publish nobody "$spec"
  done
  expect 2 banger net publish --remove nobody
}

@test "a network that VMs cannot have is refused before anything is made" {
  expect 2 env BANGER_NET_MODE=bridge banger vm create x
  errors 'it is one of auto, user, isolated'
  expect 2 banger vm create --net isolated --ip 10.0.2.9 x
  errors 'isolated'
  mkdir "$root/bin"
  expect 5 env PATH="$BANGER_BUILD/bin:$root/bin" banger-vm create --net user x
  errors 'slirp4netns'
  expect 0 banger vm list -q
  same "$output" ''
}
