# shellcheck shell=bash disable=SC2034,SC2154 # what the tests and ../lib have in common
# Helpers of the tests that boot VMs: load after ../lib.

# The smallest guest, on software emulation whatever the host has: times are then comparable.
tiny='--image tiny --memory 128M --accel tcg'

vm_root() {
  private_root
  # Machines that run the tests may be busy; what waits in vain still ends.
  export BANGER_VM_READY_TIMEOUT=90s
}

# What only the machine on which a test failed can tell, while its VMs are still there.
tell_vms() {
  local dir pid moment net own=()
  for dir in "$BANGER_STATE_DIR"/vms/*; do
    [ -d "$dir" ] || continue
    banger vm show --json "$(basename "$dir")"
    tail -n 30 "$dir/console.log" "$dir/vmm.log"
    # Whether its VMM still works: its threads' time, now and in a second.
    pid=$(vm_field "$(basename "$dir")" '.vmm.pid // empty')
    [ -z "$pid" ] || for moment in now later; do
      echo "$moment" && ps -L -o comm=,stat=,cputimes=,wchan= -p "$pid" && cut -d' ' -f14,15 "/proc/$pid/stat"
      sleep 1
    done
  done
  [ "$(id -u)" -eq 0 ] || own=(-U --preserve-credentials)
  net=$(banger net status --json)
  echo "$net"
  pid=$(jq -r '.holder // empty' <<<"$net")
  [ -z "$pid" ] || nsenter -t "$pid" "${own[@]}" -n sh -c 'ip -s link; ip neigh'
  ss -tnop | grep slirp4netns
  pgrep -fa "$root" | cut -c-160
  tail -n 20 "$BANGER_STATE_DIR/log/banger.jsonl"
} 2>&1

remove_vms() {
  [ -z "${BATS_TEST_NAME:-}" ] || [ -n "${BATS_TEST_COMPLETED:-}${BATS_TEST_SKIPPED:-}" ] ||
    tell_vms || true
  # Nothing of a failed test may stay: not its VMs, not the files that it planted. By this shell's `banger`,
  # which may be one in a world of the test's: another program (xargs) would start the machine's.
  banger vm rm --force --all >/dev/null 2>&1
  remove_private_root
}

# The set-up that most files need; the others have their own.
setup() { vm_root; }
teardown() { remove_vms; }

# Asked many times a second beside a guest that boots: without a program that takes longer.
in_state() {
  [[ $(banger vm show --json "$1") == *'"state":"'"$2"'"'* ]]
}

booted_again() {
  local now
  now=$(banger ssh "$1" -- cat /proc/sys/kernel/random/boot_id 2>/dev/null) || return 1
  [ "$now" != "$2" ]
}

# right_time VM [SECONDS]: its guest's clock is the host's, but for so many (2); the guest is asked between two
# looks at the host's, however long that takes.
right_time() {
  local before=$EPOCHSECONDS now
  now=$(banger ssh "$1" -- date +%s)
  [ $((before - now)) -le "${2:-2}" ] && [ $((now - EPOCHSECONDS)) -le "${2:-2}" ]
}

vm_field() {
  banger vm show --json "$1" | jq -r "$2"
}

# A file of a VM's directory: disk_of VM upper.img
disk_of() {
  printf '%s/vms/%s/%s' "$BANGER_STATE_DIR" "$(vm_field "$1" .id)" "$2"
}

# The room that a file takes on the host, in KiB.
takes() { du -k "$1" | cut -f1; }

# ended_within SECONDS VM: from the last that its guest wrote to its end, by the records of both.
ended_within() {
  took_at_most "$1" "$(stat -c %.3Y "$(disk_of "$2" console.log)")" \
    "$(date -d "$(banger vm events --json "$2" | jq -rs 'map(select(.type == "vm.stopped"))[-1].time')" +%s.%3N)"
}

# The size in MiB that df gives in a guest: df_mib VM PLACE
df_mib() { banger ssh "$1" -- df -m "$2" | awk 'NR == 2 { print $2 }'; }

# No process, no runtime directory, no file of a VM; what belongs to the state itself stays.
nothing_left() {
  expect 0 banger doctor --leaks
  same "$output" ''
  same "$(ls "$BANGER_STATE_DIR/vms" 2>/dev/null)" ''
  same "$(find "$XDG_RUNTIME_DIR/banger" -mindepth 2 2>/dev/null)" ''
  same "$(cat "$BANGER_STATE_DIR/keys/known_hosts" 2>/dev/null)" ''
}

# Whether a process has ended; one that its parent has not reaped yet has.
gone() {
  [ ! -e "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status"
}

# A port of 127.0.0.1 that is free now, on loopback addresses at all; none of those that the kernel gives
# to whoever connects meanwhile.
free_port() {
  python3 -c 'import random, socket
while True:
    port = random.randrange(10000, 20000)
    try:
        socket.create_server(("0.0.0.0", port))
    except OSError:
        continue
    print(port)
    break'
}

has_vmm() { [ "$(vm_field "$1" .vmm.pid)" != null ]; }

# Of this test's own state, whatever else runs on the machine.
monitor_of() {
  local pid
  for pid in $(pgrep -f "banger-monitor $1\$"); do
    gone "$pid" || ! grep -qz "BANGER_STATE_DIR=$BANGER_STATE_DIR" "/proc/$pid/environ" || echo "$pid"
  done
}

# Gone when it returns: a process that is still dying holds its locks, and passes for alive.
kill_dead() {
  local pid
  kill -9 "$@"
  for pid in "$@"; do await 10 gone "$pid"; done
}
# With those others: kill_monitor VM [PID...]
kill_monitor() {
  local vm=$1
  shift
  kill_dead "$(monitor_of "$vm")" "$@"
}

# Puts a file into a VM's root disk while it is stopped: edit_root VM PATH <content
edit_root() {
  local disk
  disk=$(disk_of "$1" root.img)
  cat >"$root/content"
  debugfs -w -R "rm $2" "$disk" >/dev/null 2>&1
  debugfs -w -R "write $root/content $2" "$disk" >/dev/null 2>&1
  debugfs -w -R "sif $2 mode 0100755" "$disk" >/dev/null 2>&1
}
