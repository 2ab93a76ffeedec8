#!/usr/bin/env bats
# banger-doctor: the checks, what is left over, the backup.
load ../lib

setup() {
  private_root
  pids=()
}
teardown() {
  end "${pids[@]}"
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
# No shell any more.
works_in() { [ "$(readlink "/proc/$1/cwd")" = "$2" ] && [ "$(cat "/proc/$1/comm")" = sleep ]; }

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

# record_net HOLDER SLIRP TAPS: the state's record of its private network in $runtime/net, kept by
# these two processes, with these taps ({"ID": N}).
record_net() {
  python3 - "$BANGER_STATE_DIR/state.db" "$runtime/net" "$@" <<'PY'
import json, sqlite3, sys

def identity(pid):
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return f"{pid} {fields[19]} {open('/proc/sys/kernel/random/boot_id').read().strip()}"

db, place, holder, slirp, taps = sys.argv[1:]
with sqlite3.connect(db, timeout=10) as state:
    tag = state.execute("SELECT tag FROM identity").fetchone()[0]
    state.execute("DELETE FROM host_object")
    state.execute("INSERT OR REPLACE INTO net_place VALUES ('user', ?, '10.0.2.0/24')", (place,))
    for kind, name, vm, known_by in (
            ("holder", "user", "", identity(holder)), ("slirp", "user", "", identity(slirp)),
            ("netns", "user", "", "1"), ("tap", f"bng{tag}-up", "", ""),
            *(("tap", f"bng{tag}-{n}", vm, "") for vm, n in json.loads(taps).items())):
        state.execute("INSERT INTO host_object VALUES (?, ?, ?, 'user', ?, 1)", (kind, name, vm, known_by))
PY
}

# A line to a socket, and the line that it answers: ask SOCKET LINE
ask() {
  python3 - "$@" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].replace("\n", "").encode() + b"\n")
print(s.recv(65536).decode())
PY
}

# Of the namespace that a process is in: has_link PID NAME
has_link() { grep -q "^ *$2:" "/proc/$1/net/dev"; }

objects() { jq -r '[.object, .name, .owner // "-"] | join(" ")' <<<"$output" | sort; }

@test "every check is told, in a table and as objects" {
  "$BANGER_BUILD/tests/banger-bench" seed "$BANGER_STATE_DIR" 2 >/dev/null
  checks
  for check in kvm qemu firecracker programs e2fsprogs ssh network helper bridge mmdebstrap bundle state key space runtime files inotify confinement names; do
    grep -q "^$check " <<<"$output"
  done
  checks --json
  schema check
  same "$(jq -rs 'map(.id) | join(" ")' <<<"$output")" \
    "kvm qemu firecracker programs e2fsprogs ssh network helper bridge mmdebstrap bundle state key space runtime files inotify confinement names"
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
  same "$(jq -r 'select(.id=="ssh") | .status' <<<"$output")" warn # banger ssh speaks for itself
  jq -r 'select(.id=="qemu") | .fix' <<<"$output" | grep -q 'apt-get install qemu-system-x86$'
  same "$(jq -r 'select(.id=="bundle") | .fix' <<<"$output")" "banger bundle build"
}

