#!/usr/bin/env bats
# A host disk that fills under a VM that runs: the guest stands still, is told to be paused and why
# wherever one looks, and goes on by itself when there is room, with all that it wrote. On a small file
# system of the test's own (see full_disk.bats).
load ../lib
load vm

setup() {
  vm_root
  unshare -rm true 2>/dev/null || skip 'no user namespaces, so no file system of its own'
}
teardown() { remove_private_root; }

# in_small_fs FUNCTION: in a mount namespace of its own, with the state on a tmpfs.
in_small_fs() {
  mkdir -p "$BANGER_STATE_DIR"
  export root tiny
  unshare -rm bash -euc "$(declare -f)
    mount -t tmpfs -o size=300M,mode=700 none \"\$BANGER_STATE_DIR\"
    trap 'banger vm rm --force x >\"\$root/rm\" 2>&1 || { cat \"\$root/rm\"; exit 1; }' EXIT
    $1"
}

# Not a page is left.
fill() { cat /dev/zero >"$BANGER_STATE_DIR/filler" 2>/dev/null || true; }
make_room() { rm "$BANGER_STATE_DIR/filler"; }

# write_on_full FILE: the guest writes 24 MiB there, and its host has no room for them. The client
# that has it written is connected before that: any other write of the guest may pause it.
write_on_full() {
  rm -f "$root/go" "$root/write"
  mkfifo "$root/go"
  banger ssh x -- "echo there; read -r go; seq 1 3500000 >$1; sync" <"$root/go" >"$root/write" 2>&1 3>&- &
  writer=$!
  exec 8>"$root/go"
  await 30 grep -q there "$root/write"
  fill
  echo >&8
  exec 8>&-
  await 30 in_state x paused
}

# All that it wrote is there, on the disk and not in its memory alone.
has_all() {
  wait "$writer"
  same "$(cat "$root/write")" there
  banger ssh x -- 'echo 3 >/proc/sys/vm/drop_caches'
  same "$(banger ssh x -- sha256sum "$1" | cut -d' ' -f1)" "$(seq 1 3500000 | sha256sum | cut -d' ' -f1)"
}

# told_everywhere: what stands in the row is what all who ask are told.
told_everywhere() {
  local why="the host's disk is full: "
  [[ $(vm_field x .reason) == "$why"*" free in '$BANGER_STATE_DIR/vms/$(vm_field x .id)'" ]]
  expect 0 banger vm show x
  [[ $output == *"paused: $why"* ]]
  expect 0 banger vm list
  [[ $output == *" paused "*"$why"* ]]
  expect 0 banger vm list --json
  [[ $(field '[.state, .reason] | join(": ")') == "paused: $why"* ]]
  expect 255 timeout 5 banger ssh x -- true
  errors "VM 'x' is paused: $why"
  expect 4 banger vm start x
  errors "it is paused: $why"
  same "$(banger vm events --json x | jq -r 'select(.type == "vm.paused").detail.reason' | wc -l)" 1
  [[ $(banger vm logs --log lifecycle x) == *vm.paused*"$why"* ]]
}

goes_on() {
  make_room
  await 5 in_state x running
  same "$(vm_field x .reason)" null
  has_all "$1"
  same "$(banger vm events --json x | jq -r 'select(.type == "vm.resumed").type')" vm.resumed
}

on_overlay() {
  expect 0 banger vm run $tiny --root overlay x
  write_on_full /f
  told_everywhere
  goes_on /f
}
@test "the root disk of a VM, an overlay: paused, told, and it goes on with all that was written" {
  in_small_fs on_overlay
}

on_work_disk() {
  expect 0 banger vm run $tiny --net isolated --work-disk 64M --work-mount /work x
  write_on_full /work/f
  told_everywhere
  # A monitor that adopts it learns the same.
  kill_monitor x
  expect 0 banger vm reconcile
  in_state x paused
  sleep 3 # for its clock to make good
  goes_on /work/f
  await 20 right_time x 1
}
# bats test_tags=once
@test "the work disk, and the monitor dies meanwhile" {
  in_small_fs on_work_disk
}

has_step() { banger vm logs --log lifecycle x | grep -q '"step":"'"$1"'"'; }

on_copy() {
  expect 0 banger vm run $tiny --root copy x
  write_on_full /f
  # It cannot be asked while it stands still; it can as soon as it goes on.
  banger vm stop --timeout 1m x >"$root/stop" 2>&1 3>&- &
  stop=$!
  await 5 has_step room
  make_room
  wait "$stop"
  same "$(vm_field x '[.state, .reason] | @json')" '["stopped",null]'
  has_step keys
  if has_step term; then false; fi
  wait "$writer" || true
  expect 0 e2fsck -fn "$(disk_of x root.img)"
}
# bats test_tags=once
@test "a copied root: a stop waits for room, and then the guest hears it" {
  in_small_fs on_copy
}

ended() {
  expect 0 banger vm run $tiny --root overlay x
  write_on_full /f
  expect 0 banger vm stop --timeout 1s x
  same "$(vm_field x '[.state, .reason] | join(": ")')" 'stopped: it was paused, and could not be asked to stop'
  make_room
  wait "$writer" || true
  expect 0 banger vm start x
  write_on_full /f
  expect 0 timeout 10 banger vm kill x
  same "$(vm_field x '[.state, .reason] | join(": ")')" 'stopped: killed'
  wait "$writer" || true
  expect 0 banger vm rm x
  make_room
  expect 0 banger vm run $tiny --root overlay x
  write_on_full /f
  expect 0 timeout 10 banger vm rm --force x
  expect 0 banger doctor --leaks
  same "$output" ''
  trap - EXIT
}
# bats test_tags=once
@test "one that is paused is stopped, killed and removed, on a full disk too" {
  in_small_fs ended
}
