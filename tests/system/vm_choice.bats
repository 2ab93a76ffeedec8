#!/usr/bin/env bats
# Which VMM runs a VM: Firecracker where it is there, young enough, and boots the bundle's kernel on
# KVM, else QEMU, and why. Programs that do what real ones were seen to do stand for both
# (tests/tools/test_firecracker.cc); nothing boots.
load ../lib
load vm

setup() {
  vm_root
  [ -r /dev/kvm ] && [ -w /dev/kvm ] || skip 'no /dev/kvm to be tried'
  mkdir "$root/bin"
  # A QEMU on whose KVM a kernel speaks.
  cat >"$root/bin/qemu" <<'VMM'
#!/bin/sh
echo hello >>console
exec sleep 600
VMM
  # It tells how often it was asked for its version.
  cat >"$root/bin/firecracker" <<VMM
#!/bin/sh
[ "\$1" != --version ] || echo asked >>"$root/asked"
exec "$BANGER_BUILD/tests/banger-test-firecracker" "\$@"
VMM
  chmod 755 "$root/bin"/*
  # These are scripts that become programs from elsewhere.
  export BANGER_VM_CONFINED=false
  export BANGER_QEMU_BINARY=$root/bin/qemu BANGER_FIRECRACKER_BINARY=$root/bin/firecracker
}

needs_network() {
  [ "$(id -u)" = 0 ] || skip 'its guest needs root'
  expect 0 banger net status --json
  [ "$(field .mode)" = user ] || skip "$(field .why)"
}

create() { expect 0 banger vm create --image tiny --memory 128M "$@"; }

# starts VM VMM ACCEL: its start takes these.
starts() {
  expect 0 banger vm start --no-wait "$1"
  same "$(vm_field "$1" '[.vmm.driver, .vmm.accel] | join(" ")')" "$2 $3"
}

on_qemu='VMs run on QEMU, not on Firecracker: '
probes() { grep -c '"event":"accel.probe"' "$BANGER_STATE_DIR/log/banger.jsonl"; }

@test "one that boots a kernel on KVM is taken, tried once and asked once for its version" {
  needs_network
  create a b
  starts a firecracker kvm
  same "$stderr" ''
  starts b firecracker kvm
  same "$stderr" ''
  same "$(probes)" 1
  same "$(cat "$root/asked")" asked
  expect 0 banger vm kill a b
  # Another one in its place is another.
  touch -d tomorrow "$root/bin/firecracker"
  starts a firecracker kvm
  same "$(wc -l <"$root/asked")" 2
  expect 0 banger vm kill a
}

@test "one whose KVM stays silent is not: QEMU instead, and why, once" {
  needs_network
  create a b
  export TEST_VMM=silent
  starts a qemu kvm
  errors "${on_qemu}it has no usable KVM: a kernel booted on it stays silent for 10"
  starts b qemu kvm
  same "$stderr" ''
  same "$(probes)" 2
  expect 0 banger vm kill a b
  create --vmm firecracker c
  expect 5 banger vm start c
  errors 'it has no usable KVM: a kernel booted on it stays silent for 10'
  errors '--vmm qemu'
  # Who asks for KVM gets it untried.
  create --vmm firecracker --accel kvm d
  starts d firecracker kvm
  expect 0 banger vm kill d
  same "$(probes)" 2
}

@test "a network that it has not, more cpus than it gives: QEMU instead, each said once" {
  create --net isolated a b
  create --cpus 33 c
  starts a qemu kvm
  errors "${on_qemu}it has no network 'isolated' of its own"
  starts b qemu kvm
  same "$stderr" ''
  starts c qemu kvm
  [ "$(vm_field c .net.mode)" != user ] || errors "${on_qemu}it gives a guest at most 32 cpus"
  expect 0 banger vm kill a b c
}

@test "too old, no version, absent: QEMU instead; who asked for it by name is told what is missing" {
  create --net isolated a
  create --vmm firecracker b
  as_before() { # as_before WHY
    starts a qemu kvm
    errors "$on_qemu$1"
    expect 0 banger vm kill a
    expect 5 banger vm start b
    errors "$1"
    expect 0 banger doctor
    outputs "$1"
  }
  TEST_VMM=version=1.7.0 as_before "'$root/bin/firecracker' is Firecracker 1.7.0, and 1.8.0 is the first"
  printf '#!/bin/sh\necho 1\n' >"$root/bin/firecracker"
  as_before "'$root/bin/firecracker' tells no version of Firecracker"
  BANGER_FIRECRACKER_BINARY=no-such as_before "no 'no-such' in PATH"
}

@test "newer than the table: taken, and told once; faults that are known are told by doctor" {
  needs_network
  create a
  TEST_VMM=version=1.99.0 starts a firecracker kvm
  errors 'Firecracker 1.99.0 is newer than what this banger knows (1.16)'
  expect 0 banger vm kill a
  starts a firecracker kvm
  same "$stderr" ''
  expect 0 banger vm kill a
  expect 0 banger doctor --json
  same "$(jq -r 'select(.id == "firecracker") | .status' <<<"$output")" warn
  jq -r 'select(.id == "firecracker") | .found' <<<"$output" | grep -q '1.16.1: after a pause and resume'
}

@test "what it can never run is a conflict where it was asked for by name, and nothing is made" {
  conflicts() { # conflicts WHY INSTEAD ARGUMENT...
    local why=$1 instead=$2
    shift 2
    expect 4 banger vm create --image tiny --memory 128M "$@" x
    errors "cannot create 'x' on 'firecracker': $why"
    errors "$instead"
  }
  conflicts "it has no network 'isolated' of its own" '--net user' --vmm firecracker --net isolated
  conflicts 'it does not emulate' '--vmm qemu' --vmm firecracker --accel tcg
  conflicts 'it gives a guest at most 32 cpus' '--cpus 32' --vmm firecracker --cpus 33
  BANGER_VM_VMM=firecracker conflicts 'it does not emulate' '--vmm qemu' --accel tcg
  expect 0 banger vm list -q
  same "$output" ''
  expect 0 banger net status --json
  [ "$(field .mode)" = user ] || return 0
  create --vmm firecracker a
  expect 4 banger vm set --net isolated a
  errors "cannot change 'a' on 'firecracker': it has no network 'isolated'"
  expect 4 banger vm set --cpus 33 a
  same "$(vm_field a '[.net.mode, .cpus] | join(" ")')" 'user 1'
}

@test "who emulates does not pay for it: it is not even asked for its version" {
  create --accel tcg a
  starts a qemu tcg
  same "$stderr" ''
  [ ! -e "$root/asked" ]
  expect 0 banger vm kill a
}
