#!/usr/bin/env bats
# Root disks by device-mapper (--root dm-snapshot), which few machines that test have. It runs in the lab
# (tests/lab/lab): their life as a plain user's, who may start banger's helper and nothing else; the rest
# as root's.
load ../lib
load ../system/vm
load ../system/points

setup() {
  vm_root
  # The lab is emulated: its VMs boot at the pace of a slow machine.
  export BANGER_VM_READY_TIMEOUT=4m BANGER_VM_IMAGE=tiny BANGER_VM_MEMORY=128M BANGER_VM_ROOT=dm-snapshot
  export BANGER_VM_VMM=qemu BANGER_NET_MODE=isolated BANGER_VM_STOP_TIMEOUT=20s
  before=$(devices)
}
teardown() {
  banger vm kill --all >/dev/null 2>&1 || true
  [ -z "${small:-}" ] || umount -l "$small"
  remove_vms
  [ "$(id -u)" -ne 0 ] || dmsetup remove banger-test 2>/dev/null || true
  if [ -e /root/rule ]; then
    umount "$program" || true
    mv /root/rule "$rule"
  fi
}

# What there is of block devices, as the kernel tells everybody.
devices() {
  cat /sys/block/loop*/loop/backing_file /sys/block/dm-*/dm/name 2>/dev/null || true
  ls /dev/mapper
}
# A loop device clears itself when the last closes it, which may be udev's look at what is on it.
as_before() { [ "$(devices)" = "$before" ]; }
nothing_mapped() { await 10 as_before; }

rows_of_dm() { banger_rows "SELECT count(*) FROM host_object WHERE kind = 'dm'"; }
banger_rows() {
  python3 -c 'import sqlite3, sys
print(*sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone())' "$BANGER_STATE_DIR/state.db" "$1"
}
node_of() { echo "/dev/mapper/banger-$(banger_rows 'SELECT tag FROM identity')-$(vm_field "$1" .id)-root"; }

# bats test_tags=user
@test "a life: written, saved and restored, stopped, grown, started, reset, removed; nothing stays" {
  expect 0 banger vm create a
  same "$(vm_field a '[.root.way, .root.size] | @json')" '["dm-snapshot",268435456]'
  cow=$(disk_of a cow.img)
  same "$(takes "$cow")" 0
  nothing_mapped # nothing before it is started
  expect 0 banger vm start a
  [ -b "$(node_of a)" ]
  expect 0 banger vm list
  same "$stderr" '' # there is room
  same "$(stat -Lc '%a:%U' "$(node_of a)")" "600:$(id -un)"
  same "$(find /sys/block -name 'dm-*' | wc -l)" 1
  keep_node
  expect 0 banger ssh a -- 'echo kept >/etc/mark && sync; cut -d" " -f1-3 /proc/mounts | grep "^/dev/vda"'
  same "$output" '/dev/vda / ext4'
  [ "$(vm_field a .root.used)" -gt 4096 ]
  same "$(banger vm stats --json a | jq .disk.root)" "$(vm_field a .root.used)"
  expect 0 banger doctor --leaks
  expect 4 banger image rm tiny
  banger ssh a -- 'echo then >/root/mark; echo then >/tmp/mark'
  expect 0 banger vm snapshot create a s
  banger ssh a -- 'echo now >/root/mark; echo now >/tmp/mark; sync'
  expect 0 banger vm kill a
  nothing_mapped
  refused_node
  expect 0 banger vm snapshot restore a s
  same "$(banger ssh a -- cat /root/mark /tmp/mark | xargs)" 'then then'
  expect 0 banger vm stop a
  nothing_mapped
  same "$(rows_of_dm)" 0
  expect 0 banger vm set --disk 320M a
  same "$(vm_field a .root.size)" 335544320
  expect 0 banger vm start a
  same "$(banger ssh a -- cat /etc/mark)" kept
  [ "$(df_mib a /)" -gt 280 ]
  # What lies behind the image's end is in the same file.
  expect 0 banger ssh a -- 'dd if=/etc/mark of=/dev/vda bs=4096 seek=81900 conv=fsync,notrunc'
  expect 0 banger vm restart a
  same "$(banger ssh a -- 'dd if=/dev/vda bs=4096 skip=81900 count=1 2>/dev/null | head -1')" kept
  expect 0 banger vm kill a
  nothing_mapped
  expect 0 banger vm reset a
  [ "$(takes "$(disk_of a cow.img)")" -lt 64 ]
  same "$(vm_field a .root.size)" 335544320
  expect 0 banger vm start a
  expect 1 banger ssh a -- test -e /etc/mark
  # What its owner does to the file below it meets his VM, and nothing else.
  truncate -s 0 "$cow"
  expect 0 banger vm kill a
  nothing_mapped
  expect 0 banger vm reset a
  hostile_files
  expect 0 banger vm rm --force a
  nothing_mapped
  nothing_left
}

