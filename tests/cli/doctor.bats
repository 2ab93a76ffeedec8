#!/usr/bin/env bats
# banger-doctor: the checks, what is left over, the backup.
load ../lib

setup() {
  private_root
  pids=()
}
teardown() {
  [ ${#pids[@]} -eq 0 ] || kill -9 "${pids[@]}" 2>/dev/null || true
  remove_private_root
}

# A state with VMs seed-1 … seed-COUNT; sets $tag, $runtime and $id (of seed-1).
seed() {
  local list
  list=$("$BANGER_BUILD/tests/banger-bench" seed "$BANGER_STATE_DIR" "$1")
  tag=$(sed -n 's/^tag //p' <<<"$list")
  id=$(sed -n 's/^seed-1 //p' <<<"$list")
  runtime=$XDG_RUNTIME_DIR/banger/$tag
  mkdir -p "$runtime" "$BANGER_STATE_DIR/vms/$id"
}

# start_in DIR: a process that works there; its pid in $pid.
start_in() {
  (cd "$1" && exec sleep 300 >/dev/null 2>&1 3>&-) &
  pid=$!
  pids+=("$pid")
  await 10 works_in "$pid" "$1"
}
works_in() { [ "$(readlink "/proc/$1/cwd")" = "$2" ]; }

# hold FILE: a process that holds a lock on it, as a monitor does; its pid in $pid.
hold() {
  python3 -c '
import fcntl, struct, sys, time
f = open(sys.argv[1], "w")
fcntl.fcntl(f, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
open(sys.argv[1] + ".held", "w")
time.sleep(300)' "$1" >/dev/null 2>&1 3>&- &
  pid=$!
  pids+=("$pid")
  await 10 test -e "$1.held"
  rm "$1.held"
}

# The checks of this machine, whatever they find: $output. 0 and 5 are both an answer.
checks() {
  status=0
  output=$(banger-doctor "$@") || status=$?
  [ "$status" = 0 ] || [ "$status" = 5 ]
}

objects() { jq -r '[.object, .name, .owner // "-"] | join(" ")' <<<"$output" | sort; }

@test "every check is told, in a table and as objects" {
  "$BANGER_BUILD/tests/banger-bench" seed "$BANGER_STATE_DIR" 2 >/dev/null
  checks
  for check in kvm qemu programs e2fsprogs ssh network mmdebstrap bundle state key space runtime files inotify; do
    grep -q "^$check " <<<"$output"
  done
  checks --json
  schema check
  same "$(jq -rs 'map(.id) | join(" ")' <<<"$output")" \
    "kvm qemu programs e2fsprogs ssh network mmdebstrap bundle state key space runtime files inotify"
  same "$(jq -r 'select(.id=="state") | .status' <<<"$output")" ok
  same "$(jq -r 'select((.status == "ok") != (.fix == null)) | .id' <<<"$output")" ""
  missing=$(jq -r 'select(.status == "missing") | .id' <<<"$output")
  same "$status" "$([ -z "$missing" ] && echo 0 || echo 5)"
}

@test "what is missing is named with the command that mends it, and the status is 5" {
  mkdir "$root/bin"
  ln -s "$BANGER_BUILD/bin/banger-doctor" "$root/bin/"
  expect 5 env PATH="$root/bin" BANGER_RUNTIME_DIR="$root/none" banger-doctor --json
  schema check
  same "$(jq -r 'select(.id=="qemu") | .status' <<<"$output")" missing
  same "$(jq -r 'select(.id=="ssh") | .status' <<<"$output")" missing
  jq -r 'select(.id=="qemu") | .fix' <<<"$output" | grep -q 'apt-get install qemu-system-x86$'
  same "$(jq -r 'select(.id=="bundle") | .fix' <<<"$output")" "banger bundle build"
}

@test "a state that may not be used is a check that fails, and stays as it is" {
  mkdir -m 755 "$BANGER_STATE_DIR"
  expect 5 banger-doctor --json
  schema check
  same "$(jq -r 'select(.id=="state") | .fix' <<<"$output")" "chmod 700 $BANGER_STATE_DIR"
  chmod 700 "$BANGER_STATE_DIR"
  echo garbage >"$BANGER_STATE_DIR/state.db"
  expect 5 banger-doctor --json
  same "$(jq -r 'select(.id=="state") | .status' <<<"$output")" missing
  jq -r 'select(.id=="state") | .fix' <<<"$output" | grep -q "mv $BANGER_STATE_DIR/state.db "
  same "$(cat "$BANGER_STATE_DIR/state.db")" garbage
}

@test "looking at a machine without a state makes none" {
  checks
  expect 0 banger-doctor --leaks
  expect 0 banger-doctor --fix
  [ ! -e "$BANGER_STATE_DIR" ]
  expect 3 banger-doctor --backup "$root/copy"
  [ ! -e "$root/copy" ]
}

@test "a clean state has no leaks" {
  seed 3
  start_in "$BANGER_STATE_DIR/vms/$id"
  expect 0 banger-doctor --leaks
  same "$output" ""
  expect 0 banger-doctor --leaks --json
  same "$output" ""
}

@test "a stray of each kind is named, and --fix removes exactly those" {
  seed 2
  stray=feedfacecafe
  state=$BANGER_STATE_DIR
  # What is accounted for, or not ours.
  mkdir -p "$runtime/$id" "$XDG_RUNTIME_DIR/banger/0000/$stray" "$state/keys"
  start_in "$runtime/$id"; kept=("$pid")
  start_in "$XDG_RUNTIME_DIR/banger/0000/$stray"; kept+=("$pid")
  hold "$state/vms/$id/run.lock"; kept+=("$pid")
  hold "$state/keys/.busy.tmp"; kept+=("$pid")
  touch "$state/vms/$id/root.img"
  # Strays.
  mkdir -p "$runtime/$stray" "$runtime/aaaaaaaaaaaa" "$state/vms/$stray" "$state/images/$stray"
  echo disk >"$state/vms/$stray/root.img"
  tail -f "$state/vms/$stray/root.img" >/dev/null 2>&1 3>&- &
  pids+=("$!"); kept+=("$!") # somebody who looks at a file is no stray
  start_in "$runtime/$stray"; worker=$pid
  hold "$state/vms/$stray/run.lock"; monitor=$pid
  touch "$state/keys/.known_hosts.tmp" "$state/vms/$id/.seed.tmp" "$state/.state.tmp"

  expect 1 banger-doctor --leaks --json
  schema leak
  wanted=$(sort <<END
process $worker (sleep) $stray
process $monitor (python3) $stray
runtime $runtime/$stray $stray
runtime $runtime/aaaaaaaaaaaa aaaaaaaaaaaa
vm $state/vms/$stray $stray
image $state/images/$stray $stray
temporary $state/keys/.known_hosts.tmp -
temporary $state/vms/$id/.seed.tmp $id
temporary $state/.state.tmp -
END
)
  same "$(objects)" "$wanted"
  expect 1 banger-doctor --leaks
  outputs "OBJECT"
  outputs "$runtime/$stray"

  expect 0 banger-doctor --fix --json
  schema result
  same "$(jq -s 'map(select(.ok and .verb == "fix")) | length' <<<"$output")" 9
  expect 0 banger-doctor --leaks
  for path in "$runtime/$stray" "$runtime/aaaaaaaaaaaa" "$state/vms/$stray" "$state/images/$stray" \
    "$state/keys/.known_hosts.tmp" "$state/vms/$id/.seed.tmp" "$state/.state.tmp"; do
    [ ! -e "$path" ]
  done
  for path in "$runtime/$id" "$XDG_RUNTIME_DIR/banger/0000/$stray" "$state/vms/$id/root.img" \
    "$state/vms/$id/run.lock" "$state/keys/.busy.tmp" "$state/state.db"; do
    [ -e "$path" ]
  done
  for process in "${kept[@]}"; do grep -q '^State:.[SR]' "/proc/$process/status"; done
  expect 137 wait "$worker"
  expect 137 wait "$monitor"
}

@test "a process whose runtime directory was removed is still found" {
  seed 1
  mkdir "$runtime/feedfacecafe"
  start_in "$runtime/feedfacecafe"
  rmdir "$runtime/feedfacecafe"
  expect 1 banger-doctor --leaks --json
  same "$(objects)" "process $pid (sleep) feedfacecafe"
}

@test "a helper of ours that works for no VM is a stray, whatever it holds" {
  seed 1
  mkdir -p "$root/bin" "$root/libexec/banger" "$BANGER_STATE_DIR/vms/feedfacecafe"
  cp "$BANGER_BUILD/bin/banger-doctor" "$root/bin/"
  cp "$(command -v sleep)" "$root/libexec/banger/banger-guest"
  "$root/libexec/banger/banger-guest" 300 2>"$BANGER_STATE_DIR/vms/feedfacecafe/vmm.log" >/dev/null 3>&- &
  pids+=("$!")
  pid=$!
  await 10 grep -q '^Name:.banger-guest' "/proc/$pid/status"
  expect 1 "$root/bin/banger-doctor" --leaks --json
  same "$(objects)" "process $pid (banger-guest) feedfacecafe
vm $BANGER_STATE_DIR/vms/feedfacecafe feedfacecafe"
  expect 1 banger-doctor --leaks --json
  same "$(objects)" "vm $BANGER_STATE_DIR/vms/feedfacecafe feedfacecafe"
}

@test "another state with the same tag keeps what is its own" {
  seed 1
  mkdir "$runtime/feedfacecafe"
  ln -s "$root/other/vms/feedfacecafe/root.img" "$runtime/feedfacecafe/root"
  start_in "$runtime/feedfacecafe"
  expect 0 banger-doctor --leaks
  rm "$runtime/feedfacecafe/root"
  ln -s "$BANGER_STATE_DIR/vms/feedfacecafe/root.img" "$runtime/feedfacecafe/root"
  expect 1 banger-doctor --leaks
}

@test "disks older than the state file are named, and left alone" {
  mkdir -m 700 "$BANGER_STATE_DIR"
  mkdir -p "$BANGER_STATE_DIR/vms/feedfacecafe"
  echo precious >"$BANGER_STATE_DIR/vms/feedfacecafe/root.img"
  expect 1 banger-doctor --leaks
  expect 4 banger-doctor --fix
  errors "there is no state file"
  "$BANGER_BUILD/tests/banger-bench" seed "$BANGER_STATE_DIR" 1 >/dev/null
  expect 1 banger-doctor --leaks
  expect 4 banger-doctor --fix
  errors "older than this state"
  errors "hint: if no state file needs it: rm -r $BANGER_STATE_DIR/vms/feedfacecafe"
  same "$(cat "$BANGER_STATE_DIR/vms/feedfacecafe/root.img")" precious
}

@test "a stray that cannot be removed does not stop the others" {
  seed 1
  mkdir -p "$BANGER_STATE_DIR/vms/feedfacecafe" "$BANGER_STATE_DIR/images/feedfacecafe"
  touch -d '2001-01-01' "$BANGER_STATE_DIR/vms/feedfacecafe"
  expect 4 banger-doctor --fix --json
  same "$(jq -r '"\(.name) \(.ok)"' <<<"$output")" \
    "$BANGER_STATE_DIR/vms/feedfacecafe false
$BANGER_STATE_DIR/images/feedfacecafe true"
  [ -d "$BANGER_STATE_DIR/vms/feedfacecafe" ]
  [ ! -e "$BANGER_STATE_DIR/images/feedfacecafe" ]
}

@test "a symbolic link among the strays is removed, not what it leads to" {
  seed 1
  mkdir "$root/precious"
  touch "$root/precious/file"
  ln -s "$root/precious" "$BANGER_STATE_DIR/vms/feedfacecafe"
  touch -h -d 'tomorrow' "$BANGER_STATE_DIR/vms/feedfacecafe"
  expect 0 banger-doctor --fix
  [ -e "$root/precious/file" ]
  [ ! -L "$BANGER_STATE_DIR/vms/feedfacecafe" ]
}

@test "a backup is a state file of its own" {
  seed 2
  cd "$root"
  expect 0 banger-doctor --backup copy.db --json
  schema result
  same "$(field .verb) $(field .name) $(field .ok)" "backup copy.db true"
  same "$(stat -c %a copy.db)" 600
  expect 4 banger-doctor --backup copy.db
  expect 1 banger-doctor --backup nowhere/copy.db
  mkdir -m 700 restored
  cp copy.db restored/state.db
  checks --state-dir "$root/restored" --json
  jq -r 'select(.id=="state") | .found' <<<"$output" | grep -q "tag $tag, 2 VMs, 1 images"
}

@test "options that exclude one another are a usage error" {
  expect 2 banger-doctor --backup x --leaks
  expect 2 banger-doctor --backup
  expect 2 banger-doctor something
}
