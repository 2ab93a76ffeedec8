#!/usr/bin/env bats
# banger image without a VM: what can be imported, what is refused, and that nothing is left of it.
load ../lib

setup() {
  private_root
}
teardown() { remove_private_root; }

# A root file system as small as can be, in ./tree.
make_tree() {
  mkdir -p tree/sbin tree/etc tree/srv
  printf '#!/bin/sh\n' >tree/sbin/init
  chmod 755 tree/sbin/init
  printf '%s\n' "${1:-content}" >tree/srv/file
}

# A tarball on standard output, made by python's tarfile: tarball 'CODE' adds entries to it.
tarball() {
  python3 - "$1" <<'PY'
import io, sys, tarfile
out = tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.PAX_FORMAT)
def add(name, data=None, **fields):
    info = tarfile.TarInfo(name)
    info.mode, info.mtime = 0o644, 1000000000
    for key, value in fields.items():
        setattr(info, key, value)
    if data is not None:
        info.size = len(data)
    out.addfile(info, io.BytesIO(data) if data is not None else None)
def directory(name, **fields): add(name, type=tarfile.DIRTYPE, **{"mode": 0o755, **fields})
def link(name, target, **fields): add(name, type=tarfile.SYMTYPE, linkname=target, **fields)
def hard(name, target): add(name, type=tarfile.LNKTYPE, linkname=target)
def init(): directory("sbin"); add("sbin/init", b"#!/bin/sh\n", mode=0o755)
exec(sys.argv[1])
out.close()
PY
}

