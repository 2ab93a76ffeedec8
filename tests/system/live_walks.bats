#!/usr/bin/env bats
# Commands on a VM that runs, killed at each point that they pass: the VM goes on, and the next command
# tells the truth.
load ../lib
load vm
load points

kill_its_monitor() {
  [ -z "$(monitor_of x)" ] || kill_monitor x
}
goes_on() {
  in_state x running
  [ -n "$(monitor_of x)" ]
  same "$(vm_field x .vmm.pid)" "$vmm"
}

@test "reconcile killed at each point, and the monitor that takes a VM over" {
  expect 0 banger vm run $tiny --net isolated x
  vmm=$(vm_field x .vmm.pid)
  # Beside it what was interrupted: a create, an rm, and an import. They stand at a point until all
  # do, because each command settles first what others left.
  dies_at() { # POINT COMMAND...
    local name=$1 trace
    shift
    trace=$root/trace.$1.$3
    rm -f "$trace"
    BANGER_FAILPOINT="$name:sleep=60000" BANGER_FAILPOINT_TRACE=$trace "$@" >/dev/null 2>&1 3>&- &
    dying+=($!)
    await 20 grep -qsx "$name" "$trace"
  }
  leave_work() {
    dying=()
    banger vm create $tiny going >/dev/null
    dies_at sys.truncate banger-vm create $tiny --work-disk 16M made
    dies_at sys.rmdir banger-vm rm going
    dies_at sys.chmod banger-image import half "$root/t.tar" --size 16M
    kill -9 "${dying[@]}"
    wait "${dying[@]}" || true
    kill_its_monitor
  }
  mkdir -p tree/sbin
  printf '#!/bin/true\n' >tree/sbin/init
  chmod +x tree/sbin/init
  tar -C tree -cf "$root/t.tar" .
  settle() { banger vm reconcile; }
  settled() {
    expect 0 banger vm reconcile
    goes_on
    same "$(banger vm list -q)" x
    same "$(ls "$BANGER_STATE_DIR/vms")" "$(vm_field x .id)"
    same "$(ls "$BANGER_STATE_DIR/images" | wc -l)" 1
    expect 0 banger doctor --leaks
  }
  walk banger-vm leave_work settle settled 8 ends
  walk banger-monitor kill_its_monitor settle settled 3
  expect 0 banger ssh x -- true
}

# Whether the host's port leads somewhere.
answers_at() { (exec 3<>"/dev/tcp/$1/$port") 2>/dev/null; }
listed() { banger net publish x -q | grep -q "$port"; }

publish_walks() {
  vmm=$(vm_field x .vmm.pid)
  reach=$(vm_field x .net.reach) port=$(free_port)
  without() { ! listed || banger net publish --remove x "$port:22" >/dev/null; }
  with() { listed || banger net publish x "$port:22" >/dev/null; }
  publish() { banger net publish x "$port:22"; }
  unpublish() { banger net publish --remove x "$port:22"; }
  as_listed() {
    expect 0 banger vm reconcile
    goes_on
    for address in 127.0.0.1 "$reach"; do
      if listed; then answers_at "$address"; else expect 1 answers_at "$address"; fi
    done
    expect 0 banger doctor --leaks
  }
  walk banger-net without publish as_listed 2
  walk banger-net with unpublish as_listed 2
}

@test "net publish killed at each point, by QEMU's own network" {
  expect 0 banger vm run $tiny --net isolated x
  publish_walks
  # The monitor dies while it is asked: what is told is what QEMU does.
  for act in publish unpublish; do
    if [ $act = publish ]; then without; else with; fi
    kill_its_monitor
    BANGER_FAILPOINT=net.forward:kill BANGER_FAILPOINT_IN=banger-monitor expect 0 banger vm reconcile
    monitor=$(monitor_of x)
    expect 1 $act
    await 10 gone "$monitor" # while it dies it holds its locks
    as_listed
  done
}

@test "net publish killed at each point, by the private network" {
  expect 0 banger net status --json
  [ "$(field .mode)" = user ] || skip "$(field .why)"
  expect 0 banger vm run $tiny x
  publish_walks
}
