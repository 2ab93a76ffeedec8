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

@test "no mutating system call of create is without a point" {
  command -v strace >/dev/null || skip 'no strace'
  expect 0 trace_create strace -f -qq -o "$root/strace" -e trace=file,desc,network,process banger-vm create $tiny x
  count() { grep -cx "$1" "$root/trace" || true; }
  # SQLite's own files, the log and the trace are not walked: SQLite is atomic by itself.
  calls() { grep -E "$1" "$root/strace" | grep -vE 'state\.db("|-wal|-shm|-journal)|banger\.jsonl|/trace|state/log"|ENOENT|EEXIST' | grep -cvE "${2:-^\$}" || true; }
  same "$(calls ' mkdir(at)?\(')" "$(count sys.mkdir)"
  same "$(calls ' rename(at2?)?\(')" "$(count sys.rename)"
  same "$(calls ' open(at)?\(.*O_CREAT')" "$(count sys.create)"
  same "$(calls ' (link|symlink)(at)?\(')" "$(count sys.link)"
  same "$(calls ' unlink(at)?\(')" "$(count sys.unlink)"
  same "$(calls ' execve\(' 'banger-vm')" "$(count sys.spawn)"
}
