#!/usr/bin/env bats
# Snapshots when something dies, stands in the way or has no room: the guest goes on, and a snapshot is
# whole or there is none.
load ../lib
load vm
load points

guest() { banger ssh x -- "$@"; }
snapshots() { banger vm snapshot list -q x | xargs; }

# The guest runs on, and nothing is left of a snapshot that was not made.
goes_on() {
  await 20 in_state x running
  expect 0 timeout 20 banger ssh x -- true
  expect 0 banger vm resume x # any verb that changes it settles what was left
  same "$(find "$BANGER_STATE_DIR/vms" -name '.snapshot.tmp' -o -path '*/snapshots/*/memory' | wc -l)" \
    "$(snapshots | wc -w)"
  expect 0 banger doctor --leaks
}

@test "the command that makes one is killed at each point that it passes" {
  expect 0 banger vm run $tiny --net isolated x
  prepare() { banger vm snapshot rm x s >/dev/null 2>&1 || true; }
  create() { banger vm snapshot create x s; }
  check() {
    goes_on
    # What is there is whole.
    [ -z "$(snapshots)" ] || same "$(banger vm snapshot list --json x | jq -r .fault)" null
  }
  only='sys.*|state.commit' walk banger-vm prepare create check 8 ends
}

@test "the command that restores is killed at each point: all of the snapshot's disks or none" {
  expect 0 banger vm run $tiny --net isolated --work-disk 16M x
  guest 'echo old >/etc/mark; echo old >/root/mark; sync'
  expect 0 banger vm snapshot create x s
  guest 'echo new >/etc/mark; echo new >/root/mark; sync'
  expect 0 banger vm kill x
  mkdir "$root/new"
  cp "$(disk_of x upper.img)" "$(disk_of x work.img)" "$root/new"
  prepare() {
    banger vm kill x >/dev/null 2>&1 || true
    cp "$root/new/upper.img" "$(disk_of x upper.img)"
    cp "$root/new/work.img" "$(disk_of x work.img)"
  }
  restore() { banger vm snapshot restore --no-wait x s; }
  marks() { # what the disks have, without a boot; their journals are as a guest left them
    local place
    for place in upper.img:/root/etc/mark work.img:/mark; do
      cp "$(disk_of x "${place%:*}")" "$root/look.img"
      e2fsck -fy "$root/look.img" >/dev/null 2>&1 || true
      debugfs -R "cat ${place#*:}" "$root/look.img" 2>/dev/null
    done
  }
  check() {
    banger vm reconcile >/dev/null
    banger vm kill x >/dev/null 2>&1 || true
    expect 0 banger vm set x --label "a=$RANDOM" # settles
    case $(marks | xargs) in 'old old' | 'new new') ;; *) echo "disks: $(marks)" && return 1 ;; esac
    [ -z "$(find "$BANGER_STATE_DIR/vms" -name 'restored-*' -o -name before)" ]
    same "$(snapshots)" s
    expect 0 banger doctor --leaks
  }
  only='sys.*|state.commit' walk banger-vm prepare restore check 8
  # The monitor, until the guest goes on and after.
  restore() { banger vm snapshot restore --no-wait x s || true; }
  only='sys.*|state.commit' walk banger-monitor prepare restore check 8
}

