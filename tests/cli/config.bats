#!/usr/bin/env bats
# Config file and environment, as a verb that only reads meets them. (All keys and values: the unit
# tests of cli/config.)
load ../lib

setup() { private_root; }
teardown() { remove_private_root; }

@test "no config file is needed, and none is made" {
  expect 0 banger vm list --json
  same "$output" ""
  same "$(find "$XDG_CONFIG_HOME" -mindepth 1)" ""
}

@test "an unknown key is named with its line and the near one" {
  write_config <<<'
[vm]
memry = "1G"'
  expect 2 banger vm list
  same "$stderr" "banger-vm: $XDG_CONFIG_HOME/banger/config.toml:3: unknown key 'vm.memry'
hint: did you mean 'vm.memory'?"
  expect 2 banger vm list --json
  same "$output" ""
  error_schema
  same "$(error_field .subject)" vm.memry
}

@test "a wrong value, a wrong type and what is no TOML are named with their line" {
  local line
  for line in 'vm.cpus = 0' 'vm.cpus = "2"' 'vm.memory = "99999T"' 'vm.memory = -1' 'vm = 1' \
    'net.isolated_outbound = 1' 'log.level = "loud"' '[vm' 'vm.cpus' '[.a]' '= 1'; do
    write_config <<<"$line"
    expect 2 banger vm list
    errors "config.toml:1: "
  done
}

@test "hostile content moves no cursor" {
  printf '"\x1b[2Jx" = 1\n' | write_config
  expect 2 banger vm list
  same "$(tr -cd '\033' <<<"$stderr")" ""
  head -c 100000 /dev/urandom | write_config
  expect 2 banger vm list
  head -c 100000 /dev/zero | tr '\0' '[' | write_config
  expect 2 banger vm list
}

@test "a file that was named must be there" {
  expect 2 banger vm list --config nowhere.toml
  errors "'$HOME/nowhere.toml'"
  errors "hint: it was named by --config"
  expect 2 banger vm list --config=
  errors "invalid --config '': it is empty"
  expect 2 banger vm list --state-dir ''
  BANGER_CONFIG=$root/nowhere.toml expect 2 banger vm list
  errors "hint: it was named by BANGER_CONFIG"
}

@test "--config beats BANGER_CONFIG beats the place of the user" {
  write_config <<<'place = 1'
  echo 'variable = 1' >variable.toml
  echo 'flag = 1' >flag.toml
  expect 2 banger vm list
  errors "unknown key 'place'"
  BANGER_CONFIG=variable.toml expect 2 banger vm list
  errors "unknown key 'variable'"
  BANGER_CONFIG=variable.toml expect 2 banger vm list --config flag.toml
  errors "unknown key 'flag'"
}

@test "a wrong variable is named; an empty one is none" {
  BANGER_VM_CPUS=many expect 2 banger vm list
  same "$stderr" "banger-vm: invalid BANGER_VM_CPUS 'many': not a whole number"
  BANGER_VM_CPUS='' expect 0 banger vm list
}

@test "without a home a user is told what to set" {
  [ "$(id -u)" -ne 0 ] || skip "root has a place of its own"
  expect 5 env -i PATH="$PATH" banger vm list
  errors "HOME is not set"
}

@test "a config file that cannot be read is a failure" {
  mkdir -p "$XDG_CONFIG_HOME/banger/config.toml"
  expect 1 banger vm list
  errors "config.toml"
}
