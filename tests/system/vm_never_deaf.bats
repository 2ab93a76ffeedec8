#!/usr/bin/env bats
# A monitor hears whoever asks, in each phase: beside a helper that never answers while a VM is prepared,
# beside whoever keeps a lock that it needs, and beside a VMM that does not answer.
load ../lib
load vm
load net

setup() {
  vm_root
  holder=
}
teardown() {
  end $holder
  remove_vms
}

# An install whose programs are the build's, but for those that a test puts in their place.
own_install() {
  local bundle
  bundle=$(runtime_bundle)
  export BANGER_RUNTIME_DIR=$bundle
  mkdir -p "$root/inst/libexec"
  cp -r "$BANGER_BUILD/bin" "$root/inst/bin"
  cp -r "$BANGER_BUILD/libexec/banger" "$root/inst/libexec/banger"
  PATH="$root/inst/bin:$PATH"
}

# program FILE <BODY
program() {
  rm -f "$1"
  cat >"$1"
  chmod 755 "$1"
}

# hold_lock FILE: as another command does that never gets on; let_lock_go ends it.
hold_lock() {
  rm -f "$root/held"
  python3 - "$1" "$root/held" <<'PY' 3>&- &
import fcntl, sys, time
with open(sys.argv[1], "a") as lock:
    fcntl.lockf(lock, fcntl.LOCK_EX)
    open(sys.argv[2], "w").close()
    time.sleep(600)
PY
  holder=$!
  await 20 test -e "$root/held"
}
let_lock_go() {
  kill "$holder"
  wait "$holder" || true
  holder=
}

# Somebody waits for the lock: a line of /proc/locks with "->".
is_waited_for() { grep -q -- "->.*:$(stat -c %i "$1") " /proc/locks; }

# ended_within SECONDS COMMAND...: it succeeds in that time.
ended_within() {
  local began=$EPOCHREALTIME most=$1
  shift
  expect 0 timeout 30 "$@"
  took_at_most "$most" "$began"
}

# The start has come to where it hangs.
hangs() { [ -e "$root/hangs" ] && in_state h starting; }

# ends_soon VERB [WHEN]: it ends h within 2 s, while its start hangs, and leaves nothing of it.
ends_soon() {
  local verb=$1 when=${2:-hangs} began
  banger vm start h >"$root/start" 2>&1 3>&- &
  start=$!
  await 20 "$when"
  began=$EPOCHREALTIME
  expect 0 timeout 20 banger vm "$verb" h
  same "$output" 'h: stopped'
  took_at_most 2 "$began"
  status=0
  wait $start || status=$?
  same "$status" 4
  grep -q "'h' was stopped before it was ready" "$root/start"
  same "$(vm_field h '[.state, .reason, .error] | @json')" \
    "[\"stopped\",$([ "$verb" = kill ] && echo '"killed"' || echo null),null]"
  same "$(monitor_of h)" ''
  expect 0 banger doctor --leaks
}

@test "kill and stop end a VM whose keys are never made" {
  own_install
  expect 0 banger vm create $tiny --net isolated h
  program "$root/inst/libexec/banger/banger-guest" <<SH
#!/bin/sh
: >$root/hangs
exec sleep 600
SH
  ends_soon kill
  rm "$root/hangs"
  ends_soon stop
  # The same of the VM's own key, once the state has its.
  program "$root/inst/libexec/banger/banger-guest" <<SH
#!/bin/sh
[ "\$1" = await ] || exec $BANGER_BUILD/libexec/banger/banger-guest "\$@"
: >$root/hangs
exec sleep 600
SH
  rm "$root/hangs"
  ends_soon kill
  rm "$root/hangs"
  ends_soon stop
  cp "$BANGER_BUILD/libexec/banger/banger-guest" "$root/inst/libexec/banger/banger-guest.new"
  mv "$root/inst/libexec/banger/banger-guest.new" "$root/inst/libexec/banger/banger-guest"
  expect 0 banger vm start h
  expect 0 banger vm rm --force h
  nothing_left
}

@test "kill and stop leave nothing of keys that are half written" {
  banger vm failpoints >/dev/null 2>&1 || skip 'this build has no failpoints'
  own_install
  expect 0 banger vm create $tiny --net isolated h
  half_written() { [ -e "$BANGER_STATE_DIR/keys/.$file.tmp" ] && in_state h starting; }
  local file verb n=0
  for file in id_ed25519 id_ed25519.pub; do
    n=$((n + 1))
    program "$root/inst/libexec/banger/banger-guest" <<SH
#!/bin/sh
[ "\$1" != keygen ] || export BANGER_FAILPOINT=sys.rename#$n:sleep=600000
exec $BANGER_BUILD/libexec/banger/banger-guest "\$@"
SH
    for verb in kill stop; do
      rm -f "$BANGER_STATE_DIR"/keys/id_ed25519*
      ends_soon $verb half_written
    done
  done
}