# bats test_tags=once
@test "a restore that the VMM refuses leaves the VM as it was; so does one that is ended before its guest goes on" {
  expect 0 banger vm run $tiny --net isolated --work-disk 16M x
  expect 0 banger vm snapshot create x s
  guest 'echo kept >/etc/mark; echo kept >/root/mark; sync'
  expect 0 banger vm stop x
  expect 0 banger vm set x --memory 160M --cpus 2 --net user
  banger image show --json "$(vm_field x .image.name)" | jq -r .paths.root | xargs -I{} cp {} "$root/other.ext4"
  local dir was
  dir=$(banger vm snapshot list --json x | jq -r .path)
  seen() { vm_field x '[.cpus, .memory, .image.name, .net.mode, .net.address, .root.size, .work.size] | map(tostring) | join(" ")'; }
  was=$(seen)
  cp "$dir/memory" "$root/memory"
  # A memory that is whole, by the digests of the first form, and none that this QEMU loads.
  head -c 1M /dev/urandom >"$dir/memory"
  cp "$dir/manifest.json" "$root/manifest.json"
  jq --arg sum "$(sha256sum <"$dir/memory" | cut -d' ' -f1)" --arg upper "$(sha256sum <"$dir/upper.img" | cut -d' ' -f1)" \
    --arg work "$(sha256sum <"$dir/work.img" | cut -d' ' -f1)" '.v = 1 | .files |= map(del(.data_sha256) |
      if .name == "memory" then .sha256 = $sum | .size = 1048576
      else .sha256 = {"upper.img": $upper, "work.img": $work}[.name] end)' "$root/manifest.json" >"$dir/manifest.json"
  expect 1 banger vm snapshot restore x s
  errors "cannot restore 'x' from 's'"
  errors "hint: 'x' has the disks that it had before: banger vm start x"
  same "$(vm_field x .state)" failed
  same "$(seen)" "$was"
  same "$(banger vm events --json x | jq -r 'select(.type | test("restor")) | .type' | xargs)" 'vm.restoring vm.restore_undone'
  expect 0 banger vm start x
  same "$(guest cat /etc/mark /root/mark | xargs)" 'kept kept'
  expect 0 banger vm kill x
  # Nobody is there to take it back, and it is started: with the disks that it had.
  cp "$root/memory" "$dir/memory"
  cp "$root/manifest.json" "$dir/manifest.json"
  BANGER_FAILPOINT_IN=banger-vm BANGER_FAILPOINT=sys.spawn:kill expect 137 banger vm snapshot restore x s
  expect 0 banger vm start x
  same "$(guest cat /etc/mark /root/mark | xargs)" 'kept kept'
  same "$(seen)" "$was"
  expect 0 banger vm kill x
  # What it has now is not lost while the guest might not go on: its image stays, too.
  expect 0 banger image import other "$root/other.ext4"
  expect 0 banger vm reset x --image other
  BANGER_FAILPOINT_IN=banger-vm BANGER_FAILPOINT=sys.spawn:kill expect 137 banger vm snapshot restore x s
  expect 4 banger image rm other
  expect 0 banger vm set x --label a=b
  same "$(vm_field x .image.name)" other
  # One that succeeds leaves nothing of before.
  expect 0 banger vm snapshot restore x s
  expect 1 guest cat /etc/mark
  same "$(find "$BANGER_STATE_DIR/vms" -name 'restored-*' -o -name before)" ''
  same "$(vm_field x '[.cpus, .net.mode] | map(tostring) | join(" ")')" '1 isolated'
  expect 0 banger doctor --leaks
}

# bats test_tags=once
@test "the monitor dies while the guest stands still for a snapshot: the next one lets it go on" {
  expect 0 banger vm run $tiny --net isolated x
  BANGER_FAILPOINT_IN=banger-vm BANGER_FAILPOINT=sys.clone:sleep=5000 banger vm snapshot create x s \
    >"$root/out" 2>&1 3>&- &
  local maker=$!
  await 20 in_state x paused
  same "$(vm_field x .reason)" 'a snapshot is being made'
  # A shell gets no answer of such a guest.
  expect 255 timeout 5 banger ssh x -- true
  errors "VM 'x' is paused: a snapshot is being made"
  kill_monitor x
  expect 0 banger vm reconcile
  await 20 in_state x running
  local status=0
  wait "$maker" || status=$?
  [ "$status" -ne 0 ]
  grep -q "cannot snapshot 'x'" "$root/out"
  same "$(snapshots)" ''
  goes_on
}

# bats test_tags=once
@test "the monitor is stopped: told within seconds, given up soon, and nothing is left" {
  expect 0 banger vm run $tiny --net isolated x
  local monitor began
  monitor=$(monitor_of x)
  kill -STOP "$monitor"
  # A person sees what is waited for; that is so of each verb that asks a monitor.
  expect 130 "$BANGER_SOURCE/tests/on-terminal" 'monitor, which has not answered yet=\x03' -- banger vm pause x
  began=$EPOCHREALTIME
  expect 6 banger vm snapshot create x s
  took_at_most 15 "$began"
  errors "cannot snapshot 'x': its monitor does not answer 'save': waited 10s"
  kill -CONT "$monitor"
  same "$(snapshots)" ''
  goes_on
}