# keep_node: keeps the node of a's device, as who might hope that another's device gets its number.
keep_node() {
  python3 - "$(node_of a)" "$root" <<'EOF' 3>&- &
import os, sys, time
node, place = sys.argv[1:]
kept = os.open(node, os.O_PATH)
os.close(os.open(f"/proc/self/fd/{kept}", os.O_RDONLY))
open(place + "/kept", "w")
while not os.path.exists(place + "/gone"):
    time.sleep(0.1)
try:
    said = os.open(f"/proc/self/fd/{kept}", os.O_RDONLY)
except OSError as e:
    said = e.strerror
open(place + "/again", "w").write(f"{said}\n")
EOF
  keeper=$!
  await 20 test -e "$root/kept"
}
# It is not his any more: without that he would hear that there is no such device, or read another's.
refused_node() {
  touch "$root/gone"
  wait "$keeper"
  same "$(cat "$root/again")" 'Permission denied'
}

# Files of his that the kernel must not read are not given to it, and one that others write to is not read.
hostile_files() {
  python3 - "$cow" <<'EOF'
import struct, sys
# All chunks in one chain of the kernel's table, and each told again and again.
with open(sys.argv[1], "r+b") as f:
    f.write(struct.pack("<4I", 0x70416e53, 1, 1, 8))
    for area in range(256):
        f.seek((1 + area * 257) * 4096)
        f.write(struct.pack("<2Q", 0, 2) * 256)
EOF
  expect 1 banger vm start a
  errors 'it tells of the same twice'
  nothing_mapped
  python3 -c 'import struct, sys; open(sys.argv[1], "r+b").write(struct.pack("<4I", 0x70416e53, 1, 1, 1 << 21))' "$cow"
  expect 1 banger vm start a
  nothing_mapped
  expect 0 banger vm reset a
  exec 9<>"$cow"
  expect 4 banger vm start a
  errors 'another program has'
  exec 9>&-
  nothing_mapped
}

# bats test_tags=root
@test "a life on Firecracker" {
  binary=${FIRECRACKER:-$(command -v firecracker || true)}
  [ -n "$binary" ] || skip 'no firecracker binary'
  export BANGER_FIRECRACKER_BINARY=$binary BANGER_VM_VMM=firecracker BANGER_NET_MODE=user
  expect 0 banger vm create a
  expect 0 banger vm start a
  same "$(vm_field a '[.vmm.driver, .root.way] | join(" ")')" 'firecracker dm-snapshot'
  banger ssh a -- 'echo then >/root/mark; echo then >/tmp/mark'
  expect 0 banger vm snapshot create a s
  banger ssh a -- 'echo now >/root/mark; echo now >/tmp/mark; sync'
  boot=$(banger ssh a -- cat /proc/sys/kernel/random/boot_id)
  banger ssh a -- reboot || true
  await 60 booted_again a "$boot"
  same "$(banger ssh a -- cat /root/mark)" now
  expect 0 banger vm kill a
  nothing_mapped
  expect 0 banger vm snapshot restore a s
  same "$(banger ssh a -- cat /root/mark /tmp/mark | xargs)" 'then then'
  expect 0 banger vm rm --force a
  nothing_mapped
  nothing_left
}

# ask_all VERB: asks the helper for each VM but v1 and v2, as their monitors would; what it could not do.
ask_all() {
  banger vm list --json | jq -c --arg act "$1" --arg dir "$BANGER_STATE_DIR" \
    --arg tag "$(banger_rows 'SELECT tag FROM identity')" 'select(.name != "v1" and .name != "v2") |
    {do: $act, tag: $tag, vm: .id, identity: "banger-\($tag)-\(.id)-root-test", dir: $dir, image: .image.id}' |
    "$BATS_TEST_DIRNAME/../system/ask_helper.py" | grep -v '^ok$\|"node"' || true
}

