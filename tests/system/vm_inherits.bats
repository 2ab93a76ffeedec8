#!/usr/bin/env bats
# A VM has nothing of whoever started it: no open file of a script may be held for as long as it
# runs, by its monitor, its VMM, or what keeps its network.
load ../lib
load vm

# The processes that have PATH open, of all that run.
holders_of() {
  local pid
  for pid in $(pgrep -u "$(id -u)"); do
    ! readlink "/proc/$pid/fd/"* 2>/dev/null | grep -qxF "$1" || tr '\0' ' ' <"/proc/$pid/cmdline"
  done
}

@test "a lock and a pipe of the script that starts it are free when the script lets go of them" {
  expect 0 banger vm create $tiny x
  touch "$root/lock"
  mkfifo "$root/pipe"
  cat "$root/pipe" >/dev/null 3>&- &
  reader=$!
  (
    exec 9>"$root/lock" 63>"$root/pipe"
    flock 9
    banger vm start --no-wait x 3>&-
  )
  expect 0 flock -n "$root/lock" true
  same "$(holders_of "$root/lock")$(holders_of "$root/pipe")" ''
  await 5 gone "$reader"
  expect 0 banger vm wait --for ready x
  expect 0 banger vm stop x
}