# bats test_tags=once
@test "a signal while it is made or restored: it ends by it, the guest goes on, and nothing is left of it" {
  expect 0 banger vm run $tiny --net isolated x
  local point maker status
  nothing_of_it() {
    same "$(find "$BANGER_STATE_DIR/vms" -name '.snapshot.tmp' -o -name 'restored-*' -o -name before -o -path '*/saving/*')" ''
    same "$(find "$BANGER_STATE_DIR/vms" -path '*/snapshots/*' -name memory | wc -l)" "$(snapshots | wc -w)"
  }
  # Copying, and writing to the disk.
  for point in sys.clone sys.rename; do
    rm -f "$root/trace"
    BANGER_FAILPOINT_IN=banger-vm BANGER_FAILPOINT=$point:sleep=1500 BANGER_FAILPOINT_TRACE=$root/trace \
      banger vm snapshot create x s >"$root/out" 2>&1 3>&- &
    maker=$! status=0
    await 20 grep -qs $point "$root/trace"
    kill -TERM "$maker"
    wait "$maker" || status=$?
    same "$status" 143
    nothing_of_it
    await 20 in_state x running
    same "$(snapshots)" ''
  done
  BANGER_FAILPOINT_IN=banger-vm BANGER_FAILPOINT=sys.clone:sleep=3000 expect 130 \
    "$BANGER_SOURCE/tests/on-terminal" 'copying its disks=\x03' -- banger vm snapshot create x s
  nothing_of_it
  goes_on
  expect 0 banger vm snapshot create x s
  guest 'echo kept >/etc/mark; sync'
  expect 0 banger vm kill x
  BANGER_FAILPOINT_IN=banger-vm BANGER_FAILPOINT=sys.clone:sleep=3000 expect 130 \
    "$BANGER_SOURCE/tests/on-terminal" 'copying its disks=\x03' -- banger vm snapshot restore x s
  nothing_of_it
  expect 0 banger vm start x
  same "$(guest cat /etc/mark)" kept
}

# bats test_tags=once
@test "a stop or a kill while it is made ends the VM at once; the snapshot is none" {
  local verb
  for verb in stop kill; do
    banger vm rm -f x >/dev/null 2>&1 || true
    expect 0 banger vm run $tiny --net isolated x
    BANGER_FAILPOINT_IN=banger-vm BANGER_FAILPOINT=sys.clone:sleep=5000 banger vm snapshot create x s \
      >"$root/out" 2>&1 3>&- &
    local maker=$! status=0
    await 20 in_state x paused
    expect 0 timeout 60 banger vm $verb x
    same "$(vm_field x .state)" stopped
    wait "$maker" || status=$?
    same "$status" 4
    same "$(snapshots)" ''
    expect 0 banger vm set x --label a=b
    same "$(find "$BANGER_STATE_DIR/vms" -name '.snapshot.tmp')" ''
  done
}

# bats test_tags=once
@test "a resume lets the guest go on while its disks are copied, by a command that is suspended, too: no snapshot" {
  expect 0 banger vm run $tiny --net isolated x
  local how maker status
  for how in works suspended; do
    BANGER_FAILPOINT_IN=banger-vm BANGER_FAILPOINT=sys.clone:sleep=5000 banger vm snapshot create x s \
      >"$root/out" 2>&1 3>&- &
    maker=$! status=0
    await 20 in_state x paused
    [ $how = works ] || kill -STOP "$maker"
    expect 4 banger vm pause x
    errors "cannot pause 'x': it is paused: a snapshot is being made"
    errors 'hint: it goes on by itself when that is over; banger vm resume x gives the snapshot up'
    expect 0 timeout 20 banger vm resume x
    same "$output" 'x: running'
    expect 0 timeout 20 banger ssh x -- true
    [ $how = works ] || {
      expect 4 banger vm snapshot create x t
      errors "cannot snapshot 'x': another snapshot of it is being made"
      errors "hint: wait for the command that makes it, or end that"
    }
    [ $how = works ] || kill -CONT "$maker"
    wait "$maker" || status=$?
    same "$status" 4
    grep -q "cannot snapshot 'x': its guest was let go on meanwhile" "$root/out"
    same "$(find "$BANGER_STATE_DIR/vms" -name '.snapshot.tmp')" ''
    same "$(snapshots)" ''
    goes_on
  done
}

