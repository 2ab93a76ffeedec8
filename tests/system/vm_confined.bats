#!/usr/bin/env bats
# What a VMM that a guest has taken over could reach of its host: a planted one tries, and then becomes
# the real one.
load ../lib
load vm

setup() {
  vm_root
  export BANGER_QEMU_BINARY=$root/own/bin/vmm
  expect 0 banger vm create $tiny --net isolated other
  mkdir -p "$root/own/bin" "$root/own/share/qemu"
  # Beside a program that is not the system's it has its data: what it needs to try.
  cp "$BANGER_BUILD/tests/banger-test-escape" "$root/own/share/qemu/try"
  # A user has sockets: of his agent, of his bus. One is root's, where the tests are root's.
  listen "$root/agent.sock" "@bng-$BATS_TEST_NUMBER-$$"
  shm=$(ipcmk -M 4096 | grep -oE '[0-9]+$')
  # Its answers go to its own log.
  cat >"$root/own/bin/vmm" <<END
#!/bin/bash
case \$1 in -*version) exec qemu-system-x86_64 "\$@" ;; esac
try() { if (eval "\$2") >/dev/null 2>&1; then echo "\$1: yes"; else echo "\$1: no"; fi; }
# Its monitor, and commands after it, go by the names there.
try 'its own directory' 'echo x >new || mkdir new || rm kernel || ln -sfn "$root/secret" upper || mv root x'
try 'its disk' 'head -c 1 upper && : >>upper'
try 'its kernel' 'head -c 1 kernel'
try 'its kernel, to write' ': >>kernel'
try 'its image, to write' ': >>root'
try 'the key of the state' 'cat "$BANGER_STATE_DIR/keys/id_ed25519"'
try 'the state' 'cat "$BANGER_STATE_DIR/state.db"'
try 'its host key' 'cat "$BANGER_STATE_DIR"/vms/*/host_key'
try 'the disk of another VM' 'cat "$(disk_of other upper.img)"'
try 'to list the VMs' '[ -n "\$(ls "$BANGER_STATE_DIR/vms")" ] && ls "$BANGER_STATE_DIR"/vms/*/host_key'
try 'a file of its user' 'cat "$root/secret"'
try 'a new file' 'echo x >"$root/new"'
try 'the list of users' 'cat /etc/passwd'
try 'another process' 'cat /proc/$$/environ'
try 'to list processes' 'ls /proc/$$'
try 'a raw disk' ': >>/dev/loop0'
try 'to run what it writes' 'cp /usr/bin/true own && ./own'
try 'a file of any length' 'truncate -s 4T console && truncate -s 0 console'
"$root/own/share/qemu/try" $$ $shm "$root/agent.sock" "@bng-$BATS_TEST_NUMBER-$$"
exec qemu-system-x86_64 "\$@"
END
  chmod +x "$root/own/bin/vmm"
  echo secret >"$root/secret"
}

teardown() {
  [ -z "${shm:-}" ] || ipcrm -m "$shm"
  end ${listener:-} ${apart:-}
  remove_vms
  end ${pid:-} ${first:-}
}

# listen PORTAL…: takes connections there until the test has ended.
listen() {
  python3 -c '
import socket, sys, time
open_ = []
for portal in sys.argv[1:]:
    s = socket.socket(socket.AF_UNIX)
    s.bind(portal.replace("@", "\0", 1) if portal[0] == "@" else portal)
    s.listen(9)
    open_.append(s)
open(sys.argv[1] + ".there", "w").close()
time.sleep(100000)' "$@" 3>&- &
  listener=$!
  await 10 test -e "$1.there"
}

has_landlock() {
  python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 6)'
}

tried() { banger vm logs --log vmm x | grep -E ': (yes|no)$'; }

# reached COUNT NAME…: of COUNT tries those named succeeded, and no other.
reached() {
  local count=$1
  shift
  same "$(tried | grep ': yes$')" "$(printf '%s: yes\n' "$@")"
  same "$(tried | grep -c .)" "$count"
}

own=('its disk' 'its kernel')
tries=38

