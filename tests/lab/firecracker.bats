#!/usr/bin/env bats
# A VM's life on a real Firecracker, under a real KVM: that of $FIRECRACKER, else the one in PATH.
load ../lib
load ../system/vm

setup() {
  binary=${FIRECRACKER:-$(command -v firecracker || true)}
  [ -n "$binary" ] || skip 'no firecracker binary'
  vm_root
  export BANGER_FIRECRACKER_BINARY=$binary BANGER_VM_IMAGE=tiny BANGER_VM_MEMORY=128M
}

teardown() {
  [ -n "${root:-}" ] || return 0 # a test that was skipped has none
  remove_vms
}

runs_on_firecracker() { same "$(vm_field "$1" '[.state, .vmm.driver, .vmm.accel] | join(" ")')" 'running firecracker kvm'; }

tells_its_memory() {
  banger vm stats --json "$1" | holds '.guest | .total < 134217728 and .available > 10000000 and .free > 0'
}

@test "it is taken by itself; ssh, a work disk that stays, its console and its log apart, stop and start" {
  expect 0 banger vm create --work-disk 32M a
  expect 0 banger vm start a
  same "$stderr" ''
  runs_on_firecracker a
  same "Firecracker v$(vm_field a .vmm.version)" "$("$binary" --version | head -1)"
  expect 0 banger ssh a -- sh -c 'echo kept >/root/file && sync && mount | grep " /root "'
  outputs ext4
  expect 3 banger ssh a -- sh -c 'exit 3'
  await 20 tells_its_memory a
  banger vm logs --log vmm a | grep -q 'Running Firecracker'
  banger vm logs a | grep -q '^banger-init: switch'
  same "$(banger vm logs a | grep -c 'Running Firecracker')" 0
  expect 0 banger vm stop a
  same "$(vm_field a '[.state, .reason] | @json')" '["stopped",null]'
  # Every init hears Ctrl-Alt-Del: no other step was needed.
  same "$(banger vm logs --log lifecycle a | jq -r 'select(.event == "vm.stop.step").step' | xargs)" keys
  expect 0 banger vm start a
  expect 0 banger ssh a -- cat /root/file
  same "$output" kept
  expect 0 banger vm rm --force a
  nothing_left
}

# What Firecracker has counted grows with what its guest does.
counts() {
  local now before='[0,0,0,0]' file
  for file in a b; do
    banger ssh "$1" -- 'head -c 1000000 /dev/urandom >/root/counted.'$file'; sync'
    expect 0 banger vm stats --json "$1"
    schema stats
    now=$(jq -c '.vmm | [(.disks | map(.written) | add), .net.received, .net.sent, .exits]' <<<"$output")
    echo "$now" # shown when the test fails
    same "$(jq -n --argjson before "$before" --argjson now "$now" '[range(4) | $now[.] > $before[.]] | all')" true
    before=$now
  done
  [ "$(jq '.[0]' <<<"$now")" -ge 2000000 ]
}

@test "it is paused, and goes on with the right time" {
  expect 0 banger vm run a -- true
  expect 0 banger vm pause a
  same "$(vm_field a '[.state, .reason] | @json')" '["paused","on request"]'
  sleep 10 # a guest that stands for as long, and is not told the time, is late
  expect 0 banger vm resume a
  runs_on_firecracker a
  await 10 right_time a
  counts a
}

@test "a snapshot: memory, disks and the right time come back, on its tap; the original forgets it" {
  expect 0 banger vm create --work-disk 32M a
  expect 0 banger vm start a
  expect 0 banger vm run b -- true
  banger ssh a -- 'echo then >/root/mark; echo then >/tmp/mark; date -s "@$(($(date +%s) - 3600))" >/dev/null'
  expect 0 banger vm snapshot create --json a s
  schema snapshot
  same "$(field '[.vmm.driver, .vmm.version] | join(" ")')" "firecracker $(vm_field a .vmm.version)"
  runs_on_firecracker a
  banger ssh a -- 'echo now >/root/mark; echo now >/tmp/mark; sync'
  expect 0 banger vm kill a
  expect 0 banger vm snapshot restore a s
  echo "# restored in $(vm_field a '[.timings[] | numbers] | add') s" >&3
  right_time a
  runs_on_firecracker a
  same "$(banger ssh a -- cat /root/mark /tmp/mark | xargs)" 'then then'
  counts a
  expect 0 banger ssh a -- ping -c 1 -W 5 b
  await 20 tells_its_memory a
  boot=$(banger ssh a -- cat /proc/sys/kernel/random/boot_id)
  banger ssh a -- reboot || true
  await 60 booted_again a "$boot"
  expect 0 banger vm stop a
  expect 0 banger vm rm --force a b
  nothing_left
}

