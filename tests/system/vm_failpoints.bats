#!/usr/bin/env bats
# create dies at each of its points; the next command cleans up. Then: the points a create passes
# are as many as the mutating system calls that strace sees.
load ../lib
load vm

setup() {
  vm_root
  banger vm failpoints >/dev/null 2>&1 || skip 'this build has no failpoints'
  # The image is imported once, so that what follows is create alone.
  expect 0 banger vm create $tiny first
  expect 0 banger vm rm first
}

trace_create() {
  rm -f "$root/trace"
  BANGER_FAILPOINT_TRACE=$root/trace "$@"
}

@test "create killed, or out of space, at each point it passes" {
  expect 0 trace_create banger vm create $tiny x
  expect 0 banger vm rm x
  points=$(wc -l <"$root/trace")
  [ "$points" -gt 5 ]
  for action in kill enospc; do
    declare -A seen=()
    while read -r name; do
      seen[$name]=$((${seen[$name]:-0} + 1))
      want=1
      [ $action = enospc ] || want=137
      point="$name#${seen[$name]}:$action"
      status=0
      BANGER_FAILPOINT=$point banger vm create $tiny x >"$root/out" 2>&1 || status=$?
      # A failure in a step that only tidies up does not fail the create.
      [ "$status" = "$want" ] || [ "$status" = 0 ] || { echo "$point: $status"; cat "$root/out"; false; }
      if [ "$status" = 0 ]; then
        [ $action = enospc ] || { echo "$point: it was not killed"; false; }
        expect 0 banger vm rm x
      fi
      # A failure is undone by the create itself, whose last step may have been the one that failed.
      if [ $action = enospc ] && [ "$status" = 1 ]; then
        same "$(ls "$BANGER_STATE_DIR/vms")" '' || { echo "after $point"; false; }
      fi
      # The next command that changes something sees the truth and cleans up.
      expect 3 banger vm start nobody
      if banger vm show x >/dev/null 2>&1; then
        # Killed after its last commit: then it is whole.
        same "$(vm_field x .state)" stopped
        expect 0 banger vm rm x
      fi
      nothing_left || { echo "after $point"; false; }
    done <"$root/trace"
  done
}

# walked COMMAND: the mutating system calls that strace sees are as many as the points it passes.
# SQLite's own files, the log and the trace are not walked: SQLite is atomic by itself. Programs that
# it starts (mke2fs) have no points.
walked() {
  local own
  expect 0 trace_create strace -f -qq -y -o "$root/strace" -e trace=file,desc,network,process,signal "$@"
  own=$(head -1 "$root/strace" | cut -d' ' -f1)
  count() { grep -cx "$1" "$root/trace" || true; }
  calls() { # calls CALL [BUT [WITH]]
    grep -E "^$own +($1)\(.*${3:-}" "$root/strace" |
      grep -vE 'state\.db("|>|-wal|-shm|-journal)|banger\.jsonl|/trace|state/log[">]' |
      grep -cvE "${2:-^\$}" || true
  }
  echo "$*" # shown when the test fails
  same "mkdir $(calls 'mkdir(at)?' EEXIST)" "mkdir $(count sys.mkdir)"
  same "rename $(calls 'rename(at2?|at)?')" "rename $(count sys.rename)"
  same "create $(calls 'open(at)?' 'ENOENT|EEXIST' O_CREAT)" "create $(count sys.create)"
  same "link $(calls '(sym)?link(at)?')" "link $(count sys.link)"
  same "unlink $(calls 'unlink(at)?' AT_REMOVEDIR)" "unlink $(count sys.unlink)"
  same "rmdir $(($(calls rmdir) + $(grep -cE "^$own +unlinkat\(.*AT_REMOVEDIR\) += 0" "$root/strace" || true)))" "rmdir $(count sys.rmdir)"
  same "truncate $(calls 'ftruncate|fallocate|truncate')" "truncate $(count sys.truncate)"
  same "chmod $(calls 'f?chmod(at)?')" "chmod $(count sys.chmod)"
  same "bind $(calls bind)" "bind $(count sys.bind)"
  same "kill $(calls 'pidfd_send_signal|kill')" "kill $(count sys.kill)"
  same "spawn $(grep -cE "^$own +(clone3?|vfork|fork)\(" "$root/strace" || true)" "spawn $(count sys.spawn)"
}

@test "no mutating system call of a verb is without a point" {
  command -v strace >/dev/null || skip 'no strace'
  walked banger-vm create $tiny x
  walked banger-vm create $tiny --root copy --work-disk 32M y
  walked banger-vm set --disk 512M --cpus 2 x
  walked banger-vm reset y
  walked banger-vm rm x
  walked banger-vm rm y
}
