#!/usr/bin/env bats
# dns.zone: the domain of VMs' names, wherever one stands, and what goes on when it changes.
# shellcheck disable=SC2154
load ../lib
load ssh_server

zone() { write_config <<<"dns.zone = \"$1\""; }

@test "a VM's full name is in the zone" {
  plain_vm demo stopped 0
  expect 0 banger vm show demo --json
  schema vm
  same "$(field .net.dns)" demo.vm
  zone lab.internal
  expect 0 banger vm show demo --json
  schema vm
  same "$(field .net.dns)" demo.lab.internal
  expect 0 banger vm show demo
  outputs ', demo.lab.internal'
  expect 0 banger vm list --json
  same "$(field .net.dns)" demo.lab.internal
  expect 0 banger ssh config --json
  same "$(field .net.dns)" demo.lab.internal
  expect 0 banger ssh config
  outputs 'Host demo demo.lab.internal'
  BANGER_DNS_ZONE=x expect 0 banger ssh config
  outputs 'Host demo demo.x'
  expect 0 banger ssh config --install
  errors "ssh NAME.lab.internal"
}

@test "ssh to a VM that runs goes on when the zone changes" {
  start_vm demo
  zone lab
  expect 0 banger ssh demo -- echo one
  same "$output" one
  banger ssh config >config
  expect 0 ssh -F config demo.lab 'echo two'
  same "$output" two
  expect 0 ssh -F config demo 'echo three'
  same "$output" three
}

@test "the key that is pinned is asked for under every zone" {
  start_vm demo
  zone lab
  banger ssh config >config
  local known=$BANGER_STATE_DIR/keys/known_hosts
  sed -i "s|ssh-ed25519 .*|$(cut -d' ' -f1,2 "$BANGER_STATE_DIR/keys/id_ed25519.pub")|" "$known"
  expect 255 ssh -F config demo.lab true
  expect 255 banger ssh demo -- true
  errors 'another host key'
}

@test "an installed config follows with the next command that changes anything" {
  start_vm demo
  local line
  line=$(banger ssh config --install)
  printf '%s\n' "$line" >config
  zone lab
  expect 0 ssh -F config demo.vm 'echo as before'
  same "$output" 'as before'
  expect 0 banger vm show demo
  expect 0 ssh -F config demo.vm true
  # (Reconcile adopts no VMM that is a server of the test.)
  set_vm demo stopped
  expect 0 banger vm reconcile
  same "$(grep '^Host ' "$BANGER_STATE_DIR/ssh_config")" 'Host demo demo.lab'
  expect 0 ssh -F config demo.lab 'echo now'
  same "$output" now
  # A command without that setting, and one that writes the config itself.
  BANGER_DNS_ZONE=vm expect 0 banger ssh config --install
  same "$(grep '^Host ' "$BANGER_STATE_DIR/ssh_config")" 'Host demo demo.vm'
  expect 0 banger vm reconcile
  same "$(grep '^Host ' "$BANGER_STATE_DIR/ssh_config")" 'Host demo demo.lab'
}

@test "a VM that goes takes its pinned key along, whatever its name was" {
  plain_vm demo stopped 0
  plain_vm other stopped 0
  local known=$BANGER_STATE_DIR/keys/known_hosts
  same "$(grep -c . "$known")" 2
  zone lab
  expect 0 banger vm rm demo
  same "$(grep -c . "$known")" 1
  grep -q other.vm "$known"
}

@test "what is no zone is refused with what is wrong" {
  local long
  refused() {
    BANGER_DNS_ZONE=$1 expect 2 banger vm list
    errors "$2"
    errors 'hint: labels of lower-case letters'
  }
  refused a..b 'a label of it is empty'
  refused .lab 'a label of it is empty'
  refused lab. 'a label of it is empty'
  refused Lab "'Lab' is no label"
  refused lab.-x "'-x' is no label"
  refused 'lab x' "'lab x' is no label"
  refused 'lab,x' "'lab,x' is no label"
  refused 0.0.1 'its last label is a number'
  long=$(printf 'abcdefghi.%.0s' {1..19})
  BANGER_DNS_ZONE=${long%.} expect 0 banger vm list
  refused "x${long%.}" 'longer than 189 characters'
  zone 'a_b'
  expect 2 banger vm list
  errors "config.toml:1: invalid dns.zone 'a_b': 'a_b' is no label"
}