# seconds_of COMMAND…: sets `took`.
seconds_of() {
  local began=$EPOCHREALTIME
  "$@" >/dev/null
  took=$(jq -n "$EPOCHREALTIME - $began")
  echo "$* took $took s" # shown when the test fails
}
at_least() { [ "$(jq -n "$took >= $1")" = true ]; }
below() { [ "$(jq -n "$took < $1")" = true ]; }
# With a second's worth at once these take 5 s, at 1 MiB and at 64 KiB a second; a request may overdraw what there is.
write_work() { banger ssh a -- dd if=/dev/zero of=/root/f bs=64k count=96 oflag=direct conv=fsync; }
send() { banger ssh a -- head -c 393216 /dev/zero; }
get() { head -c 393216 /dev/zero | banger ssh a -- sh -c 'cat >/dev/null'; }

@test "limits: a disk and a network take as long as they say; live, and after a restore" {
  expect 0 banger vm create --work-disk 32M --limit work.bandwidth=1M --limit net.bandwidth=64K a
  expect 0 banger vm start a
  runs_on_firecracker a
  for act in write_work send get; do
    seconds_of $act
    at_least 4.5
    below 20
  done
  expect 0 banger vm snapshot create a s
  expect 0 banger vm set --limit work.bandwidth=none --limit net.bandwidth=none a
  for act in write_work send get; do
    seconds_of $act
    below 4.5
  done
  # A snapshot has the limits of its time; the VM's own are in force.
  expect 0 banger vm kill a
  expect 0 banger vm snapshot restore a s
  seconds_of write_work
  below 4.5
  expect 0 banger vm set --limit work.bandwidth=1M a
  seconds_of write_work
  at_least 4.5
  expect 0 banger vm rm --force a
}

# bats test_tags=root
@test "a start takes no more than a tenth longer than a bare Firecracker's" {
  expect 0 banger vm run a -- true
  expect 0 "$BANGER_SOURCE/tests/lab/bare_firecracker.py" "$binary" a 10
  echo "# $output" >&3
  [ "$(jq '.start_ratio <= 1.1' <<<"$output")" = true ]
}

@test "two reach each other by name, and the outside asks for neither" {
  expect 0 banger vm create a b
  expect 0 banger vm start a b
  expect 0 banger ssh a -- ping -c 1 -W 5 b
  expect 0 banger ssh b -- ping -c 1 -W 5 a.vm
  runs_on_firecracker a
  runs_on_firecracker b
}

@test "the guest's own end: power-off, reboot, panic" {
  expect 0 banger vm run a -- true
  banger ssh a -- poweroff || true
  await 60 in_state a stopped
  banger vm logs a | grep -q 'reboot: System halted'
  ended_within 4 a # a second, but the programs that give its things back are emulated, too
  expect 0 banger vm start a
  boot=$(banger ssh a -- cat /proc/sys/kernel/random/boot_id)
  banger ssh a -- reboot || true
  await 60 booted_again a "$boot"
  runs_on_firecracker a
  banger ssh a -- sh -c 'echo c >/proc/sysrq-trigger' || true
  await 30 in_state a failed
  same "$(vm_field a .reason)" 'kernel panic: sysrq triggered crash'
  expect 0 banger vm rm a
  nothing_left
}

@test "its VMM killed; its monitor killed, and another adopts it" {
  expect 0 banger vm run a -- true
  kill_dead "$(vm_field a .vmm.pid)"
  await 10 in_state a failed
  [[ $(vm_field a .reason) == 'the VMM ended (signal 9'* ]]
  expect 0 banger vm start a
  vmm=$(vm_field a .vmm.pid)
  kill_monitor a
  expect 0 banger vm reconcile
  same "$(vm_field a .vmm.pid)" "$vmm"
  expect 0 banger ssh a -- true
  expect 0 banger vm stop a
  same "$(vm_field a '[.state, .reason] | @json')" '["stopped",null]'
  gone "$vmm"
}

@test "a kernel that it cannot load: its own words, at once" {
  bundle=$(runtime_bundle)
  mkdir "$root/bundle"
  cp "$bundle"/initrd-* "$bundle"/root-tiny-* "$bundle"/kernel-[0-9a-f]* "$root/bundle"
  head -c 1000000 /dev/zero >"$root/bundle/kernel-elf-bad"
  jq --arg sum "$(sha256sum <"$root/bundle/kernel-elf-bad" | cut -d' ' -f1)" '
    (.parts[] | select(.name == "kernel-elf")) |= . + {file: "kernel-elf-bad", size: 1000000, sha256: $sum} |
    .parts |= map(select(.name | startswith("root-debian") | not)) |
    .roots |= map(select(.variant == "tiny"))' "$bundle/bundle.json" >"$root/bundle/bundle.json"
  expect 0 banger vm create --accel kvm --vmm firecracker a # KVM that is asked for is taken untried
  began=$EPOCHREALTIME
  BANGER_RUNTIME_DIR=$root/bundle expect 1 banger vm start --json a
  same "$(error_field .code)" failed
  error_field .message | grep -q "cannot boot 'a': the VMM refuses PUT /.*: .*[Kk]ernel"
  same "$(error_field .log)" "$(disk_of a vmm.log)"
  took_at_most 15 "$began" # most of it the checks of before, under emulation; a time-out is a minute
  same "$(vm_field a .state)" failed
  expect 0 banger doctor --leaks
}
