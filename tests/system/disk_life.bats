#!/usr/bin/env bats
# Disks of real VMs: overlays on a shared image, the work disk, growth, trim, reset.
load ../lib
load vm

image_root() { vm_field "$1" .image.id | sed "s|.*|$BANGER_STATE_DIR/images/&/root.ext4|"; }

@test "two VMs on one image by overlay: what one writes is its own, stays, and the image is unchanged" {
  expect 0 banger vm create $tiny --root overlay a b
  base=$(image_root a)
  same "$(image_root b)" "$base"
  before=$(sha256sum "$base")
  banger vm start b 3>&- & other=$!
  expect 0 banger vm start a
  expect 0 banger ssh a -- sh -c '
    echo changed >/etc/motd; rm /etc/profile; mkdir /srv; echo mine >/srv/file
    echo layer >/var/lib/docker/file; grep -c " /var/lib/docker ext4 " /proc/mounts; sync'
  same "$output" 1
  wait $other
  expect 0 banger ssh b -- sh -c 'test -e /etc/profile && test ! -e /srv/file && test ! -e /etc/motd'
  expect 0 banger vm stop a
  expect 0 banger vm start a
  expect 0 banger ssh a -- sh -c 'cat /etc/motd /srv/file /var/lib/docker/file; test ! -e /etc/profile'
  same "$output" $'changed\nmine\nlayer'
  expect 0 banger vm show --json a
  schema vm
  same "$(field .root.way)" overlay
  [ "$(field .root.used)" -lt 32000000 ]
  same "$(sha256sum "$base")" "$before"
  expect 4 banger image rm tiny
  errors 'a, b'
}

@test "the work disk is seeded once, kept over reset, and both disks grow; what is trimmed is the host's again" {
  expect 0 banger vm create $tiny --root overlay --disk 64M --work-disk 96M w
  expect 0 banger vm show --json w
  schema vm
  same "$(field '"\(.work.size) \(.work.mount) \(.root.size)"')" "$((96 << 20)) /root $((64 << 20))"
  expect 0 banger vm start w
  expect 0 banger ssh w -- sh -c 'grep -c "^/dev/vdc /root ext4" /proc/mounts; echo kept >/root/file
    echo gone >/etc/gone; echo gone >/var/lib/containers/gone; sync'
  same "$output" 1
  expect 4 banger vm reset w
  errors 'banger vm stop w'
  expect 4 banger vm set w --disk 128M
  errors 'banger vm stop w'
  # Trim: what was freed is given back to the host's file system.
  work=$(disk_of w work.img)
  before=$(takes "$work")
  expect 0 banger ssh w -- sh -c 'dd if=/dev/urandom of=/root/big bs=1M count=48 2>/dev/null; sync'
  [ "$(takes "$work")" -gt $((before + 40 * 1024)) ]
  expect 0 banger ssh w -- sh -c 'rm /root/big; sync; fstrim /root'
  [ "$(takes "$work")" -lt $((before + 8 * 1024)) ]
  # Below an overlay nobody can trim: the upper layer does so by itself.
  upper=$(disk_of w upper.img)
  expect 0 banger ssh w -- sh -c 'dd if=/dev/urandom of=/etc/big bs=1M count=24 2>/dev/null; sync'
  full=$(takes "$upper")
  expect 0 banger ssh w -- sh -c 'rm /etc/big; sync'
  await 20 sh -c "[ \$(du -k '$upper' | cut -f1) -lt $((full - 20 * 1024)) ]"
  expect 0 banger vm stop w

  key=$(cat "$(disk_of w host_key)")
  expect 0 banger vm reset --json w
  schema result
  same "$(field .state)" stopped
  expect 2 banger vm set w --disk 32M
  expect 0 banger vm set w --disk 128M --work-disk 192M
  same "$(vm_field w '"\(.root.size) \(.work.size)"')" "$((128 << 20)) $((192 << 20))"
  expect 0 banger vm start w
  same "$(cat "$(disk_of w host_key)")" "$key"
  expect 0 banger ssh w -- sh -c 'cat /root/file; test ! -e /etc/gone && test ! -e /var/lib/containers/gone'
  same "$output" kept
  [ "$(df_mib w /)" -gt 100 ]
  [ "$(df_mib w /root)" -gt 160 ]
}

# bats test_tags=user
@test "reset to another image keeps name, address, keys and work disk" {
  expect 0 banger vm create $tiny --root copy --work-disk 32M --work-mount /srv/data r
  # Another image: the tiny one with a mark in it.
  cp --sparse=always "$(image_root r)" "$root/other.ext4"
  chmod 600 "$root/other.ext4"
  echo other >"$root/mark"
  debugfs -w -R "write $root/mark /etc/mark" "$root/other.ext4" 2>/dev/null
  expect 0 banger image import other "$root/other.ext4"
  expect 0 banger vm run s $tiny --root overlay --image other -- cat /etc/mark
  same "$output" other
  was=$(vm_field r '[.id, .net.mac, .net.reach, .work.size] | join(" ")')
  expect 0 banger vm start r
  expect 0 banger ssh r -- sh -c 'echo kept >/srv/data/file; echo gone >/gone; test ! -e /etc/mark; sync'
  expect 0 banger vm stop r
  expect 3 banger vm reset --image absent r
  expect 0 banger vm reset --image other r
  same "$(vm_field r .image.name)" other
  expect 0 banger vm start r
  expect 0 banger ssh r -- sh -c 'cat /etc/mark /srv/data/file; test ! -e /gone'
  same "$output" $'other\nkept'
  same "$(vm_field r '[.id, .net.mac, .net.reach, .work.size] | join(" ")')" "$was"
  expect 4 banger image rm other
  errors 'r, s'
}
