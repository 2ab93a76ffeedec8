#!/usr/bin/env bats
# Which VMs a verb is about, and what several get; what needs no VM that runs.
# bats file_tags=once
load ../lib

setup() { private_root; }
teardown() { remove_private_root; }

made() { expect 0 banger vm create --image tiny --memory 128M "$@"; }

sorted() { same "$(sort <<<"$output")" "$1"; }

@test "no VM selected is a usage error for verbs that act, all VMs for list" {
  for verb in start stop kill restart rm wait show 'set --cpus 2'; do
    # shellcheck disable=SC2086
    expect 2 banger vm $verb
    errors 'no VM given'
    errors --all
  done
  expect 0 banger vm list
  expect 0 banger vm stats
  [ ! -e "$BANGER_STATE_DIR" ]
}

@test "a selection of nothing is done at once, and says nothing" {
  made a
  for verb in start stop kill restart rm wait show list stats 'set --cpus 2'; do
    # shellcheck disable=SC2086
    expect 0 banger vm $verb --json --state paused
    same "$output$stderr" ''
    # shellcheck disable=SC2086
    expect 0 sh -c "banger vm $verb - </dev/null"
    same "$output" ''
  done
  expect 0 banger vm stop --all # none runs
  same "$output" ''
  expect 2 banger vm rm --all a
  errors 'do not go together'
  same "$(banger vm list -q)" a
}

@test "names, prefixes, labels, states and standard input select; a VM named twice is taken once" {
  made --label job=42 --label x=1 a
  made --label job=42 b
  made c
  id=$(banger vm show --json c | jq -r .id)
  expect 0 banger vm list -q --label job=42
  same "$output" $'a\nb'
  expect 0 banger vm list -q --label job=42 --label x=1
  same "$output" a
  expect 0 banger vm list -q --label x=1 --label x=2
  same "$output" ''
  expect 0 banger vm list -q c a
  same "$output" $'c\na'
  expect 0 banger vm show --json c "${id:0:5}" "$id"
  same "$(field .name)" c
  expect 0 banger vm list -q --state stopped --state failed
  same "$output" $'a\nb\nc'
  # Names are narrowed by the others.
  expect 0 banger vm list -q --label job=42 a c
  same "$output" a
  expect 0 sh -c 'banger vm list --json --label job=42 | banger vm rm -q -'
  sorted $'a\nb'
  expect 0 banger vm rm --json "${id:0:4}"
  schema result
  same "$(field .name)" c
}

@test "each gets its own result; one bad name stops no other, and failures that differ give 7" {
  made a b c d
  expect 0 banger vm list -q
  same "$output" $'a\nb\nc\nd'
  expect 3 banger vm rm -j 3 a nobody b neither
  sorted $'a: removed\nb: removed'
  errors nobody
  errors neither
  expect 7 banger vm set --work-disk 1G c nobody # one has none (4), one is not there (3)
  expect 4 banger vm set --work-disk 1G c d
  expect 7 banger vm set --json --work-disk 1G c nobody
  same "$(jq -r '[.name, .ok, .error.code] | join(" ")' <<<"$output" | sort)" \
    $'c false conflict\nnobody false not_found'
  expect 0 banger vm rm --all -j 1
  same "$output" $'c: removed\nd: removed'
  expect 2 banger vm rm -j 0 x
  expect 2 banger vm rm -j many x
}

@test "what was so already is success, and nothing has changed" {
  made --label a=b c
  for verb in stop kill; do
    expect 0 banger vm $verb c
    same "$output" 'c: stopped'
    errors "'c' did not run"
    expect 0 banger vm $verb --json c
    schema result
    same "$(field '[.verb, .ok, .changed, .state] | join(" ")')" "$verb true false stopped"
    same "$stderr" ''
  done
  expect 0 banger vm stop -q c
  same "$output" c
  same "$stderr" ''
  expect 3 banger vm stop --json nobody
  schema result
  same "$(field '[.ok, .changed] | join(" ")')" 'false false'
  expect 0 banger vm set c --cpus 1 --memory 128M --label a=b --unlabel nothing
  same "$output" 'c: unchanged'
  errors "'c' was so already"
  same "$(banger vm events --json c | jq -r .type)" vm.created
  expect 0 banger vm set c --cpus 2 --json
  same "$(field .changed)" true
  expect 0 banger vm set c --label a=c
  same "$output" 'c: changed'
  expect 0 banger vm reset --json c
  same "$(field '[.changed, .state] | join(" ")')" 'true stopped'
  expect 0 banger vm create --image tiny --atomic x y
  same "$output" $'x: created\ny: created'
}