# A disk with sectors of SECTOR bytes: an EFI partition and, from 4 MiB on, the file system FS.
make_disk() { # OUT FS SECTOR TABLE
  rm -f "$1"
  truncate -s 64M "$1"
  dd if="$2" of="$1" bs=1M seek=4 conv=notrunc,sparse status=none
  python3 - "$@" <<'PY'
import struct, sys, zlib
S, size = int(sys.argv[3]), 64 << 20
first, last = (4 << 20) // S, (28 << 20) // S - 1
with open(sys.argv[1], "r+b") as disk:
    def write(at, data): disk.seek(at); disk.write(data)
    if sys.argv[4] == "dos":
        write(446, struct.pack("<B3xB3xII", 0, 0x83, first, last - first + 1))
    else:
        write(446, struct.pack("<B3xB3xII", 0, 0xee, 1, size // S - 1))
        linux, efi = (bytes.fromhex(i) for i in ("af3dc60f838472478e793d69d8477de4", "28732ac11ff8d211ba4b00a0c93ec93b"))
        def entry(kind, a, b): return struct.pack("<16s16sQQQ72s", kind, b"u" * 16, a, b, 0, b"")
        table = entry(efi, (2 << 20) // S, (4 << 20) // S - 1) + entry(linux, first, last)
        table = table.ljust(128 * 128, b"\0")
        sectors = 128 * 128 // S
        def header(own, other, at):
            h = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, own, other, 2 + sectors,
                            size // S - 2 - sectors, b"g" * 16, at, 128, 128, zlib.crc32(table))
            return h[:16] + struct.pack("<I", zlib.crc32(h)) + h[20:]
        end = size // S - 1
        write(S, header(1, end, 2)); write(2 * S, table)
        write((end - sectors) * S, table); write(end * S, header(end, 1, end - sectors))
    write(510, b"\x55\xaa")
PY
}

root_of() { printf '%s/images/%s/root.ext4' "$BANGER_STATE_DIR" "$(banger image show --json "$1" | jq -r .id)"; }
in_image() { debugfs -R "$2" "$(root_of "$1")" 2>/dev/null; }
# Nothing that anybody could see or that takes room; what a dead one left goes with the next command.
no_images() {
  expect 0 banger image prune --json
  same "$output" ''
  expect 0 banger image list --json
  same "$output" ''
  same "$(ls "$BANGER_STATE_DIR/images")" ''
  expect 0 banger doctor --leaks
  same "$output" ''
}

# bats test_tags=once
@test "a VM that a killed create left keeps no image from being removed" {
  local none=999999999 # no process has this number
  "$BANGER_BUILD/tests/banger-test-vm" "$BANGER_STATE_DIR" add half >/dev/null
  "$BANGER_BUILD/tests/banger-test-vm" "$BANGER_STATE_DIR" run half creating 22 $none \
    "$(ssh-keygen -q -t ed25519 -N "" -f "$root/key" && cut -d" " -f1,2 "$root/key.pub")"
  expect 0 banger image rm test
  expect 3 banger vm show half
  no_images
}

# bats test_tags=once
@test "nobody is led to kill a VM that runs to be rid of its image" {
  local test_vm="$BANGER_BUILD/tests/banger-test-vm"
  "$test_vm" "$BANGER_STATE_DIR" add web >/dev/null
  "$test_vm" "$BANGER_STATE_DIR" run web running 22 $$ \
    "$(ssh-keygen -q -t ed25519 -N "" -f "$root/key" && cut -d" " -f1,2 "$root/key.pub")"
  expect 4 banger image rm test
  errors 'web stands on it'
  errors 'hint: banger vm reset --image OTHER web gives the VM a root disk from another image'
  [[ $stderr != *--force* ]]
}

@test "a tarball: owners, modes, times, links, devices and attributes are what it says" {
  tarball '
init()
directory("home/u", uid=70000, gid=1001, mode=0o2750)
add("home/u/su", b"x" * 5000, uid=70000, gid=1001, mode=0o4711)
hard("home/u/again", "./home/u/su")
link("abs", "/etc/passwd", uid=5, gid=6)
add("dev/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666)
add("run/pipe", type=tarfile.FIFOTYPE, mode=0o600)
add("cap", b"", mode=0o755, pax_headers={"SCHILY.xattr.user.note": "a note"})
add("caf\u00e9/" + "d" * 120 + "/" + "f" * 120, b"long")
add("/leading", b"slash")' >t.tar
  expect 0 banger image import --json mine t.tar
  schema result
  same "$(field '.verb + " " + .name + " " + .state')" 'import mine ready'
  in_image mine 'stat /home/u/su' >stat
  grep -q 'Mode:  04711' stat
  grep -Eq 'User: 70000 +Group:  1001' stat
  grep -q 'Links: 2' stat
  grep -q 'Size: 5000' stat
  grep -q 'mtime: 0x3b9aca00' stat
  in_image mine 'stat /home/u' | grep -q 'Mode:  02750'
  in_image mine 'stat /abs' | grep -q 'Fast link dest: "/etc/passwd"'
  in_image mine 'stat /dev/null' | grep -q 'major/minor number: 01:03'
  in_image mine 'ea_list /cap' | grep -q 'a note'
  same "$(in_image mine "cat /café/$(printf 'd%.0s' $(seq 120))/$(printf 'f%.0s' $(seq 120))")" long
  same "$(in_image mine 'cat /leading')" slash
  expect 0 e2fsck -fn "$(root_of mine)"

  expect 0 banger image show --json mine
  schema image
  same "$(field .source)" "$PWD/t.tar"
  same "$(field .sha256)" "$(sha256sum "$(root_of mine)" | cut -d' ' -f1)"
  same "$(field .size)" "$(stat -c %s "$(root_of mine)")"
  same "$(stat -c %a "$(root_of mine)")" 400
  [ "$(field .used)" -lt 16000000 ]
  expect 0 banger image list
  outputs mine
}

@test "a tarball packed in each way, and from standard input" {
  make_tree
  tar -C tree -cf t.tar .
  gzip -k t.tar
  xz -k t.tar
  zstd -q t.tar
  for file in t.tar t.tar.gz t.tar.xz t.tar.zst; do
    name=m$(tr -dc a-z <<<"$file")
    expect 0 banger image import --size 16M "$name" "$file"
    same "$(in_image "$name" 'cat /srv/file')" content
    expect 0 banger image import --size 16M "$name-in" - <"$file"
    same "$(in_image "$name-in" 'cat /srv/file')" content
  done
  expect 0 banger image show --json mttar-in
  same "$(field .source)" 'standard input'
}

@test "a directory; what is mine in it belongs to root" {
  make_tree
  ln tree/srv/file tree/srv/again
  ln -s /nowhere tree/srv/link
  truncate -s 5G tree/srv/sparse
  printf end >>tree/srv/sparse
  expect 0 banger image import --size 64M mine tree
  in_image mine 'stat /srv/again' >stat
  grep -Eq 'User: +0 +Group: +0 ' stat
  grep -q 'Links: 2' stat
  in_image mine 'stat /srv/sparse' | grep -q "Size: $((5 * 1024 * 1024 * 1024 + 3))"
  expect 0 banger image show --json mine
  same "$(field .size)" $((64 * 1024 * 1024))
  expect 0 e2fsck -fn "$(root_of mine)"
}

@test "an ext4 file, and a disk by its partitions" {
  make_tree small
  expect 0 mke2fs -q -t ext4 -d tree small.ext4 16M
  make_tree large
  expect 0 mke2fs -q -t ext4 -d tree large.ext4 24M
  before=$(sha256sum small.ext4)
  expect 0 banger image import one small.ext4
  same "$(in_image one 'cat /srv/file')" small
  same "$(banger image show --json one | jq -c '[.stale, .packages_hash]')" '[null,null]'
  same "$(sha256sum small.ext4)" "$before"
  expect 0 banger image import --size 40M grown small.ext4
  expect 0 banger image show --json grown
  same "$(field .size)" $((40 * 1024 * 1024))
  expect 0 e2fsck -fn "$(root_of grown)"
  expect 2 banger image import --size 16M shrunk large.ext4
  expect 2 banger image import --partition 1 none small.ext4

  # An MBR with three partitions: an unknown one, the small and the large file system.
  truncate -s 64M disk
  dd if=small.ext4 of=disk bs=1M seek=4 conv=notrunc status=none
  dd if=large.ext4 of=disk bs=1M seek=24 conv=notrunc status=none
  python3 - <<'PY'
import struct
with open("disk", "r+b") as disk:
    for i, (kind, first, size) in enumerate([(0x0c, 1, 3), (0x83, 4, 16), (0x83, 24, 30)]):
        disk.seek(446 + 16 * i)
        disk.write(struct.pack("<B3xB3xII", 0, kind, first * 2048, size * 2048))
    disk.seek(510)
    disk.write(b"\x55\xaa")
PY
  expect 0 banger image import disk disk
  same "$(in_image disk 'cat /srv/file')" large
  expect 0 banger image import second disk --partition 2
  same "$(in_image second 'cat /srv/file')" small
  expect 3 banger image import none disk --partition 7
  errors '2 (16M, Linux)'
  expect 1 banger image import none disk --partition 1
  errors 'holds no ext4 file system'
}

# bats test_tags=once
@test "disks of another machine are forgotten, and what is no disk stays" {
  make_tree
  mkdir -p tree/etc/systemd/system tree/home tree/var
  cat >tree/etc/fstab <<'FSTAB'
UUID=11111111-2222 / ext4 errors=remount-ro 0 1
LABEL=home /home ext4 defaults 0 2
/dev/sdb1 /var ext4 defaults 0 2
tmpfs /tmp tmpfs size=64M 0 0
FSTAB
  printf '[Mount]\nWhat=/dev/sdc1\nWhere=/opt\n' >tree/etc/systemd/system/opt.mount
  printf '[Mount]\nWhat=tmpfs\nWhere=/scratch\n' >tree/etc/systemd/system/scratch.mount
  expect 0 banger image import mine tree
  in_image mine 'cat /etc/fstab' >fstab
  same "$(grep -vc '^#' fstab)" 1
  grep -q '^tmpfs /tmp tmpfs' fstab
  for unit in home var opt; do
    in_image mine "stat /etc/systemd/system/$unit.mount" | grep -q 'link dest: "/dev/null"'
  done
  in_image mine 'cat /etc/systemd/system/scratch.mount' | grep -q What=tmpfs
}

@test "what is no root file system is refused, and nothing is left" {
  make_tree
  expect 0 mke2fs -q -t ext4 -d tree whole.ext4 16M
  head -c 10M whole.ext4 >cut.ext4
  expect 1 banger image import mine cut.ext4
  errors "'cut.ext4' is truncated"
  expect 1 banger image import mine /etc/passwd
  errors 'hint: an image is made of a tarball'
  cp whole.ext4 damaged.ext4
  dd if=/dev/urandom of=damaged.ext4 bs=4096 seek=1 count=200 conv=notrunc status=none
  expect 1 banger image import mine damaged.ext4
  errors damaged
  head -c 1M /dev/urandom >noise
  expect 1 banger image import mine noise
  printf 'QFI\xfb%01000d' 0 >disk.qcow2
  expect 1 banger image import mine disk.qcow2
  errors 'qcow2'
  errors 'qemu-img convert'
  : >empty
  expect 1 banger image import mine empty
  chmod 644 tree/sbin/init
  expect 1 banger image import mine tree
  errors 'has no /sbin/init'
  tar -C tree -cf t.tar .
  expect 1 banger image import mine t.tar
  gzip t.tar
  head -c 100 t.tar.gz >cut.tar.gz
  expect 1 banger image import mine cut.tar.gz
  expect 3 banger image import mine absent
  expect 2 banger image import mine /dev/null
  for name in Bad a.b ''; do expect 2 banger image import "$name" tree; done
  for name in 0123456789ab 12 localhost; do
    expect 2 banger image import "$name" tree
    errors "invalid image name '$name': "
    errors "hint: take another, such as image-$name"
  done
  expect 2 banger image import --size 1M mine tree
  no_images
}

# bats test_tags=once
@test "hostile tarballs do nothing to the host" {
  echo mine >victim
  for code in 'add("../victim", b"bad")' 'add("a/../../victim", b"bad")' 'hard("x", "../victim")' \
    'hard("x", "absent")' 'add("sbin", b""); add("sbin/x", b"")' \
    'add("f", b"x"); directory("f/d")' 'directory("d"); hard("e", "d")' \
    'link("a", "b"); link("b", "a"); add("a/x", b"")' 'add("n" * 300, b"")' \
    'link("l", "t" * 5000)' 'add("../\33]0;evil\7", b"")' 'add("\33]0;evil\7" * 40, b"")' \
    'hard("\33]0;evil\7", "\33[2J")' 'add("f", b""); add("f/\33]0;evil\7", b"")' \
    'add("f", b"", pax_headers={"uid": "4294967296"})' 'add("f", b"", pax_headers={"gid": "-1"})' \
    'add("\33]0;evil\7", b"", pax_headers={"gid": "99999999999"})'; do
    tarball "init(); $code" >t.tar
    expect 1 banger image import mine t.tar
    same "$(tr -cd '\033\007' <<<"$stderr")" ''
    [[ $code != *evil* ]] || errors '\x1b]0;evil\x07'
    [[ $code != *id\"* ]] || errors 'is a number from 0 to 4294967294' # cut to 32 bits, 4294967296 is root
  done
  # A link out of it leads nowhere but into it.
  tarball "init(); directory('$PWD'); link('out', '$PWD'); add('out/victim', b'bad'); link('up', '../../..'); add('up/top', b'x')" >t.tar
  expect 0 banger image import --size 16M mine t.tar
  same "$(in_image mine "cat $PWD/victim")" bad
  same "$(in_image mine 'cat /top')" x
  same "$(cat victim)" mine
  expect 0 e2fsck -fn "$(root_of mine)"
  expect 0 banger image rm mine
  no_images
}

# bats test_tags=once
@test "a bomb goes no further than --size" {
  tarball 'init(); add("zeros", b"\1" * (200 << 20))' | gzip -1 >bomb.tar.gz
  expect 1 banger image import --size 32M mine bomb.tar.gz
  errors 'does not fit into 32M'
  errors '--size'
  # So many files that their inodes do not fit.
  tarball '
init()
for i in range(9000): add("f%d" % i, b"")' >many.tar
  expect 1 banger image import --size 32M mine many.tar
  errors 'does not fit into 32M'
  no_images
}

# bats test_tags=once
@test "a tarball that is cut is refused, wherever, however it is packed" {
  tarball '
init()
for i in range(350): add("srv/file%d" % i, b"x" * (i % 700))' >whole.tar
  # Between two entries, where each block before it is whole; the end is 1024 zeros, and filling.
  local size
  size=$(python3 - <<'PY'
import tarfile
members = tarfile.open("whole.tar").getmembers()
print(members[-3].offset)
PY
)
  head -c "$size" whole.tar >cut.tar
  head -c $((size + 200)) whole.tar >torn.tar
  expect 1 banger image import mine cut.tar
  errors "'cut.tar' is cut short: the end of the tar is missing"
  expect 1 banger image import mine - <cut.tar
  errors "'standard input' is cut short"
  expect 1 banger image import mine torn.tar
  for pack in 'gzip' 'xz -0' 'zstd -q -1' 'bzip2'; do
    $pack <cut.tar >packed-cut
    expect 1 banger image import mine packed-cut
    errors 'cut short'
    $pack <whole.tar >packed
    head -c -7 packed >cut-packed
    expect 1 banger image import mine cut-packed
    errors "cannot read 'cut-packed': it is cut short, or damaged"
    expect 0 banger image import --size 16M whole packed
    expect 0 banger image rm whole
    # However little it is: two that were sent as one, or what a proxy wrote behind it.
    for behind in X "$(head -c 300 whole.tar | tr '\0' x)"; do
      { cat packed && printf %s "$behind"; } >packed-more
      expect 1 banger image import mine packed-more
      errors "cannot read 'packed-more'"
    done
  done
  # As a tape is filled up.
  { gzip <whole.tar && head -c 10000 /dev/zero; } >filled
  expect 0 banger image import --size 16M whole filled
  expect 0 banger image rm whole
  cat whole.tar whole.tar >two.tar
  expect 1 banger image import mine two.tar
  errors "something follows the tar's end"
  no_images
}

@test "access lists of a tarball are in the image, and of a directory, and the mode is beside them" {
  tarball '
init()
add("srv/f", b"", mode=0o664, pax_headers={"SCHILY.acl.access": "user::rw-,user:1234:rwx,group::r--,mask::rw-,other::r--"})
directory("srv/d", pax_headers={"SCHILY.acl.default": "user::rwx,group:daemons:r-x,group::r-x,mask::r-x,other::---"})
directory("etc")
add("etc/group", b"root:x:0:\ndaemons:x:77:\n")' >t.tar
  expect 0 banger image import --size 16M mine t.tar
  in_image mine 'stat /srv/f' | grep -q 'Mode:  0664'
  in_image mine 'ea_list /srv/f' | grep -q 'system.posix_acl_access (28)'
  in_image mine 'ea_get -x /srv/f system.posix_acl_access' | grep -q 'd2 04'
  in_image mine 'ea_list /srv/d' | grep -q 'system.posix_acl_default (28)'
  expect 0 e2fsck -fn "$(root_of mine)"
  make_tree
  setfacl -m u:1234:rwx -m m::rw tree/srv/file || skip 'no access lists here'
  expect 0 banger image import --size 16M dir tree
  in_image dir 'stat /srv/file' | grep -q 'Mode:  0664'
  in_image dir 'ea_list /srv/file' | grep -q 'system.posix_acl_access (28)'
}

# bats test_tags=once
@test "work and memory are bounded by what is given: deep paths and long directories" {
  # 12,000 directories in a path: a tarball of 30 kB.
  tarball 'init(); add("a/" * 12000 + "f", b"")' >deep.tar
  (ulimit -v 400000; expect 1 banger image import mine deep.tar)
  expect 1 banger image import mine deep.tar
  errors "whose path is too long: 'a/a/a/"
  errors 'a path takes at most 4095 bytes'
  [ ${#stderr} -lt 1000 ]
  # A directory here that is deeper than that, and than descriptors may be open.
  make_tree
  python3 - <<'PY'
import os
os.chdir("tree/srv")
for _ in range(100):
    os.mkdir("d" * 60); os.chdir("d" * 60)
PY
  (ulimit -n 64; expect 1 banger image import mine tree)
  expect 1 banger image import mine tree
  errors 'longer than 4095 bytes'
  rm -r tree/srv
  # Twice as many files in one directory take twice the time.
  for n in 10000 20000; do
    rm -rf many; mkdir many
    python3 -c 'import sys
for i in range(int(sys.argv[1])): open("many/name-of-a-file-%d" % i, "w").close()' $n
    mkdir -p tree/$n && mv many tree/$n/
  done
  local -A took
  for n in 10000 20000; do
    mkdir -p root/sbin; cp tree/sbin/init root/sbin; mv tree/$n/many root/many
    took[$n]=$( { TIMEFORMAT=%U; time banger image import i$n root; } 2>&1 | tail -1)
    rm -r root
  done
  awk -v a="${took[10000]}" -v b="${took[20000]}" 'BEGIN { exit !(b < 2.5 * a + 0.1) }' ||
    { echo "10000 files: ${took[10000]} s, 20000: ${took[20000]} s"; false; }
  expect 0 e2fsck -fn "$(root_of i20000)"
}

# bats test_tags=once
@test "a disk with sectors of 4096 bytes" {
  make_tree large
  expect 0 mke2fs -q -t ext4 -d tree root.ext4 24M
  # A GPT and an MBR that count in such sectors; the file system begins at 4 MiB.
  for table in gpt dos; do
    make_disk disk root.ext4 4096 $table
    expect 0 banger image import $table disk
    same "$(in_image $table 'cat /srv/file')" large
  done
}

# bats test_tags=once
@test "disks and file systems come packed, from standard input and from a FIFO" {
  make_tree large
  expect 0 mke2fs -q -t ext4 -d tree root.ext4 24M
  make_disk disk root.ext4 512 gpt
  tar -C tree -b 2 -cf t.tar .
  mkfifo fifo
  local size=()
  for source in root.ext4 disk t.tar; do
    [ $source != t.tar ] || size=(--size 16M)
    for pack in 'gzip -1' 'xz -0' 'zstd -q -1' 'bzip2 -1' cat; do
      $pack <$source >packed
      expect 0 banger image import "${size[@]}" file packed
      same "$(in_image file 'cat /srv/file')" large
      expect 0 banger image import "${size[@]}" in - <packed
      same "$(banger image show --json in | jq -r .source)" 'standard input'
      cat packed >fifo &
      expect 0 banger image import "${size[@]}" fifo fifo
      wait $!
      expect 0 banger image import "${size[@]}" substituted <(cat packed)
      for image in file in fifo substituted; do
        same "$(in_image $image 'cat /srv/file')" large
        expect 0 e2fsck -fn "$(root_of $image)"
        # Holes stay holes, and nothing lies beside the root.
        [ "$(stat -c %b "$(root_of $image)")" -lt 20000 ]
        same "$(ls "$(dirname "$(root_of $image)")")" root.ext4
      done
      # Cut short it is refused, wherever the cut lies.
      for cut in 7 3000; do
        # The last bytes of a tarball as it is are zeros that nobody misses.
        [ "$source $pack $cut" != 't.tar cat 7' ] || continue
        head -c -$cut packed >short
        expect 1 banger image import cut short
        expect 1 banger image import cut - <short
      done
      expect 0 banger image rm file in fifo substituted
    done
  done
  gzip -1 <disk >packed
  (ulimit -v 300000; expect 0 banger image import second packed --partition 2)
  same "$(in_image second 'cat /srv/file')" large
  expect 1 banger image import none packed --partition 1
  errors "partition 1 of 'packed': it holds no ext4"
  expect 3 banger image import none - --partition 7 <packed
  errors '2 (24M, Linux)'
  expect 2 banger image import none - --partition 1 <t.tar
  errors "'standard input' has no partitions"
  expect 2 banger image import --size 20M none packed
  errors 'its file system is 24M large'
  expect 0 banger image import --size 40M grown packed
  same "$(banger image show --json grown | jq -r .size)" $((40 << 20))
  expect 0 banger image rm second grown
  no_images
}

# bats test_tags=once
@test "a disk inside a tarball, as Debian gives its own cloud image" {
  make_tree large
  expect 0 mke2fs -q -t ext4 -d tree root.ext4 24M
  for sector in 512 4096; do
    make_disk disk.raw root.ext4 $sector gpt
    tar -cJf cloud.tar.xz disk.raw
    tar -cSf sparse.tar disk.raw
    mkdir -p box
    mv disk.raw box/box.img
    echo '{}' >box/metadata.json
    tar -czf box.tar.gz box
    tar -cf fs.tar root.ext4
    for source in cloud.tar.xz sparse.tar box.tar.gz fs.tar; do
      expect 0 banger image import mine $source
      same "$(in_image mine 'cat /srv/file')" large
      same "$(ls "$(dirname "$(root_of mine)")")" root.ext4
      [ "$(stat -c %b "$(root_of mine)")" -lt 20000 ]
      expect 0 banger image rm mine
    done
  done
  expect 3 banger image import none cloud.tar.xz --partition 9
  errors "'disk.raw' in 'cloud.tar.xz' has no partition 9"
  head -c -100 cloud.tar.xz >short
  expect 1 banger image import mine short
  # Of two nobody can tell which one is meant.
  cp root.ext4 other.ext4
  tar -cf two.tar root.ext4 other.ext4
  expect 1 banger image import mine two.tar
  errors "holds several disks, 'root.ext4' and 'other.ext4'"
  # No disk in use is so large.
  cp root.ext4 huge.ext4
  truncate -s 2T huge.ext4
  tar -cSf huge.tar huge.ext4
  expect 1 banger image import mine huge.tar
  errors 'holds a disk of more than 1T'
  tar -xOf two.tar other.ext4 | expect 0 banger image import mine -
  expect 0 banger image rm mine
  # In a root file system a disk is a file, wherever it comes.
  cp root.ext4 tree/a-disk
  cp root.ext4 tree/srv/disk
  tar -C tree -cf tree.tar a-disk sbin srv etc
  expect 0 banger image import mine tree.tar
  in_image mine 'dump /a-disk there'
  cmp there root.ext4
  in_image mine 'dump /srv/disk there'
  cmp there root.ext4
  expect 0 banger image rm mine
  # A disk of another form is told.
  { printf 'QFI\xfb'; head -c 1M /dev/urandom; } >disk.qcow2
  tar -cf q.tar disk.qcow2
  expect 1 banger image import mine q.tar
  errors "it holds 'disk.qcow2'"
  no_images
}

@test "block devices" {
  [ "$(id -u)" = 0 ] || skip 'only root has block devices'
  make_tree large
  expect 0 mke2fs -q -t ext4 -d tree root.ext4 24M
  make_disk disk root.ext4 512 gpt
  local device
  for source in root.ext4 disk; do
    device=$(losetup -f --show "$source" 2>/dev/null) || skip 'no loop devices'
    result=0
    {
      expect 0 banger image import mine "$device" &&
        same "$(in_image mine 'cat /srv/file')" large &&
        same "$(banger image show --json mine | jq -r .source)" "$device" &&
        [ "$(stat -c %b "$(root_of mine)")" -lt 20000 ] &&
        expect 0 banger image rm mine
    } || result=1
    losetup -d "$device"
    same $result 0
  done
  # A disk whose sectors have 4096 bytes themselves.
  make_disk disk root.ext4 4096 gpt
  device=$(losetup -b 4096 -f --show disk)
  result=0
  expect 0 banger image import mine "$device" || result=1
  losetup -d "$device"
  same $result 0
  same "$(in_image mine 'cat /srv/file')" large
  expect 0 banger image rm mine
  # A mounted device changes while it is read.
  device=$(losetup -f --show root.ext4)
  mkdir mounted
  result=0
  if mount "$device" mounted; then
    { expect 4 banger image import mine "$device" && errors 'mounted or part of another'; } || result=1
    umount mounted
  fi
  losetup -d "$device"
  same $result 0
  no_images
}

# bats test_tags=once
@test "what is no root file system is told with what would help" {
  try() { # HEAD-OF-A-FILE WHAT HELP
    { printf "$1"; head -c 70000 /dev/zero; } >it
    expect 1 banger image import mine it
    errors "'it': it is $2"
    errors "hint: .*$3"
    expect 1 banger image import mine - <it
    errors "'standard input': it is $2"
    gzip -kf it
    expect 1 banger image import mine it.gz
    errors "'it.gz': it is $2"
  }
  errors() { grep -Eq -- "$1" <<<"$stderr" || { printf 'no "%s" in:\n%s\n' "$1" "$stderr"; return 1; }; }
  try 'QFI\xfb' 'a qcow2 disk' 'qemu-img convert'
  try 'KDMV' 'a VMDK disk' 'qemu-img convert'
  try 'vhdxfile' 'a VHDX disk' 'qemu-img convert'
  try "$(printf '%064d' 0)"'\x7f\x10\xda\xbe' 'a VDI disk' 'qemu-img convert'
  try 'PK\3\4' 'a zip archive' 'banger image import NAME -'
  try '\x04\x22\x4d\x18' 'packed with lz4' 'banger image import NAME -'
  try '!<arch>\n' 'a package' 'debootstrap'
  try '\x7fELF' 'a program' 'a kernel comes with the bundle'
  try "$(printf '%0510d' 0)U\xaa..HdrS" 'a Linux kernel' 'comes with the bundle'
  # Another file system, whole or in a partition.
  truncate -s 300M xfs
  if mkfs.xfs -q xfs 2>/dev/null; then
    expect 1 banger image import mine xfs
    errors "'xfs': it is an XFS file system"
    errors 'tar -C DIR -c'
  fi
  # Containers in layers, and a root that lies a floor below.
  make_tree
  mkdir layers
  echo '{}' | tee layers/manifest.json layers/repositories >layers/oci-layout
  tar -C layers -cf t.tar .
  expect 1 banger image import mine t.tar
  errors 'docker export'
  rm -r layers t.tar
  for layer in 0123.tar 0123/layer.tar 0123.tar.gz blobs/sha256/0123; do
    mkdir -p "layers/$(dirname $layer)"
    echo '{}' | tee layers/manifest.json >layers/$layer
    tar -C layers -cf t.tar .
    rm -r layers
    expect 1 banger image import mine t.tar
    errors 'docker export'
  done
  truncate -s 2M disk
  printf '\x55\xaa' | dd of=disk bs=1 seek=510 conv=notrunc status=none
  expect 3 banger image import mine disk
  errors "'disk' has no partitions"
  [[ $stderr != *--partition* ]]
  mkdir above
  mv tree above/rootfs
  tar -cf t.tar above/rootfs
  expect 1 banger image import mine above
  errors "its root is in 'rootfs'"
  tar -C above -cf t.tar rootfs
  expect 1 banger image import mine t.tar
  errors "its root is in 'rootfs'"
  # Sources that lie elsewhere.
  expect 3 banger image import mine https://example.org/a.tar
  errors 'curl -L https://example.org/a.tar'
  for name in debian:12 docker://debian; do
    expect 3 banger image import mine $name
    errors 'docker export'
  done
  truncate -s 1M swap
  expect 0 mkswap -q swap
  expect 1 banger image import mine swap
  errors 'there are no files in that'
  expect 1 banger image import mine /proc/version
  errors "'/proc/version' is no tarball"
  # Files that cannot be read to their end.
  expect 2 banger image import mine /dev/zero
  errors 'no file, disk or directory'
  expect 2 "$BANGER_SOURCE/tests/on-terminal" -- banger image import mine -
  # An MBR whose partition ends behind the disk: it was cut.
  mv above/rootfs tree
  expect 0 mke2fs -q -t ext4 -d tree root.ext4 24M
  make_disk disk root.ext4 512 dos
  head -c 20M disk >short
  expect 1 banger image import mine short
  errors "'short' is cut short: its partition 1 ends"
  no_images
}

@test "a full disk gives the space back" {
  unshare -rm true 2>/dev/null || skip 'no user namespaces, so no file system of its own'
  make_tree
  head -c 40M /dev/urandom >tree/srv/big
  mkdir small
  BANGER_STATE_DIR=$root/home/small expect 1 unshare -rm sh -c '
    mount -t tmpfs -o size=24M,mode=700 none small
    banger image import mine tree && exit 9
    status=$?
    test "$(ls small/images)" = "" && test "$(du -sm small | cut -f1)" -lt 8 || exit 8
    exit $status'
  errors 'no space left on device'
}

@test "an import that a signal ends leaves nothing, at once" {
  make_tree
  expect 0 mke2fs -q -t ext4 -d tree root.ext4 24M
  make_disk disk root.ext4 512 gpt
  gzip -1 <disk >disk.gz
  tar -C tree -cf t.tar .
  mkfifo pipe
  for signal in INT TERM HUP; do
    for source in t.tar disk.gz; do
      # In the background, where a shell has SIGINT ignored: not so here.
      python3 -c 'import os, signal, sys
for s in (signal.SIGINT, signal.SIGHUP): signal.signal(s, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])' banger-image import mine - <pipe 3>&- &
      local import=$!
      exec 8>pipe
      head -c 2000 $source >&8
      await 10 sh -c 'ls "$BANGER_STATE_DIR"/images/*/import.lock'
      kill -"$signal" "$import"
      status=0
      wait "$import" || status=$?
      exec 8>&-
      same "$status" $((128 + $(kill -l "$signal")))
      same "$(ls "$BANGER_STATE_DIR/images")" ''
    done
  done
  no_images
}

@test "two imports of one name at once: one is done, the other a conflict" {
  make_tree
  mkfifo pipe
  banger image import mine - <pipe 3>&- & first=$!
  exec 8>pipe
  await 10 test -e "$BANGER_STATE_DIR/images"
  await 10 sh -c 'ls "$BANGER_STATE_DIR"/images/*/import.lock'
  expect 4 banger image import mine tree
  errors "image 'mine' exists already"
  # Half an import is nobody's.
  expect 0 banger image list --json
  same "$output" ''
  expect 3 banger image show mine
  expect 4 banger image rm mine
  expect 0 banger image import --size 16M other tree
  tar -C tree -cf - . >&8
  exec 8>&-
  wait $first
  expect 0 banger image list -q
  same "$output" $'mine\nother'
  expect 4 banger image import mine tree
}

# bats test_tags=once
@test "killed, or out of space, at each point it passes" {
  banger vm failpoints >/dev/null 2>&1 || skip 'this build has no failpoints'
  make_tree
  expect 0 mke2fs -q -t ext4 -d tree root.ext4 16M
  tar -C tree -cf t.tar .
  make_disk disk root.ext4 512 gpt
  tar -czf disk.tar.gz disk
  expect 0 banger image import --size 16M first tree # the state and its directories are there
  expect 0 banger image rm first
  for source in root.ext4 't.tar --size 16M' disk.tar.gz; do
    rm -f trace
    # shellcheck disable=SC2086 # the source and its options
    BANGER_FAILPOINT_TRACE=$PWD/trace expect 0 banger image import mine $source
    expect 0 banger image rm mine
    [ "$(wc -l <trace)" -gt 8 ]
    for action in kill enospc; do
      declare -A seen=()
      while read -r name; do
        seen[$name]=$((${seen[$name]:-0} + 1))
        point="$name#${seen[$name]}:$action"
        status=0
        # shellcheck disable=SC2086
        BANGER_FAILPOINT=$point banger image import mine $source >out 2>&1 || status=$?
        case $action:$status in
          kill:137 | enospc:1) ;;
          enospc:0) expect 0 banger image rm mine ;; # in a step that only tidies up
          *) echo "$point: $status"; cat out; false ;;
        esac
        # Killed after its last commit it is whole.
        if [ "$(banger image list -q)" = mine ]; then
          expect 0 e2fsck -fn "$(root_of mine)"
          expect 0 banger image rm mine
        fi
        no_images || { echo "after $point"; false; }
      done <trace
    done
  done
}

@test "an image that VMs stand on stays, and the error names them" {
  make_tree
  expect 0 banger image import --size 16M mine tree
  expect 0 banger vm create --image mine --root overlay a b
  expect 0 banger vm show --json a
  schema vm
  same "$(field '.image.name + " " + .root.way')" 'mine overlay'
  expect 4 banger image rm mine
  errors 'a, b stand on it'
  errors 'banger vm rm a b removes the VMs with all disks; neither can be brought back'
  expect 4 banger vm create --image mine a
  errors 'banger vm rm a removes it with its disks, which cannot be brought back'
  expect 4 banger image rm mine
  errors 'hint: banger vm reset --image OTHER a b gives the VMs root disks from another image'
  expect 0 banger image show --json mine
  same "$(field .vms)" 2
  expect 0 banger image prune
  same "$output" ''
  expect 0 banger vm rm a b
  expect 0 banger image prune --dry-run
  same "$output" 'mine: unused'
  if banger vm failpoints >/dev/null 2>&1; then # two prune at once, and both have what they wanted
    lock_is_held() { grep -q ":$(stat -c %i "$BANGER_STATE_DIR/images.lock") " /proc/locks; }
    BANGER_FAILPOINT=state.commit#1:sleep=2000 banger image prune >first 2>&1 3>&- &
    await 10 lock_is_held
    expect 0 banger image prune --json
    schema result
    same "$(field '"\(.name) \(.ok) \(.changed) \(.state)"')" 'mine true false removed'
    wait $!
    same "$(cat first)" 'mine: removed'
  else
    expect 0 banger image prune
    same "$output" 'mine: removed'
  fi
  expect 3 banger image rm mine
  expect 3 banger image show mine
  no_images
}

@test "no imported image is taken for the bundle's own" {
  bundle=$(runtime_bundle) || skip 'no bundle'
  variant=$(jq -r '.roots[0].variant' "$bundle/bundle.json")
  export BANGER_RUNTIME_DIR=$bundle
  make_tree
  expect 4 banger image import --size 16M "$variant" tree
  errors "cannot import image '$variant': the bundle has one of that name"
  errors "hint: take another name, such as my-$variant"
  expect 0 banger image import --size 16M "my-$variant" tree
  # One that was imported before there was such a bundle.
  mkdir none
  BANGER_RUNTIME_DIR=$PWD/none expect 0 banger image import --size 16M "$variant" tree
  id=$(banger image show --json "$variant" | jq -r .id)
  BANGER_RUNTIME_DIR=$PWD/none expect 0 banger vm create --image "$variant" before
  printf '[vm]\nimage = "%s"\n' "$variant" | write_config
  for options in "--image $variant" ''; do
    # shellcheck disable=SC2086 # an option and its value
    expect 4 banger vm create $options new
    errors "image '$variant' was imported, and the bundle has another of that name"
    errors "hint: --image $id is the imported one"
    expect 3 banger vm show new
  done
  expect 0 banger vm create --image "$id" new
  expect 0 banger vm reset before
  expect 0 banger vm rm before new
  expect 0 banger image rm "$variant"
}

@test "an image of an earlier bundle stays for its VMs, under another name; one of an earlier list is stale" {
  bundle=$(runtime_bundle) || skip 'no bundle'
  mkdir copy
  part=$(jq -r '.parts[] | select(.name == "root-tiny").file' "$bundle/bundle.json")
  for file in "$part" $(jq -r '.parts[] | select(.name | startswith("root-") | not).file' "$bundle/bundle.json"); do
    cp --sparse=always "$bundle/$file" copy/
  done
  chmod u+w copy/*
  jq 'del(.parts[] | select(.name | startswith("root-") and . != "root-tiny")) | .roots |= map(select(.variant == "tiny"))' \
    "$bundle/bundle.json" >copy/bundle.json
  export BANGER_RUNTIME_DIR=$PWD/copy
  # Built before a package was added to its list.
  list=$(sha256sum "$BANGER_SOURCE/runtime/root/tiny/packages" | cut -d' ' -f1)
  cp copy/bundle.json current
  jq --arg sum "$(echo busybox-static | sha256sum | cut -d' ' -f1)" '.roots[0].packages_hash = $sum' \
    current >copy/bundle.json
  expect 0 banger vm create --image tiny -j 2 old older
  same "$stderr" "banger-vm: image 'tiny' is stale: its package list has changed since it was built; banger bundle build --variant tiny builds it anew"
  expect 0 banger vm rm older
  expect 0 banger image list --json
  schema image
  same "$(field .stale)" true
  for verb in list 'show tiny'; do
    expect 0 banger image $verb # two words
    errors "banger-image: image 'tiny' is stale"
    expect 0 banger image $verb -q
    same "$stderr" ''
  done
  expect 0 banger vm create --image tiny -q older
  same "$stderr" ''
  expect 0 banger vm rm older
  jq --arg sum "$list" '.roots[0].packages_hash = $sum' current >copy/bundle.json
  id=$(banger vm show --json old | jq -r .image.id)
  # The next bundle's root.
  debugfs -w -R 'mkdir /newer' "copy/$part" 2>/dev/null
  sum=$(sha256sum "copy/$part" | cut -d' ' -f1)
  jq --arg sum "$sum" '(.parts[] | select(.name == "root-tiny").sha256) = $sum' copy/bundle.json >next
  mv next copy/bundle.json
  expect 0 banger vm create --image tiny new
  same "$stderr" ''
  expect 0 banger image show --json "tiny-${id:0:4}" tiny
  schema image
  same "$(field '"\(.name) \(.stale)"')" "tiny-${id:0:4} true"$'\n''tiny false'
  same "$(banger vm show --json old | jq -r '.image | "\(.id) \(.name)"')" "$id tiny-${id:0:4}"
  same "$(banger vm show --json new | jq -r .image.name)" tiny
  same "$(banger image show --json tiny | jq -r .sha256)" "$sum"
  # A reset keeps to its own image; another has to be asked for.
  expect 0 banger vm reset old
  same "$(banger vm show --json old | jq -r .image.id)" "$id"
  expect 0 banger vm reset --image tiny old
  same "$(banger vm show --json old | jq -r .image.name)" tiny
  expect 0 banger image prune
  same "$output" "tiny-${id:0:4}: removed"
}
