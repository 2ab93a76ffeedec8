#!/usr/bin/env bats
# Imported images boot: a tarball by a user without rights, and the root of an older machine whose
# fstab names disks that a VM does not have.
load ../lib
load vm

part() { banger bundle show --json | jq -er --arg part "$1" '.path + "/" + (.parts[] | select(.name == $part).file)'; }

# bats test_tags=user
@test "a tarball of a root boots, with its owners" {
  tiny_root=$(part root-tiny)
  mkdir tree
  debugfs -R "rdump / tree" "$tiny_root" 2>/dev/null
  rmdir tree/lost+found
  echo 'guest owns this' >tree/srv-file
  tar -C tree --owner=0 --group=0 --exclude=./srv-file -cf root.tar .
  tar -C tree --owner=70000 --group=1000 --mode=4710 --mtime=@1000000000 -rf root.tar ./srv-file
  zstd -q root.tar
  expect 0 sh -c 'banger image import mine - <root.tar.zst'
  expect 0 banger vm run t --image mine --memory 128M --accel tcg --work-disk 32M -- \
    sh -c 'stat -c "%u %g %a %Y" /srv-file; cat /srv-file; stat -c "%u %g" /etc/passwd; df /root | grep -c vdc'
  same "$output" $'70000 1000 4710 1000000000\nguest owns this\n0 0\n1'
  expect 4 banger image rm mine
}

@test "an older root with separate /home and /var disks boots without waiting for them" {
  debian=$(part root-debian) || skip 'the bundle has no Debian root'
  cp --sparse=always "$debian" old.ext4
  chmod 600 old.ext4
  cat >fstab <<'FSTAB'
UUID=0a3407de-014b-458b-b5c1-848e92a327a3 / ext4 errors=remount-ro 0 1
UUID=b411dc99-f0a0-4c87-9e05-184977be8539 /home ext4 defaults 0 2
/dev/sdb1 /var ext4 defaults 0 2
LABEL=swap none swap sw 0 0
tmpfs /scratch tmpfs size=8M,x-mount.mkdir 0 0
FSTAB
  printf '[Mount]\nWhat=/dev/disk/by-label/opt\nWhere=/opt\n[Install]\nWantedBy=local-fs.target\n' >opt.mount
  debugfs -w -f - old.ext4 >/dev/null 2>&1 <<'REQUESTS'
rm /etc/fstab
write fstab /etc/fstab
write opt.mount /etc/systemd/system/opt.mount
mkdir /etc/systemd/system/local-fs.target.requires
symlink /etc/systemd/system/local-fs.target.requires/opt.mount ../opt.mount
REQUESTS
  expect 0 banger image import old old.ext4
  # A work disk may well be where the old machine had a disk.
  expect 0 banger vm run o --image old --accel tcg --timeout 2m --work-disk 32M --work-mount /home -- sh -c '
    systemctl --failed --plain --no-legend; systemctl is-system-running --wait || true
    systemctl show -p LoadState --value home.mount var.mount opt.mount
    grep -c -e " /scratch tmpfs" -e "/dev/vdc /home ext4" /proc/mounts'
  same "$output" $'running\nmasked\n\nmasked\n\nmasked\n2'
  expect 0 banger vm stop --timeout 60s o
}
