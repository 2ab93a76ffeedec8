#!/usr/bin/env bats
# create dies at each of its points; the next command cleans up. Then: the points a create passes
# are as many as the mutating system calls that strace sees.
load ../lib
load vm
load points

setup() {
  vm_root
  needs_failpoints
  # The image is imported once, so that what follows is create alone.
  expect 0 banger vm create $tiny first
  expect 0 banger vm rm first
}

trace_create() {
  rm -f "$root/trace"
  BANGER_FAILPOINT_TRACE=$root/trace "$@"
}

# bats test_tags=once
@test "create killed, or out of space, at each point it passes" {
  expect 0 trace_create banger vm create $tiny x
  expect 0 banger vm rm x
  points=$(wc -l <"$root/trace")
  [ "$points" -gt 5 ]
  for action in kill enospc; do
    declare -A seen=()
    while read -r name; do
      seen[$name]=$((${seen[$name]:-0} + 1))
      want=1
      [ $action = enospc ] || want=137
      point="$name#${seen[$name]}:$action"
      status=0
      BANGER_FAILPOINT=$point banger vm create $tiny x >"$root/out" 2>&1 || status=$?
      # A failure in a step that only tidies up does not fail the create.
      [ "$status" = "$want" ] || [ "$status" = 0 ] || { echo "$point: $status"; cat "$root/out"; false; }
      if [ "$status" = 0 ]; then
        [ $action = enospc ] || { echo "$point: it was not killed"; false; }
        expect 0 banger vm rm x
      fi
      # A failure is undone by the create itself, whose last step may have been the one that failed.
      if [ $action = enospc ] && [ "$status" = 1 ]; then
        same "$(ls "$BANGER_STATE_DIR/vms")" '' || { echo "after $point"; false; }
      fi
      # The next command that changes something sees the truth and cleans up.
      expect 3 banger vm start nobody
      if banger vm show x >/dev/null 2>&1; then
        # Killed after its last commit: then it is whole.
        same "$(vm_field x .state)" stopped
        expect 0 banger vm rm x
      fi
      nothing_left || { echo "after $point"; false; }
    done <"$root/trace"
  done
}

@test "no mutating system call of a verb is without a point" {
  command -v strace >/dev/null || skip 'no strace'
  walked banger-vm -- banger-vm create $tiny x
  walked banger-vm -- banger-vm create $tiny --root copy --work-disk 32M y
  walked banger-vm -- banger-vm set --disk 512M --cpus 2 x
  walked banger-vm -- banger-vm reset y
  walked banger-ssh -- banger-ssh config --install
  walked banger-vm -- banger-vm rm x # with a line in ssh_config
  walked banger-vm -- banger-vm rm y
  walked banger-doctor -- banger-doctor --backup "$root/copy"
  mkdir -p "$BANGER_STATE_DIR/vms/0123456789ab"
  touch "$BANGER_STATE_DIR"/{.a.tmp,vms/0123456789ab/root.img}
  walked banger-doctor -- banger-doctor --fix
  nothing_left
}

@test "no mutating system call of a start and a stop is without a point, in any of their programs" {
  command -v strace >/dev/null || skip 'no strace'
  local life
  # As far as the program that asks whether the guest is ready; a boot under strace takes long.
  # shellcheck disable=SC2016 # for the inner shell
  life='banger-vm start --no-wait x &&
    timeout 60 sh -c "until banger-vm show --json x | jq .vmm.pid | grep -qx \"[0-9]*\"; do :; done" &&
    banger-vm stop --timeout 0s x'
  expect 0 banger vm create $tiny x
  walked banger-vm banger-monitor banger-place banger-netns banger-resolver banger-guest -- sh -c "$life"
}

# bats test_tags=once
@test "a start waits for the disk nowhere: all that it writes tells of processes" {
  command -v strace >/dev/null || skip 'no strace'
  # Runtime directories go with a power cut where they usually are: in memory.
  runs=$(mktemp -d -p /dev/shm) || skip 'no /dev/shm'
  export BANGER_QEMU_BINARY=$BANGER_BUILD/tests/banger-stub-vmm XDG_RUNTIME_DIR=$runs
  expect 0 banger vm create $tiny x first
  all=$(awk '/^MemTotal:/ { print int($2 / 1024) "M" }' /proc/meminfo)
  expect 0 banger vm create --image tiny --memory "$all" large
  expect 0 banger vm start --no-wait large # a warning, and it is tried
  [[ $stderr =~ "little memory for 'large': "[0-9.]+[MGT]' wanted' ]]
  expect 0 banger vm start --no-wait first # makes the state's key, and finds out about the host
  # shellcheck disable=SC2016 # for the inner shell
  expect 0 strace -f -qq -y --seccomp-bpf -e trace=fsync,fdatasync,sync,syncfs,unlinkat -e signal=none \
    -o "$root/calls" sh -c 'banger-vm start --no-wait x &&
    timeout 60 sh -c "until banger-vm show --json x | jq .vmm.pid | grep -qx \"[0-9]*\"; do :; done" &&
    mkdir started && rm -r started && banger-vm kill x'
  grep -q started "$root/calls"
  same "$(sed '/started/Q' "$root/calls" | grep sync)" ''
  grep -q 'fdatasync.*state.db-wal' "$root/calls" # its end is on the disk
  expect 0 banger vm rm --force first x large
  rm -r "$runs"
}

# bats test_tags=once
@test "no mutating system call about images is without a point" {
  command -v strace >/dev/null || skip 'no strace'
  mkdir -p tree/sbin tree/etc
  printf '#!/bin/true\n' >tree/sbin/init
  echo '/dev/sdb1 /data ext4 defaults 0 2' >tree/etc/fstab
  chmod +x tree/sbin/init
  tar -C tree -cf t.tar .
  expect 0 banger image rm tiny
  walked banger-vm -- banger-vm create $tiny x # from the bundle
  expect 0 banger vm rm x
  walked banger-image -- banger-image import packed t.tar
  walked banger-image -- banger-image import plain tree
  walked banger-image -- banger-image rm packed
  walked banger-image -- banger-image prune
}
