#!/usr/bin/env bats
# The disks of VMs that are never booted: how they are made, seeded, grown and made anew.
load ../lib

setup() {
  private_root
  mkdir -p tree/sbin tree/root/sub tree/etc
  printf '#!/bin/sh\n' >tree/sbin/init
  chmod 755 tree/sbin/init
  echo seeded >tree/root/sub/file
  ln -s sub/file tree/root/link
  chmod 700 tree/root
  expect 0 banger image import --size 64M mine tree
}
teardown() { remove_private_root; }

disk() { printf '%s/vms/%s/%s' "$BANGER_STATE_DIR" "$(banger vm show --json "$1" | jq -r .id)" "$2"; }
is_whole() { expect 0 e2fsck -fn "$1"; }
blocks() { dumpe2fs -h "$1" 2>/dev/null | sed -n 's/^Block count: *//p'; }
mib() { echo $(($1 << 20)); }

@test "the ways of a root disk, and their sizes" {
  expect 0 banger vm create --image mine --root overlay --disk 32M over
  expect 0 banger vm show --json over
  schema vm
  same "$(field '"\(.root.way) \(.root.size) \(.work)"')" "overlay $(mib 32) null"
  is_whole "$(disk over upper.img)"
  [ ! -e "$(disk over root.img)" ]
  expect 0 banger vm create --image mine --root copy --disk 96M copied
  expect 0 banger vm show --json copied
  same "$(field '"\(.root.way) \(.root.size)"')" "copy $(mib 96)"
  is_whole "$(disk copied root.img)"
  same "$(stat -c '%a %s' "$(disk copied root.img)")" "600 $(mib 96)"
  expect 2 banger vm create --image mine --root copy --disk 32M small
  errors 'the image is 64M large'
  expect 2 banger vm create --image mine --root overlay --disk 1M small
  expect 2 banger vm create --image mine --root magic small
  expect 0 banger vm create --image mine auto
  [[ $(banger vm show --json auto | jq -r .root.way) =~ ^(reflink|overlay)$ ]]
  if [ "$(banger vm show --json auto | jq -r .root.way)" = overlay ]; then
    expect 5 banger vm create --image mine --root reflink none
    errors 'cannot share extents'
    errors '--root overlay'
  fi
}

@test "a work disk has what the image has at its place, flattened; many at once" {
  expect 0 banger vm create --image mine --work-disk 24M w
  expect 0 banger vm show --json w
  schema vm
  same "$(field '"\(.work.size) \(.work.mount)"')" "$(mib 24) /root"
  [ "$(field .work.used)" -lt 2000000 ]
  work=$(disk w work.img)
  is_whole "$work"
  same "$(stat -c %a "$work")" 600
  same "$(debugfs -R 'cat /sub/file' "$work" 2>/dev/null)" seeded
  debugfs -R 'stat /' "$work" 2>/dev/null | grep -q 'Mode:  0700'
  debugfs -R 'stat /link' "$work" 2>/dev/null | grep -q 'Fast link dest: "sub/file"'
  expect 0 banger vm create --image mine --work-disk 16M --work-mount //srv/./data/ elsewhere
  same "$(banger vm show --json elsewhere | jq -r .work.mount)" /srv/data
  is_whole "$(disk elsewhere work.img)"

  expect 0 banger vm create --image mine --work-disk 16M -j 4 a b c d e f
  for name in a b c d e f; do
    is_whole "$(disk $name work.img)"
    same "$(debugfs -R 'cat /sub/file' "$(disk $name work.img)" 2>/dev/null)" seeded
  done
}

@test "work disks that cannot be" {
  for place in root / /dev/x /proc /run/a /a/../b '' $'/a\nb' "/$(printf 'x%.0s' $(seq 300))"; do
    expect 2 banger vm create --image mine --work-disk 16M --work-mount "$place" x
  done
  for size in 1M 0 x -1 99999T; do expect 2 banger vm create --image mine "--work-disk=$size" x; done
  expect 2 banger vm create --image mine --work-mount /srv x
  errors '--work-disk'
  head -c 20M /dev/urandom >tree/root/big
  expect 0 banger image import big tree
  expect 2 banger vm create --image big --work-disk 16M x
  errors "what the image has at '/root' does not fit"
  expect 0 banger vm list --json
  same "$output" ''
  same "$(ls "$BANGER_STATE_DIR/vms")" ''
}