# bats test_tags=once
@test "what a guest does a moment before: one that has just been let go on has not stood still" {
  expect 0 banger vm run $tiny --net isolated x
  mkdir "$root/a" "$root/b"
  cat >"$root/talk.py" <<'PY'
import base64, json, socket, sys, time

class Link:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(sys.argv[1])
        self.lines = self.socket.makefile()
    def ask(self, verb, data=""):
        self.socket.sendall(json.dumps({"v": 1, "verb": verb, "timeout_ms": 0, "id": 1,
            "data": base64.b64encode(data.encode()).decode()}).encode() + b"\n")
    def answer(self):
        for line in self.lines:
            report = json.loads(line)
            if report.get("id") == 1 and report["event"] != "stage":
                return report["event"] + ": " + report.get("error", {}).get("message", "")

maker, other = Link(), Link()
maker.ask("save", sys.argv[3])
print(maker.answer())
other.ask(sys.argv[2])
if sys.argv[2] == "resume":
    time.sleep(0.05)
    maker.ask("release")
    print(maker.answer())
print(other.answer())
PY
  talk() { expect 0 python3 "$root/talk.py" "$(dirname "$(vm_field x .vmm.api_socket)")/monitor.sock" "$@"; }
  # A pause would be told done of a guest that goes on by itself.
  talk pause "$root/a"
  same "$output" "$(printf 'done: \nfailed: it is paused: a snapshot is being made')"
  await 20 in_state x running
  expect 0 banger vm pause x
  talk resume "$root/b"
  same "$output" "$(printf 'done: \nfailed: its guest was let go on meanwhile\ndone: ')"
  in_state x running
}

# bats test_tags=once
@test "its image is removed while it is written: no snapshot that nobody could go back to" {
  expect 0 banger vm run $tiny --net isolated x
  local old
  old=$(vm_field x .image.name)
  banger image show --json "$old" | jq -r .paths.root | xargs -I{} cp {} "$root/other.ext4"
  expect 0 banger image import other "$root/other.ext4"
  BANGER_FAILPOINT_IN=banger-vm BANGER_FAILPOINT=sys.rename:sleep=6000 BANGER_FAILPOINT_TRACE=$root/trace \
    banger vm snapshot create x s >"$root/out" 2>&1 3>&- &
  local maker=$! status=0
  await 20 grep -qs sys.rename "$root/trace"
  expect 0 banger vm kill x
  expect 0 banger vm reset x --image other
  expect 0 banger image rm "$old"
  wait "$maker" || status=$?
  cat "$root/out"
  same "$status" 4
  grep -q "cannot snapshot 'x': its image '$old' was removed meanwhile" "$root/out"
  same "$(snapshots)" ''
  expect 0 banger vm start x
}

# bats test_tags=once
@test "a disk that is not there is named, before the guest stands still" {
  expect 0 banger vm run $tiny --net isolated x
  local disk
  disk=$(disk_of x upper.img)
  mv "$disk" "$root/kept"
  expect 1 banger vm snapshot create x s
  errors "cannot snapshot 'x': '$disk' is not there"
  same "$(banger vm events --json x | jq -r 'select(.type == "vm.paused").type')" ''
  mv "$root/kept" "$disk"
  goes_on
}

