#!/usr/bin/env bats
# After the death of any process the next command tells the truth and cleans up.
load ../lib
load vm

@test "kill -9 of the VMM: failed, and it starts again" {
  expect 0 banger vm run v $tiny
  kill -9 "$(vm_field v .vmm.pid)"
  await 10 in_state v failed
  expect 0 banger vm show --json v
  [[ $(field .reason) == 'the VMM ended (signal 9'* ]]
  # As a power cut leaves a file that was not on the disk yet.
  : >"$(disk_of v host_key)"
  expect 0 banger vm start v
  expect 0 banger ssh v -- true
  [ -s "$(disk_of v host_key)" ]
}

@test "kill -9 of the monitor: the VM goes on, and the next verb takes it over" {
  expect 0 banger vm run m $tiny
  vmm=$(vm_field m .vmm.pid)
  kill_monitor m
  expect 0 banger vm show --json m
  same "$(field .state)" running
  expect 0 banger ssh m -- true
  expect 0 banger vm stop m
  expect 0 banger vm show --json m
  same "$(field .state)" stopped
  gone "$vmm"
}

# bats test_tags=once
@test "kill -9 of the program that asks whether it is ready: it becomes running all the same" {
  expect 0 banger vm create $tiny h
  expect 0 banger vm start --no-wait h
  await 10 has_vmm h
  is_asked() { helper=$(pgrep -P "$(monitor_of h)" -f 'banger-guest await'); }
  await 10 is_asked
  kill_dead "$helper"
  await 60 in_state h running
}

@test "kill -9 of monitor and VMM: failed, unobserved; the next verb releases all" {
  expect 0 banger vm run both $tiny
  vmm=$(vm_field both .vmm.pid)
  kill_monitor both "$vmm"
  expect 0 banger vm show --json both
  same "$(field .state)" failed
  same "$(field .reason)" unobserved
  expect 0 banger vm rm both
  nothing_left
}

# bats test_tags=once
@test "kill -9 of the monitor in the middle of a boot: stopped, and no VMM is left" {
  expect 0 banger vm create $tiny boot
  expect 0 banger vm start --no-wait boot
  await 10 has_vmm boot
  vmm=$(vm_field boot .vmm.pid)
  kill_monitor boot
  expect 0 banger vm create $tiny other # any verb that changes something settles it
  expect 0 banger vm show --json boot
  same "$(field .state)" stopped
  gone "$vmm"
  expect 0 banger vm start boot
}

# bats test_tags=once
@test "kill -9 of a start that waits: the VM becomes running all the same" {
  expect 0 banger vm create $tiny w
  banger vm start w 3>&- &
  await 10 has_vmm w
  kill -9 $!
  await 60 in_state w running
}

# bats test_tags=once
@test "two starts at once: one starts it, the other waits until it is ready" {
  expect 0 banger vm create $tiny twice
  banger vm start --json twice >"$root/first" 2>&1 3>&- &
  first=$!
  expect 0 banger vm start --json twice
  wait $first
  same "$(cat "$root/first" - <<<"$output" | jq -r '[.state, .changed] | join(" ")' | sort)" \
    $'running false\nrunning true'
  same "$(banger vm events --json twice | jq -r 'select(.type == "vm.ready").type' | wc -l)" 1
}