@test "a disk larger than the caller may make a file is an error, and undone" {
  (
    ulimit -f 1024 # KiB
    expect 1 banger vm create --image mine --root copy x
    errors 'file too large'
  )
  same "$(banger vm list -q)" ''
  same "$(ls "$BANGER_STATE_DIR/vms")" ''
}

@test "disks grow, never shrink, and only of a VM that is stopped" {
  expect 0 banger vm create --image mine --root overlay --work-disk 16M over
  expect 0 banger vm create --image mine --root copy copied
  debugfs -w -R 'mkdir /mine' "$(disk over work.img)" 2>/dev/null
  expect 0 banger vm set --disk 200M --work-disk 300M over
  same "$(banger vm show --json over | jq -r '"\(.root.size) \(.work.size)"')" "$(mib 200) $(mib 300)"
  same "$(stat -c %s "$(disk over upper.img)" "$(disk over work.img)")" "$(mib 200)"$'\n'"$(mib 300)"
  # Their file systems are the guest's to grow: nothing of them was touched.
  for file in upper.img work.img; do is_whole "$(disk over $file)"; done
  same "$(blocks "$(disk over work.img)")" $((16 * 256))
  debugfs -R 'stat /mine' "$(disk over work.img)" 2>/dev/null | grep -q 'Type: directory'
  expect 0 banger vm set --disk 200M over # it has that already
  expect 2 banger vm set --disk 100M over
  errors 'cannot shrink'
  # A size that no file system can have is rounded up.
  expect 0 banger vm set --work-disk 314572801 over
  same "$(banger vm show --json over | jq -r .work.size)" $((314572800 + 4096))
  same "$(stat -c %s "$(disk over work.img)")" $((314572800 + 4096))
  # One that cannot be, and neither was touched.
  expect 2 banger vm set --disk 400M --work-disk 16M over
  same "$(stat -c %s "$(disk over upper.img)")" "$(mib 200)"
  expect 4 banger vm set --work-disk 100M copied
  errors 'it has none'
  expect 0 banger vm set --disk 128M copied
  is_whole "$(disk copied root.img)"
  expect 3 banger vm set --disk 128M nobody
}

@test "a file system that no kernel grows while it is mounted" {
  # Of an image: grown when the disk is made of it.
  mke2fs -q -F -t ext4 -b 4096 -O sparse_super2 -d tree other.ext4 64M
  expect 0 banger image import other other.ext4
  expect 0 banger vm create --image other --root copy --disk 96M o
  same "$(blocks "$(disk o root.img)")" $((96 * 256))
  is_whole "$(disk o root.img)"
  # One that a guest may have written to is for its owner to touch, not for the host's tools.
  expect 4 banger vm set --disk 128M o
  errors 'has the feature sparse_super2'
  same "$(stat -c %s "$(disk o root.img)")" "$(mib 96)"
  expect 0 banger vm set --disk 96M o # it has that
  expect 0 banger vm create --image mine --work-disk 16M w
  work=$(disk w work.img)
  debugfs -w -R 'ssv state 2' "$work" 2>/dev/null
  expect 4 banger vm set --work-disk 32M w
  errors 'has recorded errors'
  same "$(stat -c %s "$work")" "$(mib 16)"
  # The hint's own command serves.
  bash -c "$(sed -n 's/^hint: while the VM is stopped: //; s/e2fsck -f/e2fsck -fp/p' <<<"$stderr")"
  expect 0 banger vm set --work-disk 32M w
  same "$(banger vm show --json w | jq -r .work.size)" "$(mib 32)"
  same "$(blocks "$work")" $((32 * 256))
  is_whole "$work"
}