# bats test_tags=once
@test "what is not a snapshot of its own stays; what cannot be removed is in nobody's way" {
  expect 0 banger vm run $tiny --net isolated x
  expect 0 banger vm snapshot create x s
  local dir
  dir=$(disk_of x snapshots)
  mkdir -p "$dir/lost+found/0123456789ab" "$dir/0123456789ab" "$root/elsewhere"
  expect 0 banger vm resume x
  [ -d "$dir/lost+found/0123456789ab" ]
  [ ! -e "$dir/0123456789ab" ]
  # They were moved to a larger disk, which others use too.
  mv "$dir"/* "$root/elsewhere"
  mkdir "$root/elsewhere/0123456789ab"
  rmdir "$dir"
  ln -s "$root/elsewhere" "$dir"
  expect 0 banger vm resume x
  [ -d "$root/elsewhere/0123456789ab" ]
  mkdir "$(disk_of x .snapshot.tmp)"
  BANGER_FAILPOINT_IN=banger-vm BANGER_FAILPOINT='sys.rmdir#1:eio' expect 0 banger vm kill x
  same "$(vm_field x .state)" stopped
  expect 0 banger vm snapshot restore x s
  [ ! -e "$(disk_of x .snapshot.tmp)" ]
  expect 0 banger vm rm --force x
  [ -d "$root/elsewhere/0123456789ab" ]
}

# bats test_tags=once
@test "one that was whole, and whose maker was killed before it was known, is told by doctor" {
  expect 0 banger vm run $tiny --net isolated x
  expect 0 banger vm snapshot create x s
  BANGER_FAILPOINT_IN=banger-vm BANGER_FAILPOINT=state.commit:kill expect 137 banger vm snapshot create x t
  same "$(snapshots)" s
  expect 1 banger doctor --leaks -q
  outputs "$(disk_of x snapshots)/"
  same "$(wc -l <<<"$output")" 1
  expect 0 banger doctor --fix
  same "$(ls "$(disk_of x snapshots)" | wc -l)" 1
  goes_on
}

# bats test_tags=once
@test "something else lies in the place of its lock, or nobody may open it: no verb minds" {
  local plain=()
  [ "$(id -u)" -ne 0 ] || plain=(setpriv '--bounding-set=-dac_override,-dac_read_search' --inh-caps=-all --)
  expect 0 banger vm run $tiny --net isolated x
  mkdir -p "$(disk_of x snapshot.lock)/d"
  expect 0 banger vm snapshot create x s
  chmod 0 "$(disk_of x snapshot.lock)"
  expect 0 "${plain[@]}" banger vm snapshot create x t
  chmod 0 "$(disk_of x snapshot.lock)"
  expect 0 "${plain[@]}" banger vm kill x
  same "$(snapshots)" 's t'
}

# bats test_tags=once
@test "two at once: one is made, the other is told so; and a VM that is removed meanwhile is removed" {
  expect 0 banger vm run $tiny --net isolated x
  BANGER_FAILPOINT_IN=banger-vm BANGER_FAILPOINT=sys.clone:sleep=3000 banger vm snapshot create x s \
    >"$root/out" 2>&1 3>&- &
  local maker=$! status=0
  await 20 in_state x paused
  expect 4 banger vm snapshot create x t
  errors "cannot snapshot 'x': another snapshot of it is being made"
  expect 0 banger doctor --leaks
  same "$output" ''
  wait "$maker"
  same "$(snapshots)" s
  BANGER_FAILPOINT_IN=banger-vm BANGER_FAILPOINT=sys.clone:sleep=3000 banger vm snapshot create x t \
    >"$root/out" 2>&1 3>&- &
  maker=$!
  await 20 in_state x paused
  expect 0 banger vm rm --force x
  wait "$maker" || status=$?
  [ "$status" = 3 ] || [ "$status" = 4 ] || [ "$status" = 1 ]
  nothing_left
}

# bats test_tags=once
@test "no room: the guest goes on, and nothing of the snapshot is left" {
  expect 0 banger vm run $tiny --net isolated x
  local point
  for point in sys.clone sys.create sys.rename state.commit; do
    BANGER_FAILPOINT_IN=banger-vm BANGER_FAILPOINT=$point:enospc expect 1 banger vm snapshot create --json x s
    error_schema
    error_field .message | grep -q 'no space left on device'
    goes_on
    same "$(snapshots)" ''
  done
}

on_a_small_disk() {
  expect 0 banger vm run $tiny --net isolated x
  BANGER_FAILPOINT_IN=banger-vm BANGER_FAILPOINT=sys.mkdir:sleep=2000 BANGER_FAILPOINT_TRACE=$root/trace \
    banger vm snapshot create x s >"$root/out" 2>&1 3>&- &
  local maker=$! status=0
  await 20 grep -qs sys.mkdir "$root/trace"
  fallocate -l $(($(df --output=avail -k "$BANGER_STATE_DIR" | tail -1) - 16384))K "$BANGER_STATE_DIR/filler"
  wait "$maker" || status=$?
  cat "$root/out"
  same "$status" 1
  grep -q "cannot snapshot 'x': QEMU has failed at it" "$root/out"
  goes_on
  rm "$BANGER_STATE_DIR/filler"
  expect 0 banger vm snapshot create x s
  fallocate -l $(($(df --output=avail -k "$BANGER_STATE_DIR" | tail -1) - 16384))K "$BANGER_STATE_DIR/filler"
  expect 5 banger vm snapshot create x t
  errors 'room'
  banger vm rm --force x
}

# bats test_tags=once
@test "the disk fills while the VMM writes: its fault is told, and the guest goes on" {
  unshare -rm true 2>/dev/null || skip 'no user namespaces, so no file system of its own'
  mkdir -p "$BANGER_STATE_DIR"
  export root tiny
  unshare -rm bash -euc "$(declare -f)
    mount -t tmpfs -o size=400m,mode=700 none \"\$BANGER_STATE_DIR\"
    on_a_small_disk"
}
