#!/usr/bin/env bats
# Reads and writes that fail, and no descriptor left, at each point of create, start and import: a
# failure has its status and its reason, and nothing half-made stays.
load ../lib
load vm
load points

# Points at which a descriptor is made.
descriptors='sys.(create|bind|spawn|tap)'

# failed_well POINT...: the last act did, unless it passed one of these points, at which it only tidies up.
failed_well() {
  [ "$status" != 0 ] || [[ $point =~ ^($1)# ]] || return 1
  [ "$status" = 0 ] && return
  same "$status" 1
  grep -q "$words" "$root/out"
}

# walks PROGRAM PREPARE ACT CHECK LEAST [ends]
walks() {
  action=eio words='input/output error' walk "$@"
  action=emfile only=$descriptors words='too many open files' walk "${@:1:4}" 1 "${6:-}"
}

@test "create, with the import of its image and without" {
  fresh() { rm -rf "$BANGER_STATE_DIR"; }
  again() { ! banger vm show x >/dev/null 2>&1 || banger vm rm x >/dev/null; }
  create() { banger vm create $tiny --net isolated x; }
  after_create() {
    [ "$1" = whole ] && return
    failed_well 'sys.(unlink|rmdir)'
    # It is whole, or the command itself has taken all of it back.
    if [ "$status" = 0 ]; then
      in_state x stopped
    elif [ -e "$BANGER_STATE_DIR/vms" ]; then
      same "$(banger vm list -q)" ''
      same "$(ls "$BANGER_STATE_DIR/vms")" ''
    fi
    expect 0 banger doctor --leaks
  }
  walks banger-vm fresh create after_create 8 ends
  expect 0 banger vm reconcile
  again
  walks banger-vm again create after_create 5
}

@test "the import of a tarball" {
  mkdir -p tree/sbin
  printf '#!/bin/true\n' >tree/sbin/init
  chmod +x tree/sbin/init
  tar -C tree -cf t.tar .
  fresh() { banger image rm t >/dev/null 2>&1 || true; }
  import() { banger image import t t.tar --size 16M; }
  after_import() {
    [ "$1" = whole ] && return
    failed_well 'sys.(unlink|rmdir)'
    if [ "$status" = 0 ]; then
      same "$(banger image list -q)" t
    else
      same "$(banger image list -q)" ''
      same "$(ls "$BANGER_STATE_DIR/images")" ''
    fi
    expect 0 banger doctor --leaks
  }
  walks banger-image fresh import after_import 8
}

# A VM that was never ready: a boot a point would be dear.
prepare_stopped() {
  banger vm kill x >/dev/null 2>&1 || true
  in_state x stopped || in_state x failed
}
start() { banger vm start --no-wait x; }
start_and_kill() {
  local of_start=0
  start || of_start=$?
  banger vm kill x >"$root/kill" 2>&1 || true
  return $of_start
}
no_vmm() {
  [ -z "$(find "$XDG_RUNTIME_DIR/banger" -mindepth 2 -maxdepth 2 2>/dev/null)" ]
}
after_start() {
  [ "$1" = whole ] && return
  failed_well '.*'
  if [ "$status" = 1 ]; then in_state x stopped || in_state x failed || in_state x starting; fi
  banger vm kill x >/dev/null 2>&1 || true
  expect 0 banger vm reconcile
  in_state x stopped || in_state x failed
  no_vmm
  expect 0 banger doctor --leaks
}

@test "start, of the verb and of the monitor" {
  expect 0 banger vm create $tiny --net isolated x
  walks banger-vm prepare_stopped start after_start 3
  walks banger-monitor prepare_stopped start_and_kill after_start 12 ends
  # None of the faults before stands in the way.
  expect 0 banger vm start x
  expect 0 banger ssh x -- true
}
