#!/usr/bin/env bats
# banger vm pause and resume: a guest that stands still because somebody asked for it.
load ../lib
load vm

setup() { vm_root; }
teardown() { remove_vms; }

guest() { banger ssh x -- "$@"; }

@test "a guest stands still, is told to be paused wherever one looks, and goes on with the right time" {
  expect 0 banger vm run $tiny x
  guest 'while :; do date +%s >>/tmp/ticks; sleep 0.2; done >/dev/null 2>&1 &'
  await 10 guest test -s /tmp/ticks
  expect 0 banger vm pause x
  same "$output" 'x: paused'
  local paused_at=$SECONDS
  same "$(vm_field x '[.state, .reason] | join(" ")')" 'paused on request'
  expect 0 banger vm list
  [[ $output == *" paused "*"on request"* ]]
  # It uses no processor.
  local pid used
  pid=$(vm_field x .vmm.pid)
  used=$(cut -d' ' -f14 "/proc/$pid/stat")
  expect 255 timeout 5 banger ssh x -- true
  errors "VM 'x' is paused: on request"
  errors 'hint: banger vm resume x lets it go on'
  expect 4 banger vm start x
  errors "it is paused: on request"
  errors 'banger vm resume x lets it go on'
  expect 0 banger vm pause --json x
  schema result
  same "$(field '[.verb, .state, .changed] | map(tostring) | join(" ")')" 'pause paused false'
  # Long enough for a clock that is not set to be seen.
  while [ $((SECONDS - paused_at)) -lt 8 ]; do sleep 0.2; done
  [ $(($(cut -d' ' -f14 "/proc/$pid/stat") - used)) -le 20 ]
  expect 0 banger vm resume --json x
  same "$(field '[.verb, .state, .changed] | map(tostring) | join(" ")')" 'resume running true'
  same "$(vm_field x '[.state, .reason] | @json')" '["running",null]'
  await 5 right_time x
  # It wrote nothing for as long as it stood, by its own clock too.
  [ "$(guest cat /tmp/ticks | awk 'NR > 1 && $1 - last > gap { gap = $1 - last } { last = $1 } END { print gap + 0 }')" -ge 6 ]
  expect 0 banger vm resume x
  same "$output" 'x: running'
  errors "'x' ran already"
  same "$(banger vm events --json x | jq -r 'select(.type | test("paused|resumed")).type' | xargs)" 'vm.paused vm.resumed'
}

# bats test_tags=once
@test "its monitor dies meanwhile: the next one knows, and lets it go on" {
  expect 0 banger vm run $tiny --net isolated x
  expect 0 banger vm pause x
  kill_monitor x
  expect 0 banger vm reconcile
  await 5 in_state x paused
  same "$(vm_field x .reason)" 'on request'
  expect 0 banger vm resume x
  expect 0 guest true
}

# bats test_tags=once
@test "one that is paused hears a stop, and is killed and removed" {
  expect 0 banger vm run $tiny x
  guest 'printf "#!/bin/sh\ntrap \"echo heard >/root/heard; sync; exit\" TERM\nwhile :; do sleep 0.1; done\n" >/tmp/s;
    chmod 755 /tmp/s; setsid /tmp/s >/dev/null 2>&1 &'
  expect 0 banger vm pause x
  expect 0 banger vm stop x
  same "$(vm_field x '[.state, .reason] | @json')" '["stopped",null]'
  expect 0 banger vm start x
  same "$(guest cat /root/heard)" heard
  expect 0 banger vm pause --all
  same "$output" 'x: paused'
  expect 0 banger vm kill x
  same "$(vm_field x .state)" stopped
  expect 4 banger vm pause x
  errors "cannot pause 'x': it is stopped"
  expect 4 banger vm resume x
  expect 0 banger vm start x
  expect 0 banger vm pause x
  expect 0 banger vm rm --force x
  nothing_left
}

# bats test_tags=once
@test "a VMM that does not answer: told in time, and the VM is what it was" {
  expect 0 banger vm run $tiny x
  local pid
  pid=$(vm_field x .vmm.pid)
  kill -STOP "$pid"
  expect 1 timeout 19 banger vm pause --json x
  same "$(error_field .code)" unreachable
  error_field .message | grep -q "cannot pause 'x'"
  kill -CONT "$pid"
  # It has the request still, and stops its guest; that is taken back, for the verb was told that it runs.
  await 20 guest true
  in_state x running
}
