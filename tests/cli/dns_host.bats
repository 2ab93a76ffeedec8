#!/usr/bin/env bats
# Whether programs of this host find the names of VMs: with a resolv.conf of its own for each test,
# in a mount namespace. That has no ports, so the daemon is at port 53 of an address that is the
# test's own.
load ../lib

test_vm="$BANGER_BUILD/tests/banger-test-vm"

setup() {
  private_root
  pids=()
  [ "$(id -u)" = 0 ] || skip 'only root has port 53'
  at=127.$((RANDOM % 200 + 20)).$((RANDOM % 250)).1
  export BANGER_DNS_LISTEN=$at:53
  echo "hosts: files dns" >"$root/nsswitch.conf"
}
teardown() {
  end "${pids[@]}"
  remove_private_root
}

# asking ADDRESS CMD...: where programs ask there.
asking() {
  printf 'nameserver %s\noptions timeout:5 attempts:2\n' "$1" >"$root/resolv.conf"
  shift
  # shellcheck disable=SC2016 # for the inner shell
  unshare --mount sh -c 'mount --bind "$0/resolv.conf" /etc/resolv.conf &&
    mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf && exec "$@"' "$root" "$@"
}
names_check() { jq -r 'select(.id == "names") | [.status, .found, .fix] | map(tostring) | join(": ")' <<<"$output"; }

@test "status, doctor and show tell whether this host asks the daemon" {
  reach=$("$test_vm" "$BANGER_STATE_DIR" add demo)
  sleep 600 3>&- &
  pids+=($!)
  "$test_vm" "$BANGER_STATE_DIR" live demo running $!
  expect 0 banger vm show demo
  outputs 'demo.vm is not found: there is no DNS daemon'
  expect 0 banger dns start
  expect 0 asking "$at" banger dns status --json
  schema dns
  same "$(field .host.asks)" true
  expect 0 asking "$at" banger dns status
  outputs 'asks here: a look-up by libc (getent) came to the daemon'
  expect 0 asking "$at" banger vm show demo
  outputs 'demo.vm resolves on this host'
  expect 0 asking "$at" getent hosts demo.vm
  same "$(awk '{ print $1 }' <<<"$output")" "$reach"
  output=$(asking "$at" banger doctor --json) || true
  same "$(names_check)" "ok: this host's resolver asks $at:53 for .vm: null"
  # An address without a daemon.
  expect 0 asking "${at%1}2" banger dns status --json
  schema dns
  same "$(field '[.host.asks, .host.how] | map(tostring) | join(" ")')" \
    'false a look-up by libc (getent) did not come to the daemon'
  expect 0 asking "${at%1}2" banger vm show demo
  outputs "demo.vm is not found: this host's resolver does not ask $at:53"
  output=$(asking "${at%1}2" banger doctor --json) || true
  [[ $(names_check) == "warn: this host's resolver does not ask $at:53"* ]]
}

@test "a resolver that does not answer is not waited for" {
  expect 0 banger dns start
  python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53))
print("bound", flush=True)
time.sleep(600)' "${at%1}3" >"$root/bound" 3>&- &
  pids+=($!)
  await 10 grep -q bound "$root/bound"
  expect 0 asking "${at%1}3" banger dns status --json
  schema dns
  # Nor is it said that this host does not ask: it may.
  same "$(field '[.host.asks, .host.how] | map(tostring) | join(" ")')" \
    'null a look-up by libc (getent) took longer than 1.5s'
}

@test "doctor: no daemon is well as long as no VM runs" {
  output=$(banger doctor --json) || true
  [[ $(names_check) == 'warn: there is no DNS daemon: banger dns start' ]]
  output=$(BANGER_DNS_AUTOSTART=true banger doctor --json) || true
  [[ $(names_check) == 'ok: '* ]]
  export BANGER_STATE_DIR=$root/other
  expect 0 banger dns start
  daemon=$(banger dns status --json | jq .pid)
  output=$(BANGER_STATE_DIR=$root/state banger doctor --json) || true
  [[ $(names_check) == "warn: no DNS daemon: $at:53 belongs to banger-dns (process $daemon), the DNS daemon of the state '$root/other': set dns.listen"* ]]
}