@test "who may not open KVM is told what lets them: the device's own group, or its mode" {
  [ "$(id -u)" = 0 ] || skip 'a device is given to others by root'
  [ -e /dev/kvm ] || skip 'no /dev/kvm to be closed'
  # fix_of GROUP MODE: as one who is neither its owner nor in its group.
  fix_of() {
    touch "$root/kvm"
    chown "1:$1" "$root/kvm"
    chmod "$2" "$root/kvm"
    # shellcheck disable=SC2016 # for the inner shell
    unshare -m sh -c 'mount --bind "$0" /dev/kvm && exec setpriv --bounding-set=-all --inh-caps=-all \
      --regid=65534 --clear-groups banger doctor --json' "$root/kvm" | jq -r 'select(.id == "kvm") | .fix'
  }
  same "$(fix_of audio 660)" 'sudo usermod -aG audio $USER, then log in again'
  same "$(fix_of audio 640)" 'sudo chmod 666 /dev/kvm'
  same "$(fix_of root 660)" 'sudo chmod 666 /dev/kvm'
  same "$(fix_of 48612 660)" 'sudo chmod 666 /dev/kvm' # a group without a name
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

@test "a place where nothing can be written is told" {
  [ "$(id -u)" -eq 0 ] || skip 'mounts a small file system'
  told() { jq -r 'select(.id == "state" or .id == "runtime") | [.status, .found, .fix] | @json' <<<"$output"; }
  mkdir "$root/small"
  # On a file system of its own, which is read-only once all is made; `absent`: without a state.
  within_small() {
    unshare --mount bash -c 'mount -t tmpfs -o mode=755 none "$1"; mkdir -m 700 -p "$1/run/banger"
      [ "$2" = absent ] || BANGER_STATE_DIR=$1/state banger-vm create --image tiny x >/dev/null 2>&1
      mount -o remount,ro "$1"
      BANGER_STATE_DIR=$1/state XDG_RUNTIME_DIR=$1/run banger-doctor --json' - "$root/small" "$1"
  }
  for where in "$root/small" "$root/small/state"; do
    expect 5 within_small "$([ "$where" != "$root/small" ] || echo absent)"
    same "$(told)" "[\"missing\",\"nothing can be written in '$where': read-only file system\",\"set BANGER_STATE_DIR to a directory of your own\"]
[\"missing\",\"nothing can be written in '$root/small/run/banger': read-only file system\",\"set XDG_RUNTIME_DIR to a directory of your own\"]"
  done
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

@test "a stray whose name moves the cursor is shown escaped, and goes" {
  seed 1
  stray=$BANGER_STATE_DIR/keys/.$'x\e[2J\ny'.tmp
  mkdir -p "$BANGER_STATE_DIR/keys"
  touch "$stray"
  expect 1 banger-doctor --leaks
  outputs '.x\x1b[2J'
  expect 0 banger-doctor --fix
  outputs '.x\x1b[2J'
  same "$(wc -l <<<"$output")" 1
  [ ! -e "$stray" ]
}

@test "a stray of each kind is named, and --fix removes exactly those" {
  seed 2
  stray=feedfacecafe
  state=$BANGER_STATE_DIR
  # Objects that are accounted for, or not ours.
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

@test "what a writer is just making is left to it" {
  seed 1
  # It takes its time from the close to the rename, but not as long as doctor has patience.
  python3 -c '
import os, sys, time
while True:
    with open(sys.argv[1] + "/.busy.tmp", "w") as f:
        f.write("x")
    time.sleep(0.05)
    os.replace(sys.argv[1] + "/.busy.tmp", sys.argv[1] + "/busy")' "$BANGER_STATE_DIR/vms/$id" \
    >/dev/null 2>&1 3>&- &
  writer=$!
  pids+=("$writer")
  await 10 test -e "$BANGER_STATE_DIR/vms/$id/.busy.tmp"
  touch "$BANGER_STATE_DIR/.state.tmp"
  expect 1 banger-doctor --leaks --json
  same "$(objects)" "temporary $BANGER_STATE_DIR/.state.tmp -"
  expect 0 banger-doctor --fix -q
  same "$output" "$BANGER_STATE_DIR/.state.tmp"
  expect 0 banger-doctor --leaks
  kill -0 "$writer"
}

@test "in the private network's place only those work whom its record names" {
  seed 1
  mkdir "$runtime/net"
  start_in "$runtime/net"; holder=$pid
  start_in "$runtime/net"; slirp=$pid
  start_in "$runtime/net"; stray=$pid
  expect 1 banger-doctor --leaks --json
  same "$(objects)" "$(printf 'process %s (sleep) -\n' "$holder" "$slirp" "$stray" | sort
    echo "runtime $runtime/net -")"
  record_net "$holder" "$slirp" '{}'
  expect 1 banger-doctor --leaks --json
  schema leak
  same "$(objects)" "process $stray (sleep) -"
  # One that is just being started gets into the record while its starter holds the lock.
  hold "$BANGER_STATE_DIR/net.lock"
  expect 0 banger-doctor --leaks
  kill -9 "$pid"
  expect 137 wait "$pid"
  expect 0 banger-doctor --fix --json
  schema result
  expect 137 wait "$stray"
  expect 0 banger-doctor --leaks
  for process in "$holder" "$slirp"; do grep -q '^State:.[SR]' "/proc/$process/status"; done
}

@test "a tap and a forward of the private network that belong to no VM are named and removed" {
  local netns=$BANGER_BUILD/libexec/banger/banger-netns user=() port
  "$netns" try >/dev/null 2>&1 || skip "this host allows no private network"
  command -v slirp4netns >/dev/null || skip "no slirp4netns"
  seed 2
  mkdir "$runtime/net"
  # The two as the first VM's start makes them.
  python3 -c '
import os, socket, sys
os.chdir(sys.argv[2])
s = socket.socket(socket.AF_UNIX)
s.bind("holder.sock")
s.listen()
s.setblocking(False)
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.execv(sys.argv[1], [sys.argv[1], "new"])' "$netns" "$runtime/net" >/dev/null 2>&1 3>&- &
  holder=$!
  pids+=("$holder")
  await 10 test -S "$runtime/net/holder.sock"
  link() { printf '{"kind":"%s","name":"%s","master":"%s"}' "$@"; }
  same "$(ask "$runtime/net/holder.sock" "{\"v\":1,\"do\":\"apply\",\"plan\":{\"present\":[
    $(link bridge "bng-$tag" ''),$(link tap "bng$tag-1" "bng-$tag"),$(link tap "bng$tag-7" "bng-$tag")
    ],\"absent\":[],\"rules\":\"\"}}" | tr -d '\n')" '{"v":1}'
  [ "$(id -u)" = 0 ] || user=("--userns-path=/proc/$holder/ns/user")
  (cd "$runtime/net" && exec slirp4netns --disable-host-loopback --api-socket=slirp.sock \
    --netns-type=path "${user[@]}" "/proc/$holder/ns/net" "bng$tag-up" >/dev/null 2>&1 3>&-) &
  slirp=$!
  pids+=("$slirp")
  await 10 has_link "$holder" "bng$tag-up"
  # To a VM that runs, to one that does not, and to nobody.
  python3 - "$BANGER_STATE_DIR/state.db" <<'PY'
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=10) as state:
    for n, state_of_it in ((1, "running"), (2, "stopped")):
        state.execute("UPDATE vm SET net_mode = 'user', address = ?, state = ? WHERE name = ?",
                      (f"10.0.2.{3 + n}", state_of_it, f"seed-{n}"))
PY
  stopped=$(banger-vm show --json seed-2 | jq -r .id)
  for guest in 4 5 99; do
    port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    ports[guest]=$port
    ask "$runtime/net/slirp.sock" "{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"tcp\",
      \"host_addr\":\"127.0.0.1\",\"host_port\":$port,\"guest_addr\":\"10.0.2.$guest\",\"guest_port\":80}}" |
      grep -q '"return"'
  done
  record_net "$holder" "$slirp" "{\"$id\":1}"

  expect 1 banger-doctor --leaks --json
  schema leak
  same "$(objects)" "$(sort <<END
forward 127.0.0.1:${ports[5]}/tcp to 10.0.2.5:80 $stopped
forward 127.0.0.1:${ports[99]}/tcp to 10.0.2.99:80 -
tap bng$tag-7 -
END
)"
  expect 0 banger-doctor --fix --json
  schema result
  expect 0 banger-doctor --leaks
  has_link "$holder" "bng$tag-1"
  has_link "$holder" "bng$tag-up"
  expect 1 has_link "$holder" "bng$tag-7"
  same "$(ask "$runtime/net/slirp.sock" '{"execute":"list_hostfwd"}' | jq -r '.. | .guest_addr? // empty')" \
    10.0.2.4
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
  jq -r 'select(.id=="state") | .found' <<<"$output" | grep -q "tag $tag; VMs: 2, images: 1"
}

@test "options that exclude one another are a usage error" {
  expect 2 banger-doctor --backup x --leaks
  expect 2 banger-doctor --smoke --fix
  expect 2 banger-doctor --nat
  expect 2 banger-doctor --backup
  expect 2 banger-doctor something
}
