#!/usr/bin/env bats
# A stop knocks harder and harder, each time only after the step before had its time: Ctrl-Alt-Del,
# poweroff over ssh, SIGTERM, SIGKILL. One VM becomes deaf by and by.
load ../lib
load vm

# The steps of the last stop.
steps() {
  banger vm logs --log lifecycle deaf | jq -rs 'map(select(.event == "vm.starting" or
    .event == "vm.stop.step" or .event == "vm.ready")) | (map(.event) | rindex("vm.ready")) as $at |
    .[$at + 1:] | map(.step) | join(" ")'
}
# Of the last stop, whether or not the VM was started again.
steps_before_start() {
  banger vm logs --log lifecycle deaf | jq -rs 'map(select(.event == "vm.stop.step").step) | .[rindex("keys"):] |
    join(" ")'
}
# stop_takes SECONDS TIMEOUT [REASON]: and that long at least, each step that did not help its own time.
stop_takes() {
  local began=$EPOCHREALTIME
  BANGER_VM_STOP_TIMEOUT=$2 expect 0 banger vm stop deaf
  same "$output" 'deaf: stopped'
  python3 -c 'import sys; b, e, least = map(float, sys.argv[1:]); assert e - b >= least, e - b' \
    "$began" "$EPOCHREALTIME" "$1"
  same "$(vm_field deaf '[.state, .reason, .error] | @json')" "[\"stopped\",${3:-null},null]"
}

# A process in the guest that takes no TERM.
obstinate() {
  expect 0 banger ssh "$1" -- "setsid sh -c 'trap \"\" TERM HUP; exec sleep 600' >/dev/null 2>&1 </dev/null &"
}
mute() { ! banger ssh "$1" -- true 2>/dev/null; }

@test "each step of a stop comes after its deadline, and only if the one before did not help" {
  expect 0 banger vm run deaf $tiny
  stop_takes 0 10s
  same "$(steps)" keys

  # Deaf to Ctrl-Alt-Del. (Under emulation a second lasts three.)
  expect 0 banger vm start deaf
  expect 0 banger ssh deaf -- sh -c "sed -i /ctrlaltdel/d /etc/inittab && kill -HUP 1"
  stop_takes 12 4s
  same "$(steps)" 'keys ssh'

  # And to poweroff: nobody is there to be told, until its next boot.
  expect 0 banger vm start deaf
  expect 0 banger ssh deaf -- sh -c 'mount --bind /dev/null /etc/inittab && kill -HUP 1
    (sleep 0.5; killall dropbear) >/dev/null 2>&1 </dev/null &'
  await 20 mute deaf
  stop_takes 1.9 300ms
  same "$(steps)" 'keys ssh term'

  # And its VMM to SIGTERM.
  expect 0 banger vm start deaf
  vmm=$(vm_field deaf .vmm.pid)
  kill -STOP "$vmm"
  stop_takes 4.9 300ms '"killed"'
  same "$(steps)" 'keys ssh term kill'
  gone "$vmm"

  # A patient stop is overtaken by a kill; both tell the same.
  expect 0 banger vm start deaf
  obstinate deaf
  banger vm stop --timeout 1m deaf >"$root/stop" 2>&1 3>&- &
  stop=$!
  await 10 in_state deaf stopping
  expect 0 timeout 20 banger vm kill deaf
  same "$output" 'deaf: stopped'
  wait $stop
  same "$(cat "$root/stop")" 'deaf: stopped'
  expect 0 banger vm rm deaf
  nothing_left
}

@test "a --timeout is for all that comes before force, and no longer under emulation" {
  expect 0 banger vm run deaf $tiny
  local verb vmm began
  for verb in 'stop --timeout' 'restart --timeout 2m --stop-timeout'; do
    vmm=$(vm_field deaf .vmm.pid)
    kill -STOP "$vmm"
    began=$EPOCHREALTIME
    # shellcheck disable=SC2086
    expect 0 banger vm $verb 2s deaf
    same "$(steps_before_start)" 'keys term kill'
    [ "$verb" != 'stop --timeout' ] || took_at_most 6 "$began"
    gone "$vmm"
    expect 0 banger vm start deaf
  done
  # Where there is time for it, poweroff over ssh is a part of it.
  expect 0 banger ssh deaf -- sh -c "sed -i /ctrlaltdel/d /etc/inittab && kill -HUP 1"
  began=$EPOCHREALTIME
  expect 0 banger vm stop --timeout 12s deaf
  same "$(steps)" 'keys ssh'
  took_at_most 13 "$began"
  expect 0 banger vm rm deaf
  nothing_left
}

# bats test_tags=once
@test "a tiny guest ends as soon as its processes have; they have five seconds" {
  expect 0 banger vm run t $tiny
  local began=$EPOCHREALTIME
  expect 0 banger vm stop t
  took_at_most 2 "$began"

  # One that has work to do when it is told, and a shell at a terminal, which takes no TERM.
  expect 0 banger vm start t
  expect 0 banger ssh t -- "setsid sh -c 'trap \"sleep 2; echo saved >/kept; exit\" TERM; while :; do sleep 0.1; done' >/dev/null 2>&1 </dev/null &"
  banger ssh -t t -- sh >/dev/null 2>&1 <>/dev/zero 3>&- &
  shell=$!
  await 20 eval 'banger ssh t -- ls /dev/pts | grep -qx 0'
  began=$EPOCHREALTIME
  expect 0 banger vm stop t
  took_at_most 4.5 "$began"
  wait "$shell" || true
  expect 0 banger vm start t
  expect 0 banger ssh t -- cat /kept
  same "$output" saved

  # One that never goes.
  obstinate t
  began=$EPOCHREALTIME
  expect 0 banger vm stop --timeout 20s t
  took_at_most 9 "$began"
  same "$(banger vm logs --log lifecycle t | jq -r 'select(.event == "vm.stop.step") | .step' | sort -u)" keys
  expect 0 banger vm rm t
  nothing_left
}

# bats test_tags=once
@test "rm --force of a VM that another command starts again meanwhile" {
  expect 0 banger vm create $tiny r
  expect 0 banger vm start --no-wait r
  # The VM is killed before its lock is waited for; this is the file that the lock is made of.
  BANGER_FAILPOINT=sys.create#3:sleep=3000 BANGER_FAILPOINT_IN=banger-vm \
    banger vm rm --force r >"$root/rm" 2>&1 3>&- &
  await 10 in_state r stopped
  expect 0 banger vm start --no-wait r
  same "$(cat "$root/rm")" ''
  status=0
  wait $! || status=$?
  same "$status $(cat "$root/rm")" '0 r: removed'
  nothing_left
}