@test "one whose directory somebody removed is what its row says, and goes" {
  expect 0 banger vm create --image tiny --memory 128M a b
  rm -r "$BANGER_STATE_DIR/vms"
  expect 0 banger vm stop a
  same "$output" 'a: stopped'
  expect 0 banger vm kill a
  expect 0 banger vm set a --label k=v
  echo x >"$BANGER_STATE_DIR/vms/$(banger vm show --json b | jq -r .id)"
  expect 0 banger vm stop b
  expect 5 banger vm start a
  errors 'is not there'
  expect 0 banger vm rm a b
  expect 0 banger doctor --leaks
  same "$output" ''
}

@test "--count makes numbered VMs, the next free numbers if some are there" {
  made --count 3 web-
  sorted $'web-1: created\nweb-2: created\nweb-3: created'
  expect 0 banger vm rm web-2
  made -q --count 2 web-
  sorted $'web-2\nweb-4'
  made --dry-run -q --count 1 web-
  same "$output" web-5
  expect 2 banger vm create --image tiny --count 2 a- b-
  expect 2 banger vm create --image tiny --count 0 a-
  expect 2 banger vm create --image tiny --count 2 A-
  expect 2 banger vm create --image tiny --count 1000 "$(printf 'a%.0s' $(seq 61))"
  same "$(banger vm list -q)" $'web-1\nweb-2\nweb-3\nweb-4'
}

@test "two that count at once take different numbers" {
  made first # the image is there then
  for i in 1 2 3; do
    banger vm create --image tiny --memory 128M -q --count 4 n- >"$root/$i" 2>"$root/$i.err" &
    pids[i]=$!
  done
  for i in 1 2 3; do wait "${pids[i]}" || { cat "$root/$i.err"; false; }; done
  same "$(cat "$root"/[123] | sort -V | xargs)" "$(printf 'n-%s ' {1..12} | xargs)"
}

@test "--atomic: all or none" {
  made c
  expect 4 banger vm create --image tiny --memory 128M --atomic a b c
  errors "a VM of that name exists"
  same "$(banger vm list -q)" c
  same "$(ls "$BANGER_STATE_DIR/vms" | wc -l)" 1
  made -q --atomic a b
  same "$output" $'a\nb'
}

@test "--atomic: killed at each point it passes, none is left" {
  banger vm failpoints >/dev/null 2>&1 || skip 'this build has no failpoints'
  made first
  BANGER_FAILPOINT_TRACE=$root/trace expect 0 banger vm create --image tiny --memory 128M --atomic a b
  expect 0 banger vm rm a b
  declare -A seen=()
  while read -r name; do
    seen[$name]=$((${seen[$name]:-0} + 1))
    BANGER_FAILPOINT="$name#${seen[$name]}:kill" expect 137 \
      banger vm create --image tiny --memory 128M --atomic a b
    expect 0 banger vm reconcile
    names=$(banger vm list -q | xargs)
    [ "$names" = first ] || [ "$names" = 'a b first' ] || { echo "$name: $names"; false; }
    if [ "$names" != first ]; then expect 0 banger vm rm a b; fi
  done <"$root/trace"
  [ "${#seen[@]}" -gt 2 ]
}