@test "a VMM reaches its VM's files, and nothing else of its host" {
  local net
  for net in isolated user; do
    expect 0 banger vm run $tiny --net $net --work-disk 16M x
    reached $tries "${own[@]}"
    banger vm show --json x | jq -r .vmm.confinement | grep -qE '^namespaces(, landlock [0-9]+)?$'
    banger vm show x | grep -q '^confined  *to its own files, by namespaces'
    pid=$(vm_field x .vmm.pid)
    # It has no right on its host, but root's own network the one to bind the port of ssh.
    grep -q '^NoNewPrivs:.1' "/proc/$pid/status"
    [ $((0x$(sed -n 's/^CapBnd:.//p' "/proc/$pid/status") & ~0x400 & -($(id -u) == 0))) -eq 0 ]
    # Whose it is can still be told by its directory.
    same "$(stat -L -c %d:%i "/proc/$pid/cwd")" "$(stat -c %d:%i "$(runtime_of x)")"
    banger vm stats --json x | holds '.memory.pss > 10000000 and .cpu.seconds > 0'
    # A process with mounts of its own may stand in another directory of that name: it is none of the VM's.
    stand_apart "$(runtime_of x)"
    # The guest has all that it had: both disks, ssh, its console, a published port.
    expect 0 banger ssh x -- 'echo x >/root/f && echo x >/etc/f && sync && reboot' || true
    await 60 banger ssh x -- test -e /etc/f
    # Without both it is for the next verb to find what still stands there.
    kill_monitor x "$(vm_field x .vmm.pid)"
    expect 0 banger vm rm --force x
    if gone "$apart"; then false; fi
    kill "$apart"
  done
  [ ! -e "$root/new" ]
}

stand_apart() {
  local user=()
  [ "$(id -u)" -eq 0 ] || user=(-Ur)
  # shellcheck disable=SC2016 # for the inner shell
  unshare -m "${user[@]}" sh -c 'mount -t tmpfs none "$0" && cd "$0" && exec sleep 100000' "$1" 3>&- &
  apart=$!
  stands_there() { [ "$(readlink "/proc/$apart/cwd") $(cat "/proc/$apart/comm")" = "$1 sleep" ]; }
  await 10 stands_there "$1"
}

# The first process of a VM's cell, which is named by what it was told.
first_of() { pgrep -f "^[^ ]*banger-enter .*$(runtime_of "$1") "; }

@test "a cell ends with its VMM, and a VMM with its cell, whoever is killed; nothing of it stays" {
  local victim
  for victim in vmm first adopted; do
    expect 0 banger vm run $tiny --net isolated x
    pid=$(vm_field x .vmm.pid) first=$(first_of x)
    [ "$first" -gt 0 ]
    if [ $victim = adopted ]; then
      kill_monitor x
      expect 0 banger vm reconcile
    fi
    if [ $victim != first ]; then
      # Its monitor goes on when all that was in there has ended.
      kill -STOP "$first"
      kill -9 "$pid"
      sleep 0.5
      in_state x running
      # Without a monitor it is ended with its VM.
      [ $victim = vmm ] || break
      kill -CONT "$first"
    else
      kill -9 "$first"
    fi
    await 10 in_state x failed
    same "$(vm_field x .reason | grep -o 'signal 9')" 'signal 9'
    await 10 gone "$first"
    gone "$pid"
    expect 0 banger vm rm x
  done
  kill_monitor x
  expect 0 banger vm rm --force x
  gone "$first"
  expect 0 banger vm rm other
  nothing_left
}