@test "kill and stop end a VM that waits for the network's lock" {
  needs_user_net
  expect 0 banger vm create $tiny h
  hold_lock "$BANGER_STATE_DIR/net.lock"
  : >"$root/hangs"
  ends_soon kill
  ends_soon stop
  let_lock_go
  expect 0 banger vm start h
  expect 0 banger vm rm --force h
  nothing_left
}

@test "kill ends a VM of the private network while another keeps the network's lock" {
  needs_user_net
  expect 0 banger vm run $tiny k
  expect 0 banger vm run $tiny --rm brief
  for vm in k brief; do
    vmm=$(vm_field $vm .vmm.pid)
    monitor=$(monitor_of $vm)
    hold_lock "$BANGER_STATE_DIR/net.lock"
    ended_within 2 banger vm kill $vm
    same "$output" "$vm: stopped"
    gone "$vmm"
    gone "$monitor"
    let_lock_go
  done
  same "$(vm_field k '[.state, .reason] | @json')" '["stopped","killed"]'
  # Their places in the network are given back by the next command that changes anything.
  expect 0 banger vm reconcile
  expect 0 banger doctor --leaks
  same "$output" ''
  same "$(banger vm list -q)" k
  expect 0 banger vm start k

  # So does a kill after a stop that waits for the lock.
  hold_lock "$BANGER_STATE_DIR/net.lock"
  vmm=$(vm_field k .vmm.pid)
  banger vm stop k >"$root/stop" 2>&1 3>&- &
  stop=$!
  await 20 gone "$vmm"
  ended_within 2 banger vm kill k
  wait $stop
  same "$(cat "$root/stop")" 'k: stopped'
  let_lock_go
  expect 0 banger vm rm k
  nothing_left
}

@test "kill and stop end a VM that waits for the lock of the known hosts, or of the ssh config" {
  expect 0 banger vm run $tiny --net isolated h
  expect 0 banger vm stop h
  expect 0 banger ssh config --install
  for file in "$BANGER_STATE_DIR/keys/known_hosts" "$BANGER_STATE_DIR/ssh_config"; do
    : >"$file" # so that it has to be written
    hold_lock "$file.lock"
    hangs() { is_waited_for "$file.lock" && in_state h starting; }
    ends_soon kill
    ends_soon stop
    let_lock_go
  done
  # A VM that ends by itself, with --rm, waits for nobody either.
  expect 0 banger vm run $tiny --rm --net isolated brief
  hold_lock "$BANGER_STATE_DIR/keys/known_hosts.lock"
  ended_within 2 banger vm kill brief
  let_lock_go
  expect 0 banger vm start h
  expect 0 banger vm rm --force h
  nothing_left
}

@test "kill and stop end a VM whose slirp4netns never gets ready" {
  needs_user_net
  expect 0 banger vm create $tiny h
  mkdir "$root/bin"
  program "$root/bin/slirp4netns" <<SH
#!/bin/sh
case \$1 in --version | --help | -v | -h) exec $(command -v slirp4netns) "\$@" ;; esac
: >$root/hangs
exec sleep 600
SH
  before=$PATH
  PATH="$root/bin:$PATH"
  ends_soon kill
  rm "$root/hangs"
  ends_soon stop
  PATH=$before
  expect 0 banger vm start h
  expect 0 banger vm rm --force h
  nothing_left
}

@test "beside a QEMU that does not answer, a console, show and stop go on" {
  expect 0 banger vm run $tiny --net isolated q
  socket=$(dirname "$(vm_field q .vmm.api_socket)")/monitor.sock
  vmm=$(vm_field q .vmm.pid)
  kill -STOP "$vmm"
  banger net publish q own:7101:22 >"$root/publish" 2>&1 3>&- &
  publish=$!
  await 10 grep -q 'banger-net' "/proc/$publish/cmdline"
  sleep 0.3 # it has asked, and QEMU does not answer for 5 s
  # Typed bytes are taken, a verb that the monitor does not know is answered at once.
  began=$EPOCHREALTIME
  python3 - "$socket" <<'PY'
import json, os, socket, sys
os.chdir(os.path.dirname(sys.argv[1]))
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
s.connect("monitor.sock")
s.sendall(b'{"v":1,"verb":"console","data":"aGVsbG8=","timeout_ms":0}\n{"v":1,"verb":"levitate"}\n')
answer = json.loads(s.makefile().readline())
assert answer["event"] == "failed", answer
PY
  took_at_most 1 "$began"
  same "$(vm_field q .state)" running
  status=0
  wait $publish || status=$?
  same "$status" 1
  grep -q 'QEMU does not answer' "$root/publish"
  expect 0 banger vm stop --timeout 200ms q
  gone "$vmm"
  expect 0 banger vm rm q
  nothing_left
}