@test "set changes what a stopped VM is" {
  made --label a=1 v
  expect 0 banger vm set v --cpus 3 --memory 256M --disk 300M --label b=2 --unlabel a --unlabel z
  expect 0 banger vm show --json v
  schema vm
  same "$(jq -c '[.cpus, .memory, .root.size, .labels]' <<<"$output")" \
    '[3,268435456,314572800,{"b":"2"}]'
  # A change that cannot be made changes nothing, not even the rest of it.
  expect 2 banger vm set v --cpus 1 --memory 1M
  expect 2 banger vm set v --cpus 1 --disk 1M
  expect 4 banger vm set v --cpus 1 --work-disk 1G
  expect 2 banger vm set v --label nokey
  expect 2 banger vm set v
  errors 'nothing to change'
  same "$(banger vm show --json v | jq .cpus)" 3
  made w
  expect 0 banger vm set --all --label c=3
  same "$(banger vm list -q --label c=3)" $'v\nw'
}

@test "set changes the disk and the machine in one piece" {
  banger vm failpoints >/dev/null 2>&1 || skip 'this build has no failpoints'
  made v
  # Here it would wait, if it let go of the VM once the disk has grown and then took it anew.
  BANGER_FAILPOINT=sys.create#3:sleep=3000 banger vm set v --disk 300M --cpus 3 \
    >"$root/set" 2>&1 3>&- &
  setter=$!
  await 10 has_event v vm.grown
  expect 0 banger vm rm v
  expect 0 wait $setter
  same "$(cat "$root/set")" 'v: changed'
  same "$(banger vm events --json v | jq -r .type | xargs)" \
    'vm.created vm.grown vm.changed vm.removed'
}
has_event() { banger vm events --json "$1" | jq -r .type | grep -qx "$2"; }

@test "events: each once and in order, of one VM or of all, of those that are gone too" {
  made a
  made b
  expect 0 banger vm rm a
  expect 0 banger vm events --json
  schema event
  same "$(jq -r '[.vm, .type] | join(" ")' <<<"$output" | grep '^[ab] ')" \
    $'a vm.created\nb vm.created\na vm.removed'
  expect 0 banger vm events --json a
  same "$(jq -r .type <<<"$output")" $'vm.created\nvm.removed'
  expect 0 banger vm events -n 1 a
  outputs vm.removed
  expect 0 banger vm events -n 0
  same "$output" ''
  expect 3 banger vm events nobody
}

