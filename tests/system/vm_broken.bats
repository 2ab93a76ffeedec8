#!/usr/bin/env bats
# stop, kill and rm --force end a VM whatever is broken beside it, and none waits for long.
load ../lib
load vm

teardown() {
  # Processes that a failed test left stopped could not be removed.
  end -CONT $stopped
  end ${impostor:-}
  # Nor could it find a VM whose directory it had removed.
  end $vmm
  remove_vms
}

stop_monitor() {
  stopped=$(monitor_of "$1")
  [ -n "$stopped" ]
  kill -STOP "$stopped"
}

ended() {
  gone "$2"
  has_no_monitor "$1"
  same "$(vm_field "$1" .state)" stopped
}
has_no_monitor() { [ -z "$(monitor_of "$1")" ]; }

@test "a monitor that was stopped: kill ends the VM" {
  expect 0 banger vm run $tiny b
  vmm=$(vm_field b .vmm.pid)
  stop_monitor b
  expect 0 timeout 20 banger vm kill b
  same "$output" 'b: stopped'
  ended b "$vmm"
  expect 0 banger vm start b
  vmm=$(vm_field b .vmm.pid)

  # A gentle stop is still one: another monitor asks the guest.
  stop_monitor b
  expect 0 timeout 60 banger vm stop b
  ended b "$vmm"
  expect 0 banger vm logs --log lifecycle b
  [[ $(tail -n 20 <<<"$output") == *'"step":"keys"'* ]]
  expect 0 banger vm start b
  vmm=$(vm_field b .vmm.pid)

  stop_monitor b
  expect 0 timeout 20 banger vm rm --force b
  gone "$vmm"
  nothing_left
}

@test "a kill that comes while a stop waits for a monitor that was stopped" {
  expect 0 banger vm run $tiny b
  vmm=$(vm_field b .vmm.pid)
  expect 0 banger ssh b -- sh -c "sed -i /ctrlaltdel/d /etc/inittab && kill -HUP 1"
  banger vm stop --timeout 1m b >"$root/stop" 2>&1 3>&- &
  stop=$!
  await 10 in_state b stopping
  stop_monitor b
  expect 0 timeout 30 banger vm kill b
  ended b "$vmm"
  wait $stop
  same "$(tail -n 1 "$root/stop")" 'b: stopped'
}

# Writes to $root/heard what it hears at socket $1.
impostor() {
  rm "$1"
  python3 - "$1" "$root/heard" 3>&- <<'PY' &
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
os.chdir(os.path.dirname(sys.argv[1]))
s.bind("monitor.sock")
s.listen()
open(sys.argv[2], "w").close()
while True:
    c, _ = s.accept()
    said = c.recv(1000)
    open(sys.argv[2], "ab").write(said)
PY
  impostor=$!
  await 10 test -e "$root/heard"
}

@test "its socket, or its runtime directory, was removed" {
  expect 0 banger vm run $tiny b
  vmm=$(vm_field b .vmm.pid)
  socket=$(dirname "$(vm_field b .vmm.api_socket)")/monitor.sock
  # Or is another process's, as it could be of a VMM that no wall keeps from it.
  impostor "$socket"
  expect 1 banger vm pause b
  errors "'$socket' is not the socket of its monitor: process $impostor listens there"
  expect 0 timeout 60 banger vm stop b
  ended b "$vmm"
  kill "$impostor"
  same "$(cat "$root/heard")" ''
  for verb in kill stop 'rm --force'; do
    expect 0 banger vm start b
    vmm=$(vm_field b .vmm.pid)
    rm -r "$(dirname "$(vm_field b .vmm.api_socket)")"
    # shellcheck disable=SC2086
    expect 0 timeout 60 banger vm $verb b
    gone "$vmm"
  done
  nothing_left
}

@test "something else lies in the place of its directory or its locks, or nobody may open them" {
  break_it() { # HOW DIRECTORY
    case $1 in
      file) rm -r "$2" && echo x >"$2" ;;
      directory) rm "$2/op.lock" && mkdir -p "$2/op.lock/d" ;;
      rights) chmod 0 "$2/op.lock" "$2/run.lock" && chmod 0 "$2" ;;
    esac
  }
  for how in file directory rights; do
    for verb in kill stop 'rm --force'; do
      expect 0 banger vm run $tiny b
      vmm=$(vm_field b .vmm.pid)
      break_it $how "$BANGER_STATE_DIR/vms/$(vm_field b .id)"
      # shellcheck disable=SC2086
      expect 0 timeout 60 banger vm $verb b
      gone "$vmm"
      [ "$verb" = 'rm --force' ] || expect 0 banger vm rm b
    done
  done
  nothing_left
}

@test "its directory was removed from under it" {
  for verb in kill stop 'rm --force'; do
    expect 0 banger vm run $tiny b
    vmm=$(vm_field b .vmm.pid)
    rm -r "$BANGER_STATE_DIR/vms/$(vm_field b .id)"
    # shellcheck disable=SC2086
    expect 0 timeout 30 banger vm $verb b
    gone "$vmm"
    [ "$verb" = 'rm --force' ] || expect 0 banger vm rm b
  done
  nothing_left
}
