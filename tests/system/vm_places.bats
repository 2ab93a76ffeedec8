#!/usr/bin/env bats
# Where sockets lie: paths longer than a socket's address may be, and no runtime directory.
load ../lib
load vm

# As long as a state directory's path may be; a socket's address holds 107 characters.
setup() {
  vm_root
  deep=$root
  while [ ${#deep} -lt 370 ]; do deep=$deep/$(printf 'a%.0s' $(seq 90)); done
  deep=$deep/$(printf 'b%.0s' $(seq $((473 - ${#deep}))))
  mkdir -p "$deep/run"
  chmod 700 "$deep/run"
  export BANGER_STATE_DIR=$deep/state
}

# A whole life; the runtime directory is WHERE.
lives_in() {
  # shellcheck disable=SC2086
  expect 0 banger vm create $tiny one
  expect 0 banger vm preflight one
  expect 0 banger vm start one
  same "$(vm_field one .vmm.api_socket)" "$1/$(vm_field one .id)/qmp.sock"
  [ -S "$1/$(vm_field one .id)/monitor.sock" ]
  expect 0 banger ssh one -- hostname
  same "$output" one
  if [ "$(vm_field one .net.mode)" = user ]; then
    [ -d "$1/net" ]
    expect 0 banger net publish one own:18022:22
    await 20 greets "$(vm_field one .net.reach)" 18022
  fi
  banger ssh one -- sh -c 'echo said > /dev/console'
  expect 0 timeout 10 sh -c 'banger vm console one </dev/null | grep -m 1 said'
  expect 0 banger doctor --leaks
  expect 0 banger vm stop one
  [ ! -e "$1/$(vm_field one .id)" ]
  expect 0 banger vm rm one
  nothing_left
  same "$(find "$1" -mindepth 1 2>/dev/null)" ''
}

@test "long paths: a VM lives all the same" {
  export XDG_RUNTIME_DIR=$deep/run
  # shellcheck disable=SC2086
  expect 0 banger vm create $tiny first # makes the state, and so its tag
  expect 0 banger vm rm first
  lives_in "$deep/run/banger/$(tag_of_state)"
}

# bats test_tags=user
@test "without a runtime directory the sockets lie in the state directory, however long its path" {
  [ "$(id -u)" != 0 ] || skip "root's is /run/banger"
  unset XDG_RUNTIME_DIR
  # shellcheck disable=SC2086
  expect 0 banger vm create $tiny first
  expect 0 banger vm rm first
  lives_in "$BANGER_STATE_DIR/run/$(tag_of_state)"
}

# Whether an ssh server is at ADDRESS PORT.
greets() {
  timeout 10 python3 -c 'import socket, sys
assert socket.create_connection((sys.argv[1], int(sys.argv[2]))).recv(64).startswith(b"SSH-")' "$@" 2>/dev/null
}

tag_of_state() { banger doctor --json | jq -r 'select(.id == "state").found' | grep -o 'tag [0-9a-f]*' | cut -d' ' -f2; }
