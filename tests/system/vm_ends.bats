#!/usr/bin/env bats
# How VMs end, and who may say that one has: the VMM, not what stands on a console; what --rm leaves
# behind; a monitor that cannot take over.
load ../lib
load vm

boot_id() { banger ssh "$1" -- cat /proc/sys/kernel/random/boot_id; }
absent() { [ -z "$(banger vm list -q)" ]; }

# bats test_tags=once
@test "what a guest prints as its kernel's last words ends nothing" {
  expect 0 banger vm run g $tiny
  id=$(boot_id g)
  banger ssh g -- sh -c '{ echo "[    9.100000] Kernel panic - not syncing: made up"
    echo "[    9.200000] reboot: System halted"; } > /dev/console'
  # Longer than it takes to look twice.
  for _ in 1 2 3 4 5 6; do
    same "$(boot_id g)" "$id"
    sleep 0.3
  done
  same "$(vm_field g .state)" running
  banger ssh g -- poweroff || true
  await 30 in_state g stopped
  same "$(vm_field g .reason)" 'the guest powered off'
}

# bats test_tags=once
@test "a guest that halts has stopped, one that was taken over as well" {
  expect 0 banger vm run h $tiny
  banger ssh h -- 'halt -f' >/dev/null 2>&1 3>&- & # its connection just hangs
  await 30 in_state h stopped
  same "$(vm_field h .reason)" 'the guest halted'
  expect 0 banger vm start h
  kill_monitor h
  expect 0 banger vm reconcile
  banger ssh h -- 'halt -f' >/dev/null 2>&1 3>&- &
  await 30 in_state h stopped
  same "$(vm_field h .reason)" 'the guest halted'
}

# bats test_tags=once
@test "a guest reboots though its bundle was built anew with another kernel" {
  bundle=$(runtime_bundle)
  mkdir "$root/bundle"
  cp -r --reflink=auto --sparse=always "$bundle"/. "$root/bundle"
  export BANGER_RUNTIME_DIR=$root/bundle
  expect 0 banger vm run r $tiny
  id=$(boot_id r)
  rm -f "$root/bundle/$(jq -r '.parts[] | select(.name == "kernel-elf").file' "$root/bundle/bundle.json")"
  banger ssh r -- reboot || true
  await 60 booted_again r "$id"
  same "$(vm_field r .state)" running
}

@test "run --rm: whatever ends it, nothing stays" {
  for how in poweroff reboot; do
    expect 0 banger vm run --rm a $tiny
    banger ssh a -- $how || true
    await 30 absent
    await 10 nothing_left
  done
  # A command that ends its own machine has its status, or none came.
  expect 255 banger vm run --rm a $tiny -- sh -c 'poweroff; sleep 60'
  await 10 nothing_left
  # Not ready in time.
  expect 6 banger vm run --rm --timeout 100ms a $tiny
  errors 'is not ready after'
  expect 3 banger vm show a
  expect 255 banger vm run --rm --timeout 100ms --json a $tiny -- true
  same "$(error_field .code)" timeout
  await 10 nothing_left
}

# bats test_tags=once
@test "run --rm that is interrupted while its VM boots leaves nothing and ends by the signal" {
  for signal in TERM INT HUP; do
    status=0
    # Not a shell's background job: those ignore INT.
    python3 - $signal $tiny <<'PY' 3>&- || status=$?
import json, os, signal, subprocess, sys, time
run = subprocess.Popen(["banger", "vm", "run", "--rm", "i", *sys.argv[2:], "--", "true"])
end = time.monotonic() + 60
def pid():
    out = subprocess.run(["banger", "vm", "show", "--json", "i"], capture_output=True).stdout
    return out and json.loads(out)["vmm"]["pid"]
while not pid():
    assert time.monotonic() < end
    time.sleep(0.05)
run.send_signal(getattr(signal, "SIG" + sys.argv[1]))
assert run.wait(60) == -getattr(signal, "SIG" + sys.argv[1]), run.returncode
PY
    same "$status" 0
    expect 3 banger vm show i
    nothing_left
  done
}

# bats test_tags=once
@test "a monitor that cannot take over leaves the VM as it is; the next one can" {
  banger vm failpoints >/dev/null 2>&1 || skip 'this build has no failpoints'
  expect 0 banger vm run m $tiny
  id=$(boot_id m) vmm=$(vm_field m .vmm.pid)
  kill_monitor m
  for point in sys.bind:emfile sys.create:enospc state.commit:enospc; do
    BANGER_FAILPOINT_IN=banger-monitor BANGER_FAILPOINT=$point expect 1 banger vm reconcile
    same "$(vm_field m '[.state, .vmm.pid] | @json')" "[\"running\",$vmm]"
    same "$(boot_id m)" "$id"
  done
  expect 0 banger vm reconcile
  same "$(vm_field m .vmm.pid)" "$vmm"
  [ -n "$(monitor_of m)" ]
  expect 0 banger vm stop m
  gone "$vmm"
}

# bats test_tags=once
@test "restart takes nothing down that could not come up again" {
  expect 0 banger vm run s $tiny
  id=$(boot_id s)
  BANGER_QEMU_BINARY=no-such-vmm BANGER_RUNTIME_DIR=$root/none expect 5 banger vm restart s
  errors no-such-vmm
  errors "no runtime bundle in '$root/none'"
  same "$(boot_id s)" "$id"
}

# bats test_tags=once
@test "in the foreground: the guest's own end, a panic, SIGTERM with --rm" {
  banger vm run --foreground f $tiny >"$root/out1" 2>"$root/err" 3>&- &
  pid=$!
  await 60 grep -q running "$root/out1"
  banger ssh f -- poweroff || true
  wait $pid
  expect 0 banger vm rm f
  banger vm run --foreground f $tiny >"$root/out2" 2>"$root/err" 3>&- &
  pid=$!
  await 60 grep -q running "$root/out2"
  banger ssh f -- sh -c 'sleep 0.2; echo c > /proc/sysrq-trigger' || true
  status=0
  wait $pid || status=$?
  same "$status" 1
  expect 0 banger vm rm f
  banger vm run --foreground --rm f $tiny >"$root/out3" 2>"$root/err" 3>&- &
  pid=$!
  await 60 grep -q running "$root/out3"
  kill -TERM $pid
  wait $pid
  nothing_left
}