@test "a growth that died at any point left the old size or the new one" {
  banger vm failpoints >/dev/null 2>&1 || skip 'this build has no failpoints'
  expect 0 banger vm create --image mine --root overlay --disk 16M --work-disk 16M g
  BANGER_FAILPOINT_TRACE=$PWD/trace expect 0 banger vm set --disk 20M --work-disk 20M g
  [ "$(grep -c sys.truncate trace)" = 2 ]
  size=20
  declare -A seen=()
  while read -r name; do
    seen[$name]=$((${seen[$name]:-0} + 1))
    point="$name#${seen[$name]}:kill"
    before=$size
    size=$((size + 8))
    BANGER_FAILPOINT=$point expect 137 banger vm set --disk ${size}M --work-disk ${size}M g
    for file in upper.img work.img; do
      is_whole "$(disk g $file)"
      has=$(stat -c %s "$(disk g $file)")
      [ "$has" = "$(mib $before)" ] || [ "$has" = "$(mib $size)" ] || { echo "$point: $has"; false; }
    done
    # The next command shows the sizes that the guest would find.
    expect 5 env BANGER_QEMU_BINARY=no-such-vmm banger vm start g
    same "$(banger vm show --json g | jq -r '"\(.root.size) \(.work.size)"')" \
      "$(stat -c %s "$(disk g upper.img)") $(stat -c %s "$(disk g work.img)")"
    expect 0 banger vm set --disk ${size}M --work-disk ${size}M g
    same "$(stat -c %s "$(disk g upper.img)")" "$(mib $size)"
  done <trace
  BANGER_FAILPOINT=sys.truncate:enospc expect 1 banger vm set --work-disk 1G g
  same "$(banger vm show --json g | jq -r .work.size)" "$(mib $size)"
}

@test "a disk that its guest has ruined is named, and a reset mends it" {
  expect 0 banger vm create --image mine --root overlay --work-disk 16M r
  dd if=/dev/zero of="$(disk r upper.img)" bs=4096 count=1 conv=notrunc status=none
  expect 1 banger vm start r
  errors "upper.img' is not an ext4 file system"
  errors 'banger vm reset r'
  expect 1 banger vm set --disk 400M r
  expect 0 banger vm reset r
  is_whole "$(disk r upper.img)"
  # Sizes that no file has.
  printf '\xff\xff\xff\xff' | dd of="$(disk r work.img)" bs=1 seek=$((1024 + 4)) conv=notrunc status=none
  expect 1 banger vm start r
  errors truncated
  expect 1 banger vm set --work-disk 100M r
}

@test "a root that was never started, and was perhaps lost with the host, is made again" {
  expect 0 banger vm create --image mine --root overlay u
  truncate -s 0 "$(disk u upper.img)"
  expect 1 banger vm start u # made since this host was booted: what is there is what was made
  sqlite3 "$BANGER_STATE_DIR/state.db" 'UPDATE vm SET created = 1'
  expect 5 env BANGER_QEMU_BINARY=no-such-vmm banger vm start u
  is_whole "$(disk u upper.img)"
  truncate -s 0 "$(disk u upper.img)"
  sqlite3 "$BANGER_STATE_DIR/state.db" 'UPDATE vm SET started = 2'
  expect 1 banger vm start u
  errors "upper.img' is not an ext4 file system"
}

@test "a reset makes the root anew and touches nothing else" {
  expect 0 banger vm create --image mine --root copy --disk 96M --work-disk 16M r
  debugfs -w -R 'mkdir /gone' "$(disk r root.img)" 2>/dev/null
  debugfs -w -R 'mkdir /kept' "$(disk r work.img)" 2>/dev/null
  before=$(banger vm show --json r | jq -c 'del(.root.used)')
  expect 0 banger vm reset r
  same "$output" 'r: reset'
  same "$(banger vm show --json r | jq -c 'del(.root.used)')" "$before"
  same "$(debugfs -R 'stat /gone' "$(disk r root.img)" 2>/dev/null | grep -c Inode)" 0
  debugfs -R 'stat /kept' "$(disk r work.img)" 2>/dev/null | grep -q Inode
  expect 0 banger image import --size 128M larger tree
  expect 0 banger vm reset --image larger r
  same "$(banger vm show --json r | jq -r '"\(.image.name) \(.root.size)"')" "larger $(mib 128)"
  expect 0 banger image rm mine # nobody stands on it any more
  expect 4 banger image rm larger
  expect 3 banger vm reset --image mine r
  expect 3 banger vm reset nobody
  # A variable that was not set chooses nothing: the disk stays.
  debugfs -w -R 'mkdir /stays' "$(disk r root.img)" 2>/dev/null
  expect 2 banger vm reset --image= r
  errors "invalid --image '': it is empty"
  expect 2 banger vm reset --image '' r
  debugfs -R 'stat /stays' "$(disk r root.img)" 2>/dev/null | grep -q Inode
  expect 0 banger doctor --leaks
  same "$output" ''
}
