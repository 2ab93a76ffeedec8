#!/usr/bin/env bats
# libexec/banger/banger-guest: what it says to the programs that start it.
# shellcheck disable=SC2094,SC2154
load ../lib

guest="$BANGER_BUILD/libexec/banger/banger-guest"

setup() { private_root; }
teardown() { remove_private_root; }

# A request for an address at which nothing is, with $1 seconds.
request() {
  "$guest" keygen --state-keys "$root/keys" >keygen
  jq -cn --arg identity "$root/keys/id_ed25519" --arg key "$(jq -r .public keygen)" \
    --argjson seconds "$1" '{v: 1, address: "127.201.1.1", port: 1, user: "root",
      identity: $identity, host_key: $key, seconds: $seconds, command: "true"}'
}

@test "help and version" {
  expect 0 "$guest" --help
  outputs "Usage: banger-guest VERB"
  expect 0 "$guest" --version
  expect 2 "$guest"
  errors "hint: see 'banger-guest --help'"
  expect 2 "$guest" nosuch
  expect 2 "$guest" keygen
}

@test "keygen makes the state's key once, and OpenSSH reads it" {
  expect 0 "$guest" keygen --state-keys "$root/keys"
  same "$(field .v)" 1
  same "$(field .identity)" "$root/keys/id_ed25519"
  first=$(field .public)
  expect 0 ssh-keygen -y -f "$root/keys/id_ed25519"
  same "$output" "$first"
  same "$(cat "$root/keys/id_ed25519.pub")" "$first"
  same "$(stat -c %a "$root/keys/id_ed25519")" 600
  expect 0 "$guest" keygen --state-keys "$root/keys"
  same "$(field .public)" "$first"
}

@test "keygen killed at each step leaves what the next one finishes" {
  for point in sys.mkdir sys.create sys.create#2 sys.create#3 sys.write sys.write#2 sys.rename \
    sys.rename#2; do
    rm -rf "$root/keys"
    BANGER_FAILPOINT=$point:kill expect 137 "$guest" keygen --state-keys "$root/keys"
    expect 0 "$guest" keygen --state-keys "$root/keys"
    public=$(field .public)
    expect 0 ssh-keygen -y -f "$root/keys/id_ed25519"
    same "$output" "$public"
    same "$(cat "$root/keys/id_ed25519.pub")" "$public"
  done
}

@test "keygen on a full disk says so and leaves no half key" {
  BANGER_FAILPOINT=sys.write:enospc expect 1 "$guest" keygen --state-keys "$root/keys"
  same "$(field .error.code)" failed
  [ ! -e "$root/keys/id_ed25519" ]
}

@test "a garbage key is refused and left" {
  mkdir "$root/keys"
  echo garbage >"$root/keys/id_ed25519"
  expect 1 "$guest" keygen --state-keys "$root/keys"
  same "$(field .error.code)" failed
  [[ "$(field .error.hint)" == *"mv $root/keys/id_ed25519 "* ]]
  same "$(cat "$root/keys/id_ed25519")" garbage
}

@test "a host key: OpenSSH and dropbear read it, and agree" {
  expect 0 "$guest" await <<<'{"v":1,"want":"host_key"}'
  public=$(field .public)
  umask 077
  field .openssh_private | base64 -d >openssh
  field .dropbear_private | base64 -d >dropbear
  expect 0 ssh-keygen -y -f openssh
  same "${output% *}" "$public"
  expect 0 dropbearkey -y -f dropbear
  outputs "$public"
}

@test "await: not ready at the deadline is 6, and each stage is a line" {
  request 1 >request
  expect 6 "$guest" await <request
  same "$(field .stage)" $'connecting\nclosed'
  same "$(field .v)" $'1\n1'
}

@test "await ends with whoever asked" {
  request 600 >request
  "$guest" await <request 3>&- > >(head -n 1 >first) &
  pid=$!
  await 10 test -s first
  await 10 eval "! kill -0 $pid 2>/dev/null"
}

@test "a request that cannot be understood" {
  for bad in '' '{' '[]' '{"v":2}' '{"v":1}' '{"v":1,"address":1}'; do
    expect 1 "$guest" await <<<"$bad"
    same "$(field .error.code)" failed
  done
  expect 2 "$guest" run </dev/null
  same "$(field .error.code)" usage
}

@test "run: a guest that is not there is unreachable" {
  request 5 >request
  expect 1 "$guest" run <request
  same "$(field .error.code)" unreachable
}
