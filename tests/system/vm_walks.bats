#!/usr/bin/env bats
# start, stop and rm, and the import of an image, killed at each point that they pass; the next
# command tells the truth and cleans up. (create: vm_failpoints.bats)
load ../lib
load vm
load points

no_vmm() {
  [ -z "$(find "$XDG_RUNTIME_DIR/banger" -mindepth 2 -maxdepth 2 ! -name net 2>/dev/null)" ] &&
    expect 0 banger doctor --leaks
}

# Every test has a VM that was never ready: a boot a point would be dear.
prepare_stopped() {
  banger vm kill x >/dev/null 2>&1 || true
  in_state x stopped || in_state x failed
}
start() { banger vm start --no-wait x; }
after_start() {
  expect 0 banger vm reconcile
  case $(vm_field x .state) in
    starting) # the monitor lives, whoever started it
      [ -n "$(monitor_of x)" ]
      expect 0 banger vm kill x
      ;;
    stopped | failed) ;;
    *) return 1 ;;
  esac
  await 5 no_vmm
}

# bats test_tags=once
@test "start killed at each point of the verb" {
  expect 0 banger vm create $tiny --net isolated x
  walk banger-vm prepare_stopped start after_start 3
}

@test "start and kill, the monitor killed at each of its points" {
  expect 0 banger vm create $tiny --net isolated x
  start_and_kill() {
    banger vm start --no-wait x
    banger vm kill x
  }
  walk banger-monitor prepare_stopped start_and_kill after_start 20
  expect 0 banger vm start x
  expect 0 banger ssh x -- true
}

# bats test_tags=once
@test "a kill killed at each point of the verb" {
  expect 0 banger vm create $tiny --net isolated x
  prepare_started() { prepare_stopped && banger vm start --no-wait x; }
  kill_it() { banger vm kill x; }
  walk banger-vm prepare_started kill_it after_start 1
}

# bats test_tags=once
@test "rm killed at each point" {
  # Files of a VM that has run.
  prepare_used() {
    banger vm show x >/dev/null 2>&1 || banger vm create $tiny --net isolated --work-disk 64M x >/dev/null
    touch "$BANGER_STATE_DIR/vms/$(vm_field x .id)"/{console.log,vmm.log,lifecycle.jsonl,host_key}
  }
  remove() { banger vm rm x; }
  after_rm() {
    # A VM that had begun to go is not offered any more; one that had not is whole.
    expect 0 banger vm reconcile
    if [ -n "$(banger vm list -q)" ]; then
      in_state x stopped
      expect 0 banger vm rm x
    fi
    nothing_left
  }
  walk banger-vm prepare_used remove after_rm 8
}

# bats test_tags=once
@test "create killed at each point inside the import of the image" {
  fresh() { rm -rf "$BANGER_STATE_DIR"; }
  create() { banger vm create $tiny --net isolated x; }
  after_import() {
    expect 0 banger vm create $tiny --net isolated y
    same "$(ls "$BANGER_STATE_DIR/images" | wc -l)" 1
    expect 0 e2fsck -fn "$BANGER_STATE_DIR"/images/*/root.ext4
    expect 0 banger doctor --leaks
    if banger vm show x >/dev/null 2>&1; then in_state x stopped; fi
  }
  walk banger-vm fresh create after_import 8 ends
}
