#!/usr/bin/env bats
# A start dies at each point that its monitor, its helper and the holder of the network pass: the network, its
# processes and what they made are gone with the VM all the same.
load ../lib
load vm
load points

setup() {
  vm_root
  needs_failpoints
  expect 0 banger net status --json
  [ "$(field .mode)" = user ] || skip "$(field .why)"
  expect 0 banger vm create $tiny x
}

# start_with PROGRAM VARIABLE=VALUE...: a start that nobody waits for, and its end.
start_with() {
  local program=$1
  shift
  env BANGER_FAILPOINT_IN="$program" "$@" banger vm start --no-wait x >"$root/out" 2>&1 || true
  banger vm kill x >>"$root/out" 2>&1 || true
}

@test "a start killed at each point of its monitor, of the helper that joins the network and of the network's holder leaves nothing" {
  start_with none # what is made only once would be points that are not passed again
  for program in banger-monitor banger-place banger-netns; do
    rm -f "$root/trace"
    start_with $program BANGER_FAILPOINT_TRACE="$root/trace"
    points=$(wc -l <"$root/trace")
    [ "$points" -gt 5 ]
    declare -A seen=()
    while read -r name; do
      seen[$name]=$((${seen[$name]:-0} + 1))
      start_with $program BANGER_FAILPOINT="$name#${seen[$name]}:kill"
      # The next command that changes something settles what the kill left.
      expect 3 banger vm start nobody
      expect 0 banger doctor --leaks
      same "$(net_left)" '' || {
        echo "after $program $name#${seen[$name]}"
        cat "$root/out"
        false
      }
    done <"$root/trace"
  done
  expect 0 banger vm rm x
  nothing_left
}

# Directories of VMs and network, and processes in them.
net_left() {
  find "$XDG_RUNTIME_DIR/banger" -mindepth 2 2>/dev/null
  local pid
  for pid in $(pgrep 'banger-netns|banger-resolver|slirp4netns'); do
    case $(readlink "/proc/$pid/cwd") in "$root"/*) gone "$pid" || echo "$pid" ;; esac
  done
}