@test "events --follow misses none and repeats none, from before there is a state" {
  banger vm events --follow --json >"$root/events" 3>&- &
  follower=$!
  made a
  for i in 1 2 3; do
    banger vm create --image tiny --memory 128M --count 5 "n$i-" >/dev/null &
    pids[i]=$!
  done
  wait "${pids[@]}"
  expect 0 banger vm rm --all
  await 10 has_events 32
  kill $follower
  banger vm events --json >"$root/all"
  same "$(cat "$root/events")" "$(cat "$root/all")"
  same "$(jq -r .vm "$root/events" | grep -c '^n[1-3]-')" 30
}
has_events() { [ "$(grep -c '"vm\.' "$root/events")" -eq "$1" ]; }

@test "events --follow ends when nobody reads it" {
  made a
  expect 0 timeout 10 bash -c 'banger vm events --follow | head -n 1 >/dev/null'
}

@test "what follows goes on where nothing can come in, and ends with its reader" {
  made a
  for verb in 'events --follow' 'list --watch --interval 100ms' \
    'stats --all --watch --interval 100ms'; do
    # As the standard output of a service is connected to the journal.
    # shellcheck disable=SC2086
    python3 - banger vm $verb <<'PY'
import signal, socket, subprocess, sys
ours, theirs = socket.socketpair()
theirs.shutdown(socket.SHUT_RD)
ours.shutdown(socket.SHUT_WR)
ours.settimeout(20)
follower = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=theirs)
theirs.close()
assert ours.recv(65536)
try:
    sys.exit(f"{sys.argv[1:]} ended with {follower.wait(1)}")
except subprocess.TimeoutExpired:
    pass
ours.close()
assert follower.wait(20) in (0, -signal.SIGPIPE)
PY
  done
}

# It has looked: it waits for the next change.
watches() { [ "$(cut -d' ' -f3 "/proc/$1/stat")" = S ] && readlink "/proc/$1/fd/"* | grep -q inotify; }

@test "wait: what is so already, what is not there, and time" {
  made a
  expect 0 banger vm wait --for stopped --json a
  schema result
  expect 3 banger vm wait nobody
  expect 6 banger vm wait --for ready --timeout 100ms a
  errors 'still stopped'
  expect 7 banger vm wait --timeout 100ms a nobody
  banger vm wait --timeout 60s a 2>"$root/err" 3>&- &
  waiter=$!
  await 10 watches "$waiter"
  expect 0 banger vm rm a
  expect 3 wait "$waiter"
  grep -q 'was removed' "$root/err"
}

@test "preflight names all that is missing at once, each with what mends it" {
  made a
  expect 0 banger vm preflight --json a
  schema check
  same "$(jq -r 'select(.status == "missing")' <<<"$output")" ''
  rm -f "$BANGER_STATE_DIR/vms/"*/root.img "$BANGER_STATE_DIR/vms/"*/upper.img
  mkdir "$BANGER_STATE_DIR/keys"
  touch "$BANGER_STATE_DIR/keys/id_ed25519"
  chmod 644 "$BANGER_STATE_DIR/keys/id_ed25519"
  export BANGER_QEMU_BINARY=no-such-vmm BANGER_RUNTIME_DIR=$root/none
  for verb in preflight start; do
    expect 5 banger vm $verb a
  done
  errors "no 'no-such-vmm'"
  errors 'no runtime bundle'
  errors 'others can read the ssh key'
  errors 'is not there'
  errors 'banger bundle build'
  errors 'chmod 600'
  (ulimit -n 40 && expect 5 banger vm preflight --json && grep -q 'ulimit -n' <<<"$output")
  expect 5 banger vm preflight --memory 8T
  outputs 'fix: give it less'
  expect 3 banger vm preflight nobody
  expect 2 banger vm preflight --memory 1G a
  unset BANGER_RUNTIME_DIR
  expect 5 banger vm preflight --json --image no-such-image
  same "$(jq -r 'select(.id == "image") | .status' <<<"$output")" missing
  expect 5 banger vm preflight --json --image tiny # the VMM is not there still
  same "$(jq -r 'select(.id == "image") | .status' <<<"$output")" ok
}

@test "reconcile tells what it found and did" {
  banger vm failpoints >/dev/null 2>&1 || skip 'this build has no failpoints'
  made first
  BANGER_FAILPOINT=state.commit#2:kill expect 137 banger vm create --image tiny x
  expect 0 banger vm reconcile --json
  schema reconciled
  same "$(jq -r '[.name, .found, .done, .state] | join(", ")' <<<"$output")" \
    'x, creating, interrupted, removed what was left, '
  expect 0 banger vm reconcile
  same "$output" ''
  errors 'in order'
}

@test "a VM that nobody named and another command removes meanwhile is no failure" {
  banger vm failpoints >/dev/null 2>&1 || skip 'this build has no failpoints'
  made --count 6 n-
  BANGER_FAILPOINT=sys.unlink#2:sleep=1500 banger vm rm --all -j 1 --json >"$root/first" 2>&1 3>&- &
  first=$!
  await 10 is_removing
  banger vm set --all -j 1 --cpus 2 --json >"$root/set" 2>&1 3>&- &
  set=$!
  expect 0 banger vm rm --all --json
  same "$(jq -r .state <<<"$output" | sort -u)" removed
  schema result
  same "$(banger vm list -q)" '' # nothing is left when it returns
  # Each was removed once.
  wait "$first"
  same "$(jq -s 'map(select(.changed)) | length' - "$root/first" <<<"$output")" 6
  wait "$set"
  # By its name it is missed.
  expect 3 banger vm rm n-1
}
is_removing() { [ "$(banger vm list --json | jq -r '.state' | grep -c removing)" -ge 1 ]; }