# bats test_tags=root
@test "twenty on one image: one loop device below them, and its room once" {
  local image took
  # shellcheck disable=SC2046 # a list of names
  expect 0 banger vm create $(seq -f 'v%g' 20)
  expect 0 banger vm start v1 v2
  image=$BANGER_STATE_DIR/images/$(vm_field v1 .image.id)/root.ext4
  began=$EPOCHREALTIME
  same "$(ask_all map)" ''
  took=$(awk "BEGIN { print $EPOCHREALTIME - $began }")
  same "$(dmsetup ls | grep -c banger-)" 20
  same "$(losetup --noheadings -O BACK-FILE,RO,AUTOCLEAR | grep -c "^$image *1 *1$")" 1
  same "$(losetup --noheadings -O BACK-FILE | grep -c 'cow.img$')" 20
  over=$(du -ck "$BANGER_STATE_DIR"/vms/*/cow.img | tail -1 | cut -f1)
  echo "# 20 VMs, of which two run: $(takes "$image") KiB of image, $over KiB over it; 18 mapped in $took s" >&3
  [ "$over" -lt 4000 ]
  same "$(ask_all unmap)" ''
  same "$(dmsetup ls | grep -c banger-)" 2
  expect 0 banger vm rm --force v1 v2
  nothing_mapped
}

# bats test_tags=root
@test "a host without room costs a VM what it wrote last, and no more" {
  mkdir "$root/small"
  mount -t tmpfs -o size=100M none "$root/small"
  small=$root/small
  export BANGER_STATE_DIR=$small/state
  expect 0 banger vm create a
  expect 0 banger vm start a
  banger ssh a -- 'echo kept >/etc/mark; sync'
  # QEMU stops a guest whose write fails, so the command stands still.
  banger ssh a -- 'dd if=/dev/zero of=/big bs=1M count=100; sync' >/dev/null 2>&1 3>&- &
  writer=$!
  await 40 is_given_up a
  await 20 in_state a paused
  expect 0 banger vm list
  errors "free in '$BANGER_STATE_DIR'"
  expect 0 banger vm kill a
  wait "$writer" || true
  nothing_mapped
  mount -o remount,size=256M "$small"
  expect 0 banger vm start a
  same "$(banger ssh a -- cat /etc/mark)" kept
  same "$(banger vm events --json a | jq -rs 'map(select(.type == "vm.disk_revived")) | length')" 1
  expect 0 banger vm rm --force a
  nothing_mapped
}
is_given_up() { dmsetup status "$(basename "$(node_of "$1")")" | grep -q Invalid; }

# bats test_tags=root
@test "killed at any point: monitor, VMM, and the helper; the next command tidies up" {
  expect 0 banger vm run a -- true
  vmm=$(vm_field a .vmm.pid)
  kill_monitor a
  expect 0 banger vm reconcile
  same "$(vm_field a .vmm.pid)" "$vmm"
  kill_monitor a "$vmm"
  [ -b "$(node_of a)" ]
  expect 0 banger vm reconcile
  nothing_mapped
  same "$(rows_of_dm)" 0
  prepare() { banger vm reconcile >/dev/null; }
  start_and_kill() {
    banger vm start --no-wait a
    banger vm kill a
  }
  after() {
    expect 0 banger vm reconcile
    nothing_mapped
    same "$(rows_of_dm)" 0
  }
  only='disk\..*' walk banger-helper prepare start_and_kill after 4 ends
  # Asked by hand, at each point.
  map_and_unmap() { ask_all map && ask_all unmap; }
  unmapped() {
    same "$(ask_all unmap)" ''
    nothing_mapped
  }
  walk banger-helper true map_and_unmap unmapped 8
  # A host that was booted anew has the row, and nothing else.
  expect 0 banger vm start --no-wait a
  kill_monitor a "$(vm_field a .vmm.pid)"
  dmsetup remove "$(basename "$(node_of a)")"
  same "$(rows_of_dm)" 1
  expect 0 banger vm start --no-wait a
  expect 0 banger vm rm --force a
  nothing_mapped
  nothing_left
}

# bats test_tags=root
@test "a device of that name that is another's is left alone; one that no row tells of is found" {
  expect 0 banger vm create a
  truncate -s +1 "$(disk_of a cow.img)"
  expect 1 banger vm start a
  errors 'banger vm reset a makes its root anew'
  expect 0 banger vm reset a
  name=$(basename "$(node_of a)")
  dmsetup create "$name" --uuid "$name-anothers" --table '0 8 zero'
  expect 4 banger vm start a
  errors "a device '$name' is there already, and it is not this VM's"
  dmsetup info "$name" >/dev/null
  same "$(vm_field a .state)" failed
  expect 1 banger doctor --leaks --json
  same "$(field '[.object, .name] | join(" ")')" "dm $name"
  expect 0 banger doctor --leaks --fix
  nothing_mapped
  # No udev is needed, nor waited for.
  systemctl --quiet stop systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket
  same "$(ask_all map)" ''
  udevless=$(stat -Lc '%t:%a:%U' "$(node_of a)")
  dmsetup info --noheadings -co uuid "$name" >"$root/uuid"
  same "$(ask_all unmap)" ''
  systemctl --quiet start systemd-udevd.service
  same "$udevless $(cat "$root/uuid")" "fd:600:root $name-test"
  nothing_mapped
  expect 0 banger vm rm a
}

# as_lab WORD…: as the plain user of the lab, with the groups that he has now.
as_lab() { setpriv --reuid=lab --regid=lab --init-groups env HOME=/home/lab "$@"; }
helper_check() { as_lab banger doctor --json | jq -r "select(.id == \"helper\") | $1"; }

# bats test_tags=root
@test "a user has root's rights for the helper by what doctor prints, and without them is told so" {
  rule=/etc/sudoers.d/banger
  program=$BANGER_BUILD/libexec/banger/banger-helper
  unset BANGER_STATE_DIR XDG_RUNTIME_DIR XDG_STATE_HOME XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME BANGER_CONFIG
  chmod 755 "$root"
  expect 0 helper_check '.status'
  same "$output" ok
  expect 0 helper_check '.found'
  outputs 'by sudo: 16 bridges of 10.64.0.0/10 100.64.0.0/10, 64 disks of 64G, 256G together (by default)'
  mv $rule /root/rule
  expect 0 helper_check '[.status, .found] | join(" ")'
  outputs "warn cannot start banger's helper with root's rights: sudo: a password is required"
  same "$(as_lab banger vm create --json a 2>&1 >/dev/null | jq -r .hint)" 'banger doctor tells how to allow it; or use --root overlay, which needs nothing of the host'
  ways=$(helper_check .fix)
  # The first way, as it is printed.
  bash -c "${ways%%  # or*}" >/dev/null
  same "$(sed 's/ *$//' $rule)" "lab ALL=(root) NOPASSWD: $program \"\""
  same "$(helper_check .status)" ok
  rm $rule
  # The other one. The lab's tree is read-only: a copy of the program lies over its own.
  cp "$program" /root/helper
  mount --bind /root/helper "$program"
  bash -ec "${ways##*without sudo: }"
  same "$(stat -c '%a %U:%G' "$program")" '750 root:banger'
  same "$(helper_check .status)" ok
  helper_check .found | grep -q '^by its capabilities: '
  same "$(as_lab banger doctor --json | jq -r 'select(.id == "bridge").status')" ok
  expect 0 as_lab banger vm create a
  expect 0 as_lab banger vm start --no-wait a
  same "$(stat -c %U /dev/mapper/banger-*)" lab
  expect 0 as_lab banger vm rm --force a
  nothing_mapped
  # Somebody who is not in the group, and a file with less than it takes.
  gpasswd -d lab banger
  same "$(helper_check '[.status, .found] | join(" ")')" "warn '$program' is for group 'banger', and this login is not in it"
  chmod 755 "$program"
  setcap cap_net_admin+ep "$program"
  helper_check .found | grep -q 'has capabilities, but not cap_chown'
  umount "$program"
  mv /root/rule $rule
}
