#!/usr/bin/env bats
# The verbs that look at VMs that run, and those that act on several of them: two VMs that all tests
# of this file share, for boots are dear.
load ../lib
load vm

setup_file() {
  export BATS_NO_PARALLELIZE_WITHIN_FILE=true
  vm_root
  export root
  expect 0 banger vm create $tiny --label side=a one
  expect 0 banger vm create $tiny --label side=b two
}
teardown_file() { remove_vms; }
setup() { :; }
teardown() { :; } # not the VMs' end

field_of() { banger vm show --json "$1" | jq -r "$2"; }
ended() { ! kill -0 "$1" 2>/dev/null; }
cut_short() { [ "$(du -k "$1" | cut -f1)" -lt 8200 ]; }
told_of() { banger vm logs "$1" | grep -q "$2"; }
has() { grep -qF "$2" "$1"; }

# That somebody follows is seen by what he tells of changes.
follows() {
  banger vm set one --label "change=$((change += 1))" >/dev/null
  has "$root/events" vm.changed
}

# It starts the VMs for all that follow.
@test "start and wait take several, side by side" {
  # The three see the same boots.
  banger vm wait --timeout 3m --json --for ready one two >"$root/waited" 3>&- &
  waiter=$!
  banger vm events --follow --json -n 0 >"$root/events" 3>&- &
  follower=$!
  await 10 follows
  expect 0 banger vm start --json --all
  schema result
  same "$(jq -r '[.name, .state] | join(" ")' <<<"$output" | sort)" $'one running\ntwo running'
  wait $waiter
  same "$(jq -r '[.name, .ok, .state] | join(" ")' "$root/waited" | sort)" \
    $'one true running\ntwo true running'
  await 10 has "$root/events" '"vm":"two","type":"vm.ready"'
  await 10 has "$root/events" '"vm":"one","type":"vm.ready"'
  kill $follower
  for vm in one two; do
    same "$(jq -r "select(.vm == \"$vm\") | .type" "$root/events" | grep '^vm\.' | grep -v changed)" \
      $'vm.starting\nvm.ready'
  done
  expect 0 banger vm start --all # nothing is left to start
  same "$output" ''
  expect 0 banger vm start --json one
  schema result
  same "$(field '[.ok, .changed, .state] | join(" ")')" 'true false running'
  expect 0 banger vm start one
  same "$output" 'one: running'
  errors "'one' was running already"
  expect 0 banger vm wait one two
}

@test "stats: cpu, memory, disk, network; --watch goes on" {
  expect 0 banger vm stats --json
  schema stats
  same "$(jq -r .name <<<"$output")" $'one\ntwo'
  same "$(jq -s 'all(.cpu.seconds > 0 and .cpu.percent >= 0 and .memory.rss >= .memory.pss and
    .memory.pss > 10000000 and .disk.root > 0)' <<<"$output")" true
  # What the guest says: its own meminfo says the same, give or take what it does meanwhile.
  expect 0 banger vm stats --json one
  told=$output
  expect 0 banger ssh one -- awk '/^Mem(Total|Available):/ { print $2 * 1024 }' /proc/meminfo
  read -r total available <<<"$(echo $output)"
  same "$(jq --argjson total "$total" --argjson available "$available" '.guest |
    .total == $total and .free <= .available and (.available - $available | fabs) < 20000000' <<<"$told")" true
  # What its VMM has counted grows with what the guest does.
  counted() { banger vm stats --json one | jq '[.vmm.disks[] | select(.name != "root")][0].written'; }
  same "$(jq -c '.vmm | [.disks[0].name, .disks[0].read > 1000000, .disks[0].reads > 0, .disks[0].errors, .net, .exits]' <<<"$told")" \
    '["root",true,true,0,null,null]'
  before=$(counted)
  banger ssh one -- sh -c 'head -c 1000000 /dev/urandom >/root/counted; sync'
  [ "$(counted)" -ge $((before + 1000000)) ]
  expect 0 banger vm stats one
  outputs 'GUEST FREE'
  expect 0 banger vm stats --json one two
  mode=$(field_of one .net.mode)
  if [ "$mode" = user ]; then
    before=$(jq -s '.[0].net.received' <<<"$output")
    head -c 100000 /dev/zero | banger ssh one -- sh -c 'cat >/dev/null'
    expect 0 banger vm stats --json one
    [ "$(field .net.received)" -ge $((before + 100000)) ]
  fi
  # A guest that works is seen to.
  banger ssh one -- sh -c 'timeout 3 sh -c "while :; do :; done"' 3>&- &
  expect 0 bash -c 'banger vm stats --json --watch --interval 500ms one two | head -n 8'
  wait
  same "$(jq -s 'map(select(.name == "one").cpu.seconds) | last - first > 0.2' <<<"$output")" true
  same "$(jq -r .name <<<"$output" | sort | uniq -c | xargs)" '4 one 4 two'
  expect 0 banger vm stats one
  outputs 'CPU%'
}

