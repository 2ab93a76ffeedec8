#!/usr/bin/env bats
# A VM of `run --rm` ends with the one who runs it, however that one ends; what there is to see of it
# afterwards, and what is said meanwhile.
load ../lib
load vm
load points

setup() { vm_root; }

absent() { expect 3 banger vm show r >/dev/null 2>&1; }
ready_in_guest() { banger ssh r -- test -e /began 2>/dev/null; }
is_client() { pgrep -f "banger-ssh --state-dir $BANGER_STATE_DIR " >/dev/null; }

# Runs it in the background, $runner: begin_run ARGUMENT...
begin_run() {
  banger vm run --rm $tiny "$@" >"$root/out" 2>"$root/err" 3>&- &
  runner=$!
}
ends_with_it() {
  kill -9 "$runner"
  wait "$runner" 2>/dev/null || true
  await "$1" absent
  await 5 nothing_left
  ! is_client
}

@test "killed while its command runs: VM, command and client end at once" {
  begin_run r -- sh -c 'touch /began; sleep 1000'
  await 90 ready_in_guest
  vmm=$(vm_field r .vmm.pid) monitor=$(monitor_of r)
  # A process that is stopped has not died.
  kill -STOP "$runner"
  sleep 1.5
  same "$(vm_field r .state)" running
  kill -CONT "$runner"
  is_client
  ends_with_it 5
  gone "$vmm"
  gone "$monitor"
}

@test "killed while its VM boots, and before there is a VMM" {
  begin_run r
  await 60 has_vmm r
  ends_with_it 5
  needs_failpoints
  # Its monitor is about to prepare the VM, and about to start the VMM.
  for point in sys.create#1 sys.spawn#1 sys.spawn#2; do
    rm -f "$root/trace"
    BANGER_FAILPOINT_IN=banger-monitor BANGER_FAILPOINT=$point:sleep=2000 \
      BANGER_FAILPOINT_TRACE=$root/trace begin_run r
    await 30 test -s "$root/trace"
    sleep 0.2
    ends_with_it 10
  done
}

# bats test_tags=once
@test "killed at each point before its monitor is there: the next command removes the VM" {
  needs_failpoints
  run_it() { banger vm run --rm r $tiny -- true; }
  nothing() { :; }
  ended() {
    await 20 unlocked
    # No process has it any more: no reader is shown it, whatever is left.
    await 5 unseen
    expect 3 banger vm show r
    expect 0 banger vm list --state stopped --state creating
    same "$output" ''
    expect 0 banger vm reconcile
    await 20 absent
    await 5 nothing_left
  }
  # No monitor that has just been told of the death is at work any more.
  unlocked() { [ -z "$(monitor_of r)" ]; }
  unseen() { [ -z "$(banger vm list -q)" ]; }
  walk banger-vm nothing run_it ended 8 ends
}

@test "a monitor that took the VM over knows who runs it, and so does the next command" {
  begin_run r -- sh -c 'touch /began; sleep 1000'
  await 90 ready_in_guest
  kill_monitor r
  expect 0 banger vm reconcile
  [ -n "$(monitor_of r)" ]
  same "$(vm_field r .state)" running
  ends_with_it 5

  begin_run r -- sh -c 'touch /began; sleep 1000'
  await 90 ready_in_guest
  kill_monitor r
  kill -9 "$runner"
  wait "$runner" 2>/dev/null || true
  expect 0 banger vm reconcile
  await 5 absent
  await 5 nothing_left
  # Both died, and the VMM too.
  begin_run r -- sh -c 'touch /began; sleep 1000'
  await 90 ready_in_guest
  vmm=$(vm_field r .vmm.pid)
  kill_monitor r "$vmm"
  kill -9 "$runner"
  wait "$runner" 2>/dev/null || true
  expect 0 banger vm reconcile
  await 5 absent
  await 5 nothing_left
}

# bats test_tags=once
@test "who is done with it lets it run: without a command, with --no-wait, without --rm" {
  expect 0 banger vm run --rm r $tiny
  sleep 1
  same "$(vm_field r .state)" running
  expect 0 banger vm kill r
  absent
  expect 0 banger vm run --rm --no-wait r $tiny
  expect 0 banger vm wait r
  expect 0 banger ssh r -- true
  expect 0 banger vm stop r
  absent
  banger vm run r $tiny -- sh -c 'touch /began; sleep 1000' >/dev/null 2>&1 3>&- &
  runner=$!
  await 90 ready_in_guest
  kill -9 "$runner"
  wait "$runner" 2>/dev/null || true
  sleep 1
  same "$(vm_field r .state)" running
  pkill -9 -f "banger-ssh --state-dir $BANGER_STATE_DIR " # its client, which nobody waits for now
  expect 0 banger vm rm -f r
  nothing_left
}

# bats test_tags=once
@test "in the foreground it ends with who runs it, too" {
  begin_run --foreground r
  await 90 grep -q running "$root/out"
  ends_with_it 5
}