# A VMM that is not where it was put, and one beside it that says it were the first of another VM's.
hider() {
  cat >"$root/own/bin/vmm" <<END
#!/bin/bash
case \$1 in -*version) exec qemu-system-x86_64 "\$@" ;; esac
dir=\${PWD%/*}/0123456789ab
cd /
"$root/own/share/qemu/try" --cell "\$dir" x &
exec sleep 100000
END
}

stands_away() { [ "$(cat "/proc/$1/comm")" = sleep ]; }
pretend() {
  local pid count=0
  for pid in $(pgrep -f "^$root/own/share/qemu/try --cell "); do
    [ "$(cat "/proc/$pid/comm")" != banger-cell ] || ((++count))
  done
  [ $count -eq "$1" ]
}

in_db() {
  python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA foreign_keys = ON")
db.execute(sys.argv[2])
db.commit()' "$BANGER_STATE_DIR/state.db" "$1"
}

@test "a VMM that leaves its directory is found as its VM's, and nobody else for what it says" {
  local dir
  hider
  expect 0 banger vm run --no-wait $tiny --net isolated x
  pid=$(vm_field x .vmm.pid) first=$(first_of x) dir=$(runtime_of x) id=$(vm_field x .id)
  await 10 stands_away "$pid"
  # Of a cell's first process all but the place in its namespace can be made up, in there and outside.
  unshare -Urpf --kill-child sh -c '"$0" --cell "$1" x & wait' "$root/own/share/qemu/try" "${dir%/*}/0123456789ab" 3>&- &
  apart=$!
  await 10 pretend 2
  expect 0 banger doctor --leaks
  kill_monitor x
  in_db "DELETE FROM vm WHERE name = 'x'"
  expect 1 banger doctor --leaks --json
  same "$(jq -r 'select(.object == "process") | "\(.name) \(.owner)"' <<<"$output")" "$first (banger-cell) $id"
  expect 0 banger doctor --leaks --fix
  gone "$first"
  gone "$pid"
  pretend 1
  end "$apart"
  # One of which its monitor could not tell any more before it was killed.
  expect 0 banger vm run --no-wait $tiny --net isolated y
  pid=$(vm_field y .vmm.pid) first=$(first_of y)
  await 10 stands_away "$pid"
  kill_monitor y
  in_db "UPDATE vm_run SET vmm_pid = 0, vmm_start_time = 0, vmm_boot_id = ''"
  expect 0 banger vm reconcile
  gone "$first"
  gone "$pid"
  expect 0 banger vm rm y other
  nothing_left
}


runtime_of() { dirname "$(vm_field "$1" .vmm.api_socket)"; }

# As the user of a host that allows no process namespaces: nothing outside of its namespace is changed.
without_namespaces() {
  unshare -U --map-user="$(id -u)" --map-group="$(id -g)" --keep-caps -- sh -c '
    echo 0 >/proc/sys/user/max_pid_namespaces
    exec setpriv --inh-caps=-all --ambient-caps=-all "$@"' sh "$@"
}

@test "where the host allows no namespaces Landlock is left, and show and the log say so" {
  has_landlock || skip 'this kernel has no Landlock'
  # The port of ssh below 1024 is not root's there.
  [ "$(id -u)" -ne 0 ] || skip 'root of a namespace is no plain user'
  expect 0 without_namespaces banger vm run $tiny --net isolated x
  # What Landlock does not cover: a socket that lies in a directory, and to see that there are others.
  tried | grep -qx 'the socket agent.sock: yes'
  for what in 'the key of the state' 'the disk of another VM' 'a file of its user' 'a new file' 'to trace a process' \
    'a file of any length' 'the socket @' 'a namespace of its own' 'to mount' 'a device'; do
    tried | grep -qx "$what: no" || { tried && false; }
  done
  vm_field x .vmm.confinement | grep -qE '^landlock [0-9]+$'
  banger vm logs --log vmm x | grep -q 'no root directory of its own for the VMM: cannot make namespaces'
  for what in "$(banger vm show x | grep '^confined ')" "$(banger vm logs --log vmm x | grep 'what is left')"; do
    same "${what#*landlock }" "$(vm_field x .vmm.confinement | cut -d' ' -f2); open to it: sockets in directories, a look at processes"
  done
  expect 0 without_namespaces banger vm stop x
}

@test "without it the same VMM reaches all that its user does, and show says so" {
  BANGER_VM_CONFINED=false expect 0 banger vm run $tiny --net isolated x
  for what in 'the key of the state' 'its host key' 'the disk of another VM' 'a file of its user' \
    'a new file' 'a file of any length' 'the list of users' 'another process' 'to list processes' 'to run what it writes' \
    'a process by its number' 'any other process' 'to trace a process' 'the root of a process' 'shared memory' \
    'the socket agent.sock' 'the socket @' 'its monitor' "a child of its starter's" \
    'a namespace of its own' 'to mount in a namespace' 'a device'; do
    tried | grep -qx "$what: yes" || { tried && false; }
  done
  [ "$(id -u)" -ne 0 ] || for what in 'to mount' 'to leave by chroot' 'a new device' \
    'the kernel'\''s settings' 'a raw disk' 'the namespaces of a process' 'to list the VMs'; do
    tried | grep -qx "$what: yes" || { tried && false; }
  done
  BANGER_VM_CONFINED=false expect 0 banger vm run $tiny --net user y
  banger vm logs --log vmm y | grep -qx 'its way out: yes'
  same "$(vm_field x .vmm.confinement)" null
  banger vm show x | grep -q '^confined  *no$'
}

@test "a file that its VMM may not open is named by its path" {
  export BANGER_QEMU_BINARY=qemu-system-x86_64
  # Root's VMM has no more right to it than a user's, of whom a disk is opened before.
  chmod 0 "$(disk_of other upper.img)"
  expect 1 banger vm start other
  if [ "$(id -u)" -eq 0 ]; then
    errors "owner and mode of '$(disk_of other upper.img)' keep the VMM from it"
    errors "Could not open 'upper': Permission denied"
  else
    errors "cannot open '$(disk_of other upper.img)': permission denied"
  fi
  chmod 600 "$(disk_of other upper.img)"
  expect 0 banger vm start --no-wait other
}

# What a VMM without walls could put into its directory, as one of a build before could, and one that is
# confined by nothing.
plant() {
  local dir name
  dir=$(runtime_of x)
  for name in upper root kernel console "$@"; do ln -sfn "$root/victim/file" "$dir/$name"; done
  mkdir -p "$dir/.kernel.tmp"
  ln -sfn "$root/victim" "$dir/saved"
}

victims() {
  mkdir -p "$root/victim"
  head -c 65536 /dev/urandom >"$root/victim/file"
  before=$(sha256sum <"$root/victim/file")
}

unharmed() {
  same "$(sha256sum <"$root/victim/file")" "$before"
  same "$(ls -A "$root/victim")" file
}

has_another() {
  local now
  now=$(vm_field x '.vmm.pid // empty')
  [ -n "$now" ] && [ "$now" != "$1" ]
}

@test "what a VMM has put into its directory leads the next one nowhere, whichever monitor starts it" {
  local boot dir name
  export BANGER_QEMU_BINARY=qemu-system-x86_64
  victims
  BANGER_VM_CONFINED=false expect 0 banger vm run $tiny --net isolated x
  dir=$(runtime_of x)
  expect 0 banger ssh x -- 'echo own >/root/f && sync'
  for by in itself another; do
    boot=$(banger ssh x -- cat /proc/sys/kernel/random/boot_id)
    pid=$(vm_field x .vmm.pid)
    if [ $by = itself ]; then
      plant
    else
      plant initrd # which a monitor makes once
      kill_monitor x
      expect 0 banger vm reconcile
    fi
    banger ssh x -- reboot || true
    await 60 has_another "$pid"
    unharmed
    for name in upper root kernel console; do
      [ "$(readlink "$dir/$name")" != "$root/victim/file" ]
    done
    [ ! -L "$dir/initrd" ]
    await 90 booted_again x "$boot"
    same "$(banger ssh x -- cat /root/f)" own
    unharmed
    grep -q 'login\|init' "$(disk_of x console.log)"
  done
  # The other monitor's verb had it confined. No third one has it started again with less.
  walls=$(vm_field x '.vmm.confinement // empty')
  [ -n "$walls" ]
  boot=$(banger ssh x -- cat /proc/sys/kernel/random/boot_id)
  kill_monitor x
  BANGER_VM_CONFINED=false expect 0 banger vm reconcile
  banger ssh x -- reboot || true
  await 90 booted_again x "$boot"
  same "$(vm_field x .vmm.confinement)" "$walls"
}

# held_snapshot COMMAND...: a snapshot of x, whose VMM stands still until the command has been done in between:
# its monitor has made the link to the memory's directory, and no file there.
held_snapshot() {
  local dir pid
  dir=$(runtime_of x) pid=$(vm_field x .vmm.pid)
  rm -f "$dir/saved"
  kill -STOP "$pid"
  banger vm snapshot create x s >"$root/out" 2>&1 3>&- &
  await 10 test -L "$dir/saved"
  "$@"
  kill -CONT "$pid"
  status=0
  wait $! || status=$?
}

swap_saved() { ln -sfn "$root/victim" "$(runtime_of x)/saved"; }
plant_disk() { ln -s "$root/victim/file" "$(disk_of x saving/upper.img)"; }

# Whoever may connect says to which directory; then it lets the guest go on.
save_to() {
  python3 - "$(runtime_of x)/monitor.sock" "$1" <<'END'
import base64, json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall((json.dumps({"v": 1, "id": 7, "verb": "save", "data": base64.b64encode(sys.argv[2].encode()).decode(), "timeout_ms": 0}) + "\n").encode())
for line in s.makefile():
    r = json.loads(line)
    if r.get("id") == 7 and r["event"] in ("done", "failed"):
        sys.exit(r["event"] != "done")
sys.exit(2)
END
}

@test "a snapshot has the files that are its own, whatever a VMM has put beside them or in their place" {
  local kind memory
  export BANGER_QEMU_BINARY=qemu-system-x86_64
  victims
  BANGER_VM_CONFINED=false expect 0 banger vm run $tiny --net isolated x
  # The link that leads to its memory's directory.
  held_snapshot swap_saved
  same "$status $(cut -d, -f1 "$root/out")" '0 x: s'
  unharmed
  expect 0 banger vm snapshot rm x s
  # Another disk, beside its memory.
  held_snapshot plant_disk
  same $status 0
  unharmed
  saved=$(banger vm snapshot list --json x | jq -r .path)
  same "$(ls "$saved")" "$(printf '%s\n' manifest.json memory upper.img)"
  [ ! -L "$saved/upper.img" ]
  # One that a build before has sealed with such a link is not gone back to.
  ln -sfn "$root/victim/file" "$saved/upper.img"
  edit "$saved/manifest.json"
  # A directory that somebody else names.
  expect 0 save_to "$root/victim"
  unharmed
  # Something else in place of its memory, while its disks are copied.
  truncate -s 128M "$root/large"
  echo large | dd of="$root/large" conv=notrunc status=none
  for kind in link fifo name directory; do
    await 10 in_state x running
    memory=$(disk_of x saving/memory) half=$(disk_of x .snapshot.tmp/upper.img)
    BANGER_FAILPOINT=sys.rename#1:sleep=2000 BANGER_FAILPOINT_IN=banger-vm \
      banger vm snapshot create x t >"$root/out" 2>&1 3>&- &
    await 20 test -e "$half"
    rm "$memory"
    case $kind in
    link) ln -s "$root/large" "$memory" ;;
    fifo) mkfifo "$memory" ;;
    name) ln "$root/large" "$memory" ;;
    directory) mkdir "$memory" ;;
    esac
    status=0
    wait $! || status=$?
    same $status 1
    grep -q "memory': it is not a plain file of this user's own" "$root/out" || { cat "$root/out" && false; }
    same "$(head -c 5 "$root/large") $(stat -c %h "$root/large")" 'large 1'
    same "$(ls -A "$(disk_of x saving)")" ''
  done
  expect 0 banger vm stop x
  expect 1 banger vm snapshot restore x s
  errors "upper.img' is damaged: it is not what was saved"
}

# The manifest then says that what the link leads to was saved, in the words of the first of its kind.
edit() {
  python3 - "$1" <<'END'
import hashlib, json, sys
m = json.load(open(sys.argv[1]))
m["v"] = 1
for f in m["files"]:
    data = open(sys.argv[1].replace("manifest.json", f["name"]), "rb").read()
    f.update(size=len(data), sha256=hashlib.sha256(data).hexdigest())
json.dump(m, open(sys.argv[1], "w"))
END
}