# bats test_tags=once
@test "list --watch --json tells what changes, once" {
  banger vm list --watch --interval 100ms --json one >"$root/listed" 3>&- &
  watcher=$!
  await 10 test -s "$root/listed"
  expect 0 banger vm set one --label watched=yes
  await 10 has "$root/listed" '"watched":"yes"'
  sleep 0.5 # several intervals in which nothing happens
  kill $watcher
  same "$(jq -r '.labels.watched' "$root/listed")" $'null\nyes'
  expect 4 banger vm set one --cpus 2
  errors 'it is running'
  expect 0 banger vm set one --unlabel watched
}

# bats test_tags=once
@test "console: several look on, one types, the log goes on" {
  expect 4 sh -c 'banger vm create --image tiny --memory 128M off >/dev/null; banger vm console off'
  expect 0 banger vm rm off
  # One that nohup began stays when its terminal goes.
  (trap '' HUP && exec banger vm console one </dev/null >"$root/first" 2>/dev/null 3>&-) &
  first=$!
  mkfifo "$root/keys"
  banger vm console one <"$root/keys" >"$root/second" 2>/dev/null 3>&- &
  second=$!
  exec 5>"$root/keys"
  banger ssh one -- sh -c 'echo "said-$((40 + 2))" > /dev/console'
  await 20 has "$root/first" said-42
  kill -HUP $first
  await 20 has "$root/second" said-42
  echo >&5 # the first Enter wakes the shell on the line
  await 20 has "$root/second" "Enter 'help'"
  # Typed text comes whole, however much it is; every console sees the answer.
  echo 'n=0; while read -r l; do [ "$l" = end ] && break; n=$((n + 1)); done; echo "read-$n"' >&5
  { seq 2000; echo end; } >&5
  await 60 has "$root/first" read-2000
  await 20 has "$root/second" read-2000
  kill $second
  exec 5>&-
  expect 0 banger vm logs one
  outputs said-42
  outputs read-2000
  kill $first
  await 10 ended $first
}

@test "console at a terminal: raw, Ctrl-] leaves, the terminal is put back; the past is shown escaped" {
  banger ssh one -- sh -c 'printf "evil-\033]0;x\007-end\n" > /dev/console'
  for way in escape term; do
    expect 0 python3 - "$way" <<'PY'
import os, pty, signal, sys, termios, time
go, going = os.pipe()
pid, fd = pty.fork()
if pid == 0:
    os.read(go, 1)
    os.execvp("banger-vm", ["banger-vm", "console", "one"])
before = termios.tcgetattr(fd)
os.write(going, b"x")
seen = b""
def read_until(*what):
    global seen
    end = time.monotonic() + 30
    while not all(w in seen for w in what):
        assert time.monotonic() < end, seen
        seen += os.read(fd, 4096)
read_until(b"Ctrl-] leaves", b"evil-\\x1b]0;x\\x07-end")
assert b"\x1b]0" not in seen, seen
while termios.tcgetattr(fd)[3] & termios.ICANON:
    time.sleep(0.01)
os.write(fd, b"\x03") # goes to the guest and ends nothing
time.sleep(0.3)
assert os.waitpid(pid, os.WNOHANG) == (0, 0)
if sys.argv[1] == "escape":
    os.write(fd, b"\x1d")
else:
    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGINT) # the second may end it by itself, but never before that
try:
    while True:
        if not os.read(fd, 4096): break
        if termios.tcgetattr(fd) == before: break
except OSError:
    pass
status = os.waitpid(pid, 0)[1]
assert status == 0 or sys.argv[1] == "term" and os.WIFSIGNALED(status), status
assert termios.tcgetattr(fd) == before
PY
  done
}

