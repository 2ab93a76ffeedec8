#!/usr/bin/env bats
# banger vm stats of a VM that has a cgroup of its own: a real one, with a process in the VMM's place.
load ../lib

setup() {
  private_root
  pids=()
  group=/sys/fs/cgroup/${root##*/}
}
teardown() {
  if [ ${#pids[@]} -gt 0 ]; then
    end "${pids[@]}"
    wait "${pids[@]}" 2>/dev/null || true
    inside "rmdir $group"
  fi
  remove_private_root
}

sleeps() { [ "$(cut -d' ' -f2,3 "/proc/$1/stat")" = '(sleep) S' ]; }

# inside SCRIPT: where the hierarchy of version 2 is mounted, as on most machines it is anyway.
inside() { unshare -m sh -c "mount -t cgroup2 none /sys/fs/cgroup && $1"; }

@test "a cgroup of the VM's own is told, with what it counts; one that is shared is not" {
  [ "$(id -u)" = 0 ] || skip 'a cgroup is made by root'
  inside '[ -w /sys/fs/cgroup/cgroup.procs ]' 2>/dev/null || skip 'no cgroups of version 2 here'
  test_vm="$BANGER_BUILD/tests/banger-test-vm"
  "$test_vm" "$BANGER_STATE_DIR" add one >/dev/null
  ssh-keygen -q -t ed25519 -N '' -f "$root/key"
  # It is moved there first, so that what it uses is counted there.
  inside "mkdir $group"
  # shellcheck disable=SC2016 # for the inner shell
  unshare -m sh -c 'mount -t cgroup2 none /sys/fs/cgroup && echo $$ >"$0/cgroup.procs" &&
    : >"$1" && exec sleep 300' "$group" "$root/in" >/dev/null 2>&1 3>&- &
  pids+=($!)
  await 10 test -e "$root/in"
  await 10 sleeps "${pids[0]}" # and uses no more
  "$test_vm" "$BANGER_STATE_DIR" run one running 22 "${pids[0]}" "$(cut -d' ' -f1,2 "$root/key.pub")"

  expect 0 inside 'banger vm stats --json one'
  schema stats
  own=$output
  expect 0 inside "cat $group/cpu.stat"
  counted=$(sed -n 's/^usage_usec //p' <<<"$output")
  output=$own
  same "$(field .cgroup.path)" "/${root##*/}"
  [ "$counted" -gt 0 ]
  same "$(field ".cgroup.cpu_seconds * 1000000 | round")" "$counted"
  # Memory is told where the controller counts it in this hierarchy.
  if inside "[ -e $group/memory.current ]"; then
    [ "$(field .cgroup.memory)" -gt 0 ]
  else
    same "$(field .cgroup.memory)" null
  fi

  sleep 300 >/dev/null 2>&1 3>&- &
  pids+=($!)
  inside "echo ${pids[1]} >$group/cgroup.procs"
  expect 0 inside 'banger vm stats --json one'
  same "$(field .cgroup)" null
}
