#!/usr/bin/env bats
# The lab's own keeping, seen from outside; what is in it is tests/lab's matter.
load ../lib
load vm

setup() {
  [ -f "$BANGER_BUILD/CMakeCache.txt" ] || skip 'not a build tree'
  private_root
}
teardown() {
  end ${runner:-}
  remove_private_root
}

lab() { "$BANGER_SOURCE/tests/lab/lab" --build "$BANGER_BUILD" "$@"; }

@test "who is killed leaves no VM, and the next one takes his files away and gives a command's status" {
  "$BANGER_SOURCE/tests/lab/lab" --build "$BANGER_BUILD" shell 'echo up; sleep 600' >"$root/said" 3>&- &
  runner=$!
  await 600 grep -q up "$root/said"
  place=$BANGER_BUILD/lab/run-$runner
  vmm=$(pgrep -P "$runner" -f "file=$place/tree")
  kill -KILL "$runner"
  await 20 gone "$vmm"
  [ -e "$place" ]
  expect 7 lab shell 'id -u; exit 7'
  same "$output" 0
  [ ! -e "$place" ]
}
