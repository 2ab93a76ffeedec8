#!/usr/bin/env bats
# A file system that really fills up in the middle of a create: a small one of its own, that another
# program fills while the create stands at a point in its copying.
load ../lib
load vm

setup() {
  vm_root
  banger vm failpoints >/dev/null 2>&1 || skip 'this build has no failpoints'
  unshare -rm true 2>/dev/null || skip 'no user namespaces, so no file system of its own'
}
teardown() { remove_private_root; }

# in_small_fs SIZE FUNCTION: in a mount namespace of its own, with the state on a tmpfs of SIZE.
in_small_fs() {
  mkdir -p "$BANGER_STATE_DIR"
  export root tiny size="$1"
  unshare -rm bash -euc "$(declare -f)
    mount -t tmpfs -o size=\$size,mode=700 none \"\$BANGER_STATE_DIR\"
    $2"
}

# Kilobytes that are left.
free() { df --output=avail -k "$BANGER_STATE_DIR" | tail -1 | tr -d ' '; }

passed() { grep -qx "$1" "$root/trace" 2>/dev/null; }

# fill LEAVE: starts a create, and when it is about to copy leaves it so many kilobytes.
full_create() {
  expect 0 banger vm create $tiny first
  expect 0 banger vm rm first
  before=$(free)
  rm -f "$root/trace"
  BANGER_FAILPOINT=sys.clone:sleep=1500 BANGER_FAILPOINT_TRACE=$root/trace \
    banger vm create $tiny --root copy x >"$root/out" 2>&1 &
  await 30 passed sys.clone
  fallocate -l $(($(free) - leave))K "$BANGER_STATE_DIR/filler"
  status=0
  wait $! || status=$?
  cat "$root/out"
  [ "$status" = 1 ]
  grep -q "cannot create 'x'.*no space left on device" "$root/out"
}

partly() {
  leave=2048
  full_create
  # All that it had taken was given back, while the disk was still full; SQLite's log may have grown.
  left=$(free)
  [ "$left" -ge 1700 ] || { echo "only $left of 2048 KiB are left"; ls -lR "$BANGER_STATE_DIR"; false; }
  [ -z "$(ls "$BANGER_STATE_DIR/vms")" ]
  expect 3 banger vm show x
  rm "$BANGER_STATE_DIR/filler"
  [ $((before - $(free))) -lt 300 ]
  expect 0 banger vm create $tiny --root copy x
}

wholly() {
  leave=0
  full_create
  rm "$BANGER_STATE_DIR/filler"
  expect 0 banger vm create $tiny --root copy x
  expect 0 banger vm rm x
  expect 0 banger doctor --leaks
}

@test "the disk fills up while a root is copied: undone, space given back" {
  in_small_fs 300M partly
}

# bats test_tags=once
@test "not a byte is left: the next command with room cleans up" {
  in_small_fs 300M wholly
}

# With not a byte left a VM ends when it is told to, and later the state learns of it.
killed() {
  expect 0 banger vm run $tiny --net isolated x
  vmm=$(vm_field x .vmm.pid)
  cat /dev/zero >"$BANGER_STATE_DIR/filler" 2>/dev/null || true
  status=0
  timeout 100 banger vm kill --json x >"$root/out" 2>/dev/null || status=$?
  gone "$vmm"
  # The result is what the state says: that it has ended could be written, or that is the failure.
  case $status in
    0) same "$(jq -r '[.ok, .state] | join(" ")' "$root/out")" "true $(vm_field x .state)" ;;
    1)
      same "$(jq -r '[.ok, .error.code] | join(" ")' "$root/out")" 'false failed'
      jq -r .error.message "$root/out" | grep -q 'no space left on device'
      ;;
    *) cat "$root/out"; false ;;
  esac
  rm "$BANGER_STATE_DIR/filler"
  expect 0 banger vm reconcile
  in_state x stopped || in_state x failed
  expect 0 banger vm rm x
  expect 0 banger doctor --leaks
  same "$output" ''
}

# bats test_tags=once
@test "the disk fills up under a VM that runs: kill ends it all the same" {
  in_small_fs 300M killed
}

# rm frees space: it works at once, for a VM that never ran and for one that runs.
removed() {
  expect 0 banger vm create $tiny never
  expect 0 banger vm run $tiny --net isolated x
  vmm=$(vm_field x .vmm.pid)
  cat /dev/zero >"$BANGER_STATE_DIR/filler" 2>/dev/null || true
  expect 0 banger vm rm never
  same "$output" 'never: removed'
  expect 3 banger vm show never
  cat /dev/zero >>"$BANGER_STATE_DIR/filler" 2>/dev/null || true
  expect 0 banger vm rm --force x
  gone "$vmm"
  expect 3 banger vm show x
  expect 0 banger doctor --leaks
  same "$output" ''
  same "$(ls "$BANGER_STATE_DIR/vms")" ''
}

# bats test_tags=once
@test "the disk is full: rm works, first time" {
  in_small_fs 300M removed
}

# bats test_tags=once
@test "too little room from the start: preflight says so, nothing is made" {
  small() {
    expect 5 banger vm create $tiny x
    errors ' free in '
    [ ! -e "$BANGER_STATE_DIR/vms" ] || [ -z "$(ls "$BANGER_STATE_DIR/vms")" ]
  }
  in_small_fs 20M small
}