# bats test_tags=once
@test "logs --follow sees what is said, survives the cut of the front, ends with the VM" {
  banger vm logs --follow two >"$root/followed" 3>&- &
  follower=$!
  banger vm logs --follow --log lifecycle two >"$root/lifecycle" 3>&- &
  lifecycle=$!
  banger vm console two </dev/null >"$root/seen" 2>/dev/null 3>&- &
  console=$!
  "$BANGER_SOURCE/tests/on-terminal" 'written=' -- \
    banger vm logs --follow --log vmm two >"$root/vmm" 3>&- &
  vmm=$!
  await 10 test -s "$root/followed"
  id=$(field_of two .id)
  printf 'written \033]0;evil\007\n' >>"$BANGER_STATE_DIR/vms/$id/vmm.log"
  # More than the 8 MiB at which the front is cut; numbered, so that a gap shows. Appended as the VMM
  # does it, for a serial line is slow.
  log=$BANGER_STATE_DIR/vms/$id/console.log
  python3 - "$log" <<'PY'
import sys, time
with open(sys.argv[1], "ab", buffering=0) as log:
    for block in range(90):
        log.write(b"".join(b"%d %s\r\n" % (i, b"." * 190) for i in range(block * 500, block * 500 + 500)))
        time.sleep(0.02)
PY
  expect 0 banger ssh two -- sh -c 'echo the-end > /dev/console'
  await 60 has "$root/followed" the-end
  await 10 cut_short "$log"
  same "$(tr -d '\r' <"$root/followed" | grep -oE '^[0-9]+ \.' | awk '$1 != n++' | head -1)" ''
  same "$(tr -d '\r' <"$root/followed" | grep -cE '^[0-9]+ \.')" 45000
  expect 0 banger vm restart --json two
  schema result
  same "$(field .state)" running
  await 20 ended $follower
  await 20 ended $lifecycle
  await 20 ended $console
  await 20 ended $vmm
  wait $follower $lifecycle $console $vmm
  grep -aqF 'written \x1b]0;evil\x07' "$root/vmm" # at a terminal it is escaped
  tail -n 3 "$root/lifecycle" | grep -q vm.stopped
  expect 0 timeout 20 banger vm logs -n 2 --log lifecycle two
  outputs vm.ready
}

# bats test_tags=once
@test "wait tells at once that a VM failed, and why" {
  banger ssh two -- touch /root/kept
  banger vm wait --for stopped two >/dev/null 3>&- &
  waiter=$!
  expect 0 banger vm stop --label side=b
  same "$output" 'two: stopped'
  wait $waiter
  banger vm wait --json --for ready --timeout 1m two >"$root/waited" 2>"$root/errors" 3>&- &
  waiter=$!
  banger vm start --no-wait two
  kill -9 "$(field_of two .vmm.pid)"
  status=0
  wait $waiter || status=$?
  same "$status" 1
  same "$(jq -r '.error.code' "$root/waited")" failed
  grep -q 'the VMM of' "$root/errors"
  expect 0 banger vm start two
  expect 0 banger ssh two -- test -e /root/kept
}

# bats test_tags=once
@test "what a guest writes is shown escaped, wherever it gets to" {
  # It forges its own panic, with escapes that would set a title, clear the screen and answer back.
  banger ssh two -- sh -c 'printf "Kernel panic - not syncing: \033]0;evil\007\033[2J\033[6n\233x\n" > /dev/console'
  await 20 told_of two evil
  kill -9 "$(field_of two .vmm.pid)"
  await 30 in_state two failed
  for verb in 'list two' 'show two' 'events two' 'logs two' 'wait two' 'stats two' 'preflight two'; do
    # shellcheck disable=SC2086
    python3 - banger vm $verb <<'PY'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
out = b""
try:
    while block := os.read(fd, 65536):
        out += block
except OSError:
    pass
os.waitpid(pid, 0)
own = out.replace(b"\x1b[K", b"") # what progress erases its line with
assert out and not any(c in own for c in (b"\x1b", b"\x07", b"\x9b")), own
if sys.argv[3] in ("show", "wait"):
    assert b"evil" in own, own
PY
  done
  expect 0 banger vm show --json two
  schema vm
  [[ $(field .reason) == *evil* ]]
  expect 0 banger vm start two
}

# bats test_tags=once
@test "restart keeps everything; stop, kill and rm of several" {
  address=$(field_of one .net.address)
  reach=$(field_of one .net.reach)
  # One whose monitor died is given a new one, and is told.
  kill_monitor one
  expect 0 banger vm reconcile --json
  schema reconciled
  same "$(jq -r '[.name, .found, .done, .state] | join(", ")' <<<"$output")" \
    'one, running, without its monitor, given a new monitor, running'
  boot=$(banger ssh one -- cat /proc/sys/kernel/random/boot_id)
  expect 0 banger vm restart --label side=a
  same "$output" 'one: running'
  [ "$(banger ssh one -- cat /proc/sys/kernel/random/boot_id)" != "$boot" ]
  same "$(field_of one '[.net.address, .net.reach] | join(" ")')" "$address $reach"
  expect 4 banger vm rm --all
  expect 0 banger vm kill --all
  same "$(sort <<<"$output")" $'one: stopped\ntwo: stopped'
  expect 0 banger vm restart two # one that does not run is started
  same "$output" 'two: running'
  expect 0 banger vm rm --all --force
  same "$(sort <<<"$output")" $'one: removed\ntwo: removed'
  nothing_left
}