# bats test_tags=once
@test "run --rm needs no name, and does not ask the guest to stop" {
  expect 2 banger vm run $tiny
  errors 'no NAME given'
  expect 255 banger vm run $tiny -- true
  expect 0 banger vm run --rm $tiny -- hostname
  [[ $output =~ ^run-[0-9a-f]{6}$ ]]
  expect 3 banger vm run --rm $tiny -- sh -c 'trap "" TERM; exit 3'
  nothing_left
  expect 0 banger vm events --json
  same "$(jq -r 'select(.type == "vm.stopped").detail.reason' <<<"$output" | sort -u)" killed
  same "$(jq -r .type <<<"$output" | grep -cx vm.abandoned)" 0
}

# bats test_tags=once
@test "a guest of --rm that does not come up: no advice about a VM that has gone, its logs where the error says" {
  expect 6 banger vm run --rm --timeout 300ms r $tiny
  errors "'r' is not ready after"
  errors '(3 times the timeout of 0.3s, as it is emulated in software)'
  errors 'it is removed (--rm); its logs are kept for a week; --timeout gives it longer'
  [[ $stderr != *'banger vm '* ]]
  log=$(sed -n 's/^log: *//p' <<<"$stderr")
  [ -f "$log" ]
  [[ $log == "$BANGER_STATE_DIR"/log/kept/r-*/console.log ]]
  [ -f "${log%/*}/vmm.log" ]
  [ -f "${log%/*}/lifecycle.jsonl" ]
  absent
  nothing_left
  # One whose VMM cannot begin.
  printf '#!/bin/sh\ncase $1 in -*version) exec qemu-system-x86_64 "$@" ;; esac\necho cannot >&2; exit 1\n' >"$root/vmm"
  chmod +x "$root/vmm"
  BANGER_QEMU_BINARY=$root/vmm expect 255 banger vm run --rm --json r $tiny -- true
  error_schema
  log=$(error_field .log)
  [[ $log == "$BANGER_STATE_DIR"/log/kept/* ]]
  grep -q cannot "$log"
  [[ $(error_field .hint) != *'banger vm'* ]]
  absent
  nothing_left
  # They stay for a bounded time.
  same "$(ls "$BANGER_STATE_DIR/log/kept" | wc -l)" 2
  touch -d '8 days ago' "${log%/*}"
  for n in $(seq 30); do mkdir "$BANGER_STATE_DIR/log/kept/old-$n"; done
  expect 0 banger vm reconcile
  same "$(ls "$BANGER_STATE_DIR/log/kept" | wc -l)" 20
  [ ! -e "$log" ]
  # One that crashes under its command: nothing is pointed at that has gone.
  expect 255 banger vm run --rm r $tiny -- 'echo c >/proc/sysrq-trigger; sleep 60'
  [[ $stderr != *'banger vm '* && $stderr != *'log: '* ]]
  kept=$(sed -n 's/^hint: it is removed .* for a week: //p' <<<"$stderr")
  absent
  grep -q 'Kernel panic' "$kept/console.log"
  # Not those of one that was interrupted, or that ended as it should.
  rm -r "$BANGER_STATE_DIR/log/kept"
  expect 255 banger vm run --rm r $tiny -- 'poweroff -f; sleep 60'
  [[ $stderr != *'banger vm '* && $stderr != *'log: '* ]]
  expect 1 banger vm run --rm r $tiny -- false
  [ ! -e "$BANGER_STATE_DIR/log/kept" ]
}

# Of a process that no shell started in its background: those ignore INT. interrupted AWAIT... -- ARGS
interrupted() {
  python3 - "$BANGER_STATE_DIR" "$root/err" "$@" <<'PY' 3>&-
import json, signal, subprocess, sys, time
until, args = sys.argv[3], sys.argv[4:]
with open(sys.argv[2], "w") as err:
    run = subprocess.Popen(args, stderr=err)
end = time.monotonic() + 90
def reached():
    if until == "vmm":
        out = subprocess.run(["banger", "vm", "show", "--json", "r"], capture_output=True).stdout
        return out and json.loads(out)["vmm"]["pid"]
    return subprocess.run(["banger", "ssh", "r", "--", "test", "-e", "/began"], capture_output=True).returncode == 0
while not reached():
    assert time.monotonic() < end
    time.sleep(0.1)
run.send_signal(signal.SIGINT)
code = run.wait(60)
assert code in (-signal.SIGINT, 130), code
PY
}

# bats test_tags=once
@test "^C without --rm says that the VM goes on, and how to end it" {
  interrupted vmm banger vm run r $tiny -- true
  grep -qF "'r' goes on booting: banger vm wait r waits until it answers, banger vm kill r ends it" "$root/err"
  expect 0 banger vm wait r
  expect 0 banger vm stop r
  interrupted vmm banger vm start r
  grep -qF "'r' goes on booting" "$root/err"
  expect 0 banger vm rm -f r
  interrupted command banger vm run r $tiny -- sh -c 'touch /began; sleep 1000'
  grep -qF "'r' goes on: banger vm stop r ends it" "$root/err"
  same "$(vm_field r .state)" running
  expect 0 banger vm rm -f r
  nothing_left
}
