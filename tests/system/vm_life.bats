#!/usr/bin/env bats
# The life of VMs, each booted for real on the tiny image.
load ../lib
load vm

@test "a file written in the guest is there after stop and start, and rm leaves nothing" {
  expect 0 banger vm run one $tiny -- sh -c 'echo kept > /root/file; sync; hostname'
  same "$output" one
  expect 0 banger vm list --json
  schema vm
  same "$(field .state)" running
  expect 0 banger vm stop one
  outputs 'one: stopped'
  expect 0 banger vm show --json one
  schema vm
  same "$(field .state)" stopped
  same "$(field .vmm.pid)" null
  expect 0 banger vm start --json one
  schema result
  same "$(field .state)" running
  expect 0 banger ssh one -- cat /root/file
  same "$output" kept
  expect 0 banger vm show --json one
  same "$(field '[.timings[] | . > 0] | all')" true
  expect 4 banger vm rm one
  errors 'it is running'

  # The log: each line an object; a verb and the monitor that it started have one operation.
  for log in "$BANGER_STATE_DIR/log/banger.jsonl" "$(vm_field one .logs.lifecycle)"; do
    holds -s 'length > 0 and all(.time and .level and .op and .event)' "$log"
  done
  op=$(jq -r 'select(.event == "vm.start") | .op' "$BANGER_STATE_DIR/log/banger.jsonl" | tail -1)
  same "$(jq -r 'select(.event == "vm.ready") | .op' "$(vm_field one .logs.lifecycle)" | tail -1)" "$op"
  holds -s 'map(select(.event == "vm.start") | .seconds > 0) | length > 0 and all' "$BANGER_STATE_DIR/log/banger.jsonl"
  logged=$(wc -l <"$BANGER_STATE_DIR/log/banger.jsonl")
  expect 0 banger vm set --log-level warn --label a=b one
  same "$(wc -l <"$BANGER_STATE_DIR/log/banger.jsonl")" "$logged"
  expect 0 banger vm set --label a=c one
  [ "$(wc -l <"$BANGER_STATE_DIR/log/banger.jsonl")" -gt "$logged" ]
  expect 0 banger vm rm --force one
  expect 0 banger vm list --json
  same "$output" ''
  nothing_left
}

# bats test_tags=once
@test "VMs at once have names, addresses and disks of their own" {
  # Not told which acceleration to use, whoever is first tries the host's; the others wait for that.
  expect 0 banger vm create --image tiny --memory 128M a b c
  banger vm start c & first=$!
  expect 0 banger vm start a b
  wait $first
  [ "$(grep -c '"accel.probe"' "$BANGER_STATE_DIR/log/banger.jsonl")" -le 1 ]
  expect 0 banger ssh a -- sh -c 'hostname; echo a > /root/who'
  same "$output" a
  expect 0 banger ssh b -- sh -c 'hostname; test ! -e /root/who'
}

# bats test_tags=once
@test "a guest's poweroff, reboot and panic are told apart" {
  expect 0 banger vm run g $tiny
  boot_id=$(banger ssh g -- cat /proc/sys/kernel/random/boot_id)
  # The connection may end before the status arrives.
  banger ssh g -- reboot || true
  await 60 booted_again g "$boot_id"
  expect 0 banger vm show --json g
  same "$(field .state)" running

  banger ssh g -- sh -c 'sleep 0.2; echo c > /proc/sysrq-trigger' || true
  await 30 in_state g failed
  expect 0 banger vm show --json g
  [[ $(field .reason) == 'kernel panic: '* ]]
  same "$(field .error.code)" failed

  expect 0 banger vm start g
  banger ssh g -- poweroff || true
  await 30 in_state g stopped
  expect 0 banger vm show --json g
  same "$(field .reason)" 'the guest powered off'
}

# bats test_tags=once
@test "run passes a command's status through, and 255 is banger's own" {
  expect 7 banger vm run --rm r $tiny -- sh -c 'echo out; echo err >&2; exit 7'
  same "$output" out
  same "$stderr" err
  expect 3 banger vm show r
  nothing_left
  expect 255 banger vm run --rm 'Bad' $tiny -- true
}

# bats test_tags=once
@test "run on a name that exists is a conflict" {
  expect 0 banger vm create $tiny x
  expect 4 banger vm run x $tiny
  errors "a VM of that name exists"
  expect 0 banger vm stop x
  errors "'x' did not run"
}

# bats test_tags=once
@test "in the foreground it is an ordinary process that SIGTERM ends" {
  banger vm run --foreground f $tiny >"$root/out" 2>"$root/err" 3>&- &
  pid=$!
  await 60 grep -q running "$root/out"
  kill -TERM $pid
  wait $pid
  expect 0 banger vm show --json f
  same "$(field .state)" stopped
}

@test "vm.memory_limit bounds what all that run have together, of two started at once too" {
  expect 0 banger vm create $tiny a b
  BANGER_VM_MEMORY_LIMIT=100M expect 5 banger vm start a
  errors "128M of memory wanted, 128M with the VMs that run; vm.memory_limit is 100M"
  same "$(vm_field a .state)" stopped
  BANGER_VM_MEMORY_LIMIT=200M expect 5 banger vm start --no-wait -j 2 a b
  errors '256M with the VMs that run; vm.memory_limit is 200M'
  errors 'raise vm.memory_limit'
  expect 0 banger vm list -q --state stopped
  [ "$output" = a ] || [ "$output" = b ]
  one=$output
  BANGER_VM_MEMORY_LIMIT=255M expect 5 banger vm preflight "$one"
  BANGER_VM_MEMORY_LIMIT=256M expect 0 banger vm start --no-wait "$one"
}

# bats test_tags=once
@test "a guest that floods its console fills no disk" {
  expect 0 banger vm run flood $tiny
  id=$(banger vm show --json flood | jq -r .id)
  # More than the 8 MiB at which it is cut to 4; a serial line is slow.
  expect 0 banger ssh flood -- sh -c 'yes 0123456789abcdef0123456789abcdef | head -c 8912896 > /dev/console; echo the-end > /dev/console'
  log=$BANGER_STATE_DIR/vms/$id/console.log
  await 20 small "$log" 5000
  expect 0 banger vm logs -n 3 flood
  outputs the-end
}

small() { [ "$(du -k "$1" | cut -f1)" -lt "$2" ]; }
