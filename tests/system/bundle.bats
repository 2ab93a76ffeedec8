#!/usr/bin/env bats
# Bundles built from Debian's archive, booted with seeds of the test's own making, and builds that
# die half-way. One tiny bundle is built for all; a test that changes it works on a copy of links.
load ../lib
load points

# Every later build gets the packages that the first one fetched: apt's answers are kept and given
# again by programs that come first in PATH, unless REAL_APT is set.
setup_file() {
  export BUNDLE_WORLD
  BUNDLE_WORLD=$(mktemp -d "${TMPDIR:-/tmp}/bb.XXXXXX")
  export BUNDLE=$BUNDLE_WORLD/bundle
  mkdir "$BUNDLE_WORLD/bin" "$BUNDLE_WORLD/kept"
  cat >"$BUNDLE_WORLD/bin/apt-get" <<EOF
#!/bin/sh
kept=$BUNDLE_WORLD/kept real=$(command -v apt-get)
archives=\${APT_CONFIG%/*}/apt/archives
if [ -n "\${REAL_APT:-}" ] || [ "\$1" = indextargets ]; then
  "\$real" "\$@" || exit
  case \$1 in download) cp ./*.deb "\$kept" ;; install) cp -r "\$archives" "\$kept" ;; esac
else
  case \$1 in
    update) ;;
    download) cp "\$kept/\$2"_*.deb . ;;
    install) cp "\$kept"/archives/*.deb "\$archives" ;;
    *) exit 99 ;;
  esac
fi
EOF
  cat >"$BUNDLE_WORLD/bin/apt-cache" <<EOF
#!/bin/sh
[ -z "\${REAL_APT:-}" ] || $(command -v apt-cache) "\$@" >$BUNDLE_WORLD/kept/depends || exit
cat $BUNDLE_WORLD/kept/depends
EOF
  chmod +x "$BUNDLE_WORLD"/bin/*
  REAL_APT=yes PATH=$BUNDLE_WORLD/bin:$PATH BANGER_STATE_DIR=$BUNDLE_WORLD/state \
    banger-bundle build --variant tiny --out "$BUNDLE"
}
teardown_file() { rm -rf -- "$BUNDLE_WORLD"; }
setup() {
  private_root
  PATH=$BUNDLE_WORLD/bin:$PATH # not in setup_file: each test sets its own
}
teardown() { remove_private_root; }

part() { echo "${2:-$BUNDLE}/$(jq -r ".parts[] | select(.name == \"$1\").file" "${2:-$BUNDLE}/bundle.json")"; }
root_copy() { cp --sparse=always "$(part root-tiny)" "$root/root.ext4"; }
# boot ARG...: the console in $output; the VM must end by itself.
boot() { expect 0 "$BANGER_SOURCE/tests/boot-initrd" --bundle "$BUNDLE" "$@"; }
stages() { sed -n 's/^banger-init: \([a-z]*\) [0-9]*\.[0-9][0-9][0-9]$/\1/p' <<<"$output" | xargs; }
all_stages="start modules seed net disk files switch"
# A bundle like the common one whose root has to be built anew.
stale_copy() {
  cp -al "$BUNDLE" "$1"
  rm -f "$1/build.log" "$1/.lock"
  jq '(.parts[] | select(.name == "root-tiny")).inputs = "stale"' "$BUNDLE/bundle.json" >"$1/new"
  mv "$1/new" "$1/bundle.json"
}
whole() {
  expect 0 banger bundle verify --runtime-dir "$1"
  same "$(wc -l <<<"$output")" 4
}
no_remains() {
  same "$(find "$1" -name '.build-*' -o -name '.*.tmp')" ""
  same "$(find "$1" -name 'root-*' -o -name 'kernel-*' -o -name 'initrd-*' | wc -l)" 4
}

@test "what was built is whole, and has the parts that it should" {
  whole "$BUNDLE"
  expect 0 banger bundle show --runtime-dir "$BUNDLE" --json
  schema bundle
  same "$(field '[.parts[].name] | sort | join(" ")')" "initrd kernel kernel-elf root-tiny"
  same "$(field .name)" debian-bookworm-amd64
  [[ $(file -b "$(part kernel)") == *"bzImage"* ]]
  [[ $(file -b "$(part kernel-elf)") == "ELF 64-bit LSB executable, x86-64"* ]]
  same $(($(stat -c %s "$(part initrd)") % 4)) 0
  expect 0 e2fsck -fn "$(part root-tiny)"
  same "$(stat -c %s "$(part root-tiny)")" $((256 << 20))
  [ "$(du -k "$(part root-tiny)" | cut -f1)" -lt 32768 ]
  same "$(jq -r '.roots[0].packages_hash' "$BUNDLE/bundle.json")" \
    "$(sha256sum "$BANGER_SOURCE/runtime/root/tiny/packages" | cut -d' ' -f1)"
  jq -r '.roots[0].installed[]' "$BUNDLE/bundle.json" | grep -q '^dropbear-bin '
  same "$(find "$BUNDLE" -perm /022 -o -not -perm -444 -not -name .lock)" ""
}

# bats test_tags=once
@test "a second build builds nothing" {
  local before
  before=$(stat -c '%n %i %Y' "$BUNDLE"/*)
  expect 0 banger bundle build --variant tiny --out "$BUNDLE"
  outputs "is up to date"
  same "$(stat -c '%n %i %Y' "$BUNDLE"/*)" "$before"
  expect 0 banger bundle build --variant tiny --out "$BUNDLE" --json
  schema bundle
}

# bats test_tags=boots
@test "every stage is told, in order, with its time" {
  root_copy
  boot --root "$root/root.ext4" --seed hostname=demo --seed address=10.0.2.15 \
    --seed gateway=10.0.2.2 --seed mac=52:54:00:12:34:56 \
    --run 'hostname; ip -4 addr show eth0; ip route; cat /proc/mounts; ls /dev/fd/
      stat -c "%u:%g %a %n" / /etc /etc/shadow /usr/bin/busybox /tmp'
  same "$(stages)" "$all_stages"
  outputs "
demo
"
  outputs "inet 10.0.2.15/24"
  outputs "default via 10.0.2.2 dev eth0"
  outputs "/dev/vda / ext4 rw"
  outputs "0:0 755 /
0:0 755 /etc
0:0 640 /etc/shadow
0:0 755 /usr/bin/busybox
0:0 1777 /tmp
status 0"
}

# bats test_tags=boots
@test "a file of the seed is in the root, with its mode; a link there is replaced" {
  root_copy
  echo 'nameserver 10.0.2.3' >"$root/resolv"
  echo secret >"$root/key"
  chmod 600 "$root/key"
  debugfs -w -R 'symlink /etc/resolv.conf /run/none' "$root/root.ext4"
  boot --root "$root/root.ext4" --file "etc/resolv.conf=$root/resolv" \
    --file "etc/new/dir/key=$root/key" --run 'ls -ln /etc/resolv.conf /etc/new/dir; cat /etc/resolv.conf'
  [[ $output =~ -rw-r--r--\ +1\ 0\ +0\ .*/etc/resolv.conf ]]
  [[ $output =~ -rw-------\ +1\ 0\ +0\ .*key ]]
  outputs "nameserver 10.0.2.3"
}

# bats test_tags=boots
@test "a root with links cannot lead a file out of it" {
  # The link in place of /etc would lead to the initrd's own directory, were it followed there.
  mkdir -p "$root/tree/real/banger"
  ln -s /../../banger "$root/tree/etc"
  echo x >"$root/hostname"
  mke2fs -q -t ext4 -d "$root/tree" "$root/hostile.ext4" 16M
  boot --root "$root/hostile.ext4" --file "etc/hostname=$root/hostname"
  same "$(stages)" "start modules seed net disk"
  outputs "banger-init: failed at files: cannot make 'etc'"
  rm "$root/tree/etc"
  ln -s /real/banger "$root/tree/etc"
  mke2fs -q -F -t ext4 -d "$root/tree" "$root/hostile.ext4" 16M
  boot --root "$root/hostile.ext4" --file "etc/hostname=$root/hostname"
  outputs "banger-init: failed at switch: the root has no init"
  same "$(debugfs -R 'cat /real/banger/hostname' "$root/hostile.ext4" 2>/dev/null)" x
}

# bats test_tags=boots
@test "overlay: the base stays as it was, the upper device keeps what changed" {
  local base
  root_copy
  base=$(sha256sum "$root/root.ext4")
  mke2fs -q -t ext4 "$root/upper.ext4" 64M
  boot --root "$root/root.ext4" --upper "$root/upper.ext4" --seed disk=overlay \
    --run 'echo kept >/etc/marker; rm /etc/profile; mv /usr/share /usr/moved; echo d >/var/lib/docker/f'
  same "$(stages)" "$all_stages"
  outputs "status 0"
  boot --root "$root/root.ext4" --upper "$root/upper.ext4" --seed disk=overlay \
    --run 'cat /etc/marker /var/lib/docker/f; test ! -e /etc/profile; ls /usr; grep -E " /( |var)" /proc/mounts'
  outputs "
kept
d
"
  outputs "moved"
  outputs "overlay / overlay rw"
  outputs "/dev/vdb /var/lib/docker ext4 rw"
  outputs "/dev/vdb /var/lib/containers ext4 rw"
  same "$(sha256sum "$root/root.ext4")" "$base"
}

# bats test_tags=boots
@test "each stage that fails says why, and the VM reboots" {
  root_copy
  boot --no-seed --root "$root/root.ext4"
  same "$(stages)" "start modules"
  outputs "banger-init: failed at seed: there is no seed: No such file or directory"
  boot
  same "$(stages)" "start modules seed net"
  outputs "banger-init: failed at disk: no device '/dev/vda' in 10 s"
  truncate -s 16M "$root/empty"
  boot --root "$root/empty"
  outputs "banger-init: failed at disk: cannot mount '/dev/vda': it holds no usable ext4"
  boot --root "$root/root.ext4" --seed init=/none
  same "$(stages)" "start modules seed net disk files"
  outputs "banger-init: failed at switch: the root's init '/none' cannot be run"
}

# bats test_tags=boots
@test "a network that fails is told, and does not stop the boot" {
  root_copy
  boot --root "$root/root.ext4" --seed address=10.0.2.15 --seed mac=52:54:00:00:00:01 --run true
  same "$(stages)" "start modules seed disk files switch"
  outputs "banger-init: failed at net: no interface has the address 52:54:00:00:00:01"
  outputs "status 0"
}

# bats test_tags=boots
@test "a seed that does not begin on four bytes is seen to be lost" {
  root_copy
  boot --root "$root/root.ext4" --pad 1
  outputs "banger-init: failed at seed: there is no seed"
}

# bats test_tags=boots
@test "the root's own init starts its ssh server at once" {
  # Without a host key it says so: it was started.
  root_copy
  boot --root "$root/root.ext4" --until "Failed loading /etc/dropbear/dropbear_ed25519_host_key"
  same "$(stages)" "$all_stages"
  outputs "Failed loading /etc/dropbear/dropbear_ed25519_host_key"
}

# kill_at POINT#N DIR: what is left must be whole.
kill_at() {
  echo "killed at $1"
  BANGER_FAILPOINT=$1:kill BANGER_FAILPOINT_IN=banger-bundle \
    expect 137 banger bundle build --variant tiny --out "$2" "${@:3}"
  whole "$2"
}

# Passes of a name at which a build is killed, out of so many: each takes seconds. All of them where
# every point was asked for.
some_of() {
  if [ -n "${BANGER_TEST_EVERY_POINT:-}" ]; then
    seq "$1"
  else
    printf '%s\n' 1 $(($1 / 2)) $(($1 - 1)) "$1" | awk '$1 > 0' | sort -nu
  fi
}

@test "a build killed anywhere leaves the old bundle, and the next one finishes the work" {
  local dir=$root/b point passes n trace=$root/trace
  stale_copy "$dir"
  BANGER_FAILPOINT_TRACE=$trace BANGER_FAILPOINT_IN=banger-bundle \
    expect 0 banger bundle build --variant tiny --out "$dir"
  [ -s "$trace" ] || skip "built without failpoints"
  no_remains "$dir"
  # Each on the remains of the one before, as long as there is something to do.
  while read -r point passes; do
    for n in $(some_of "$passes"); do
      if [ ! -d "$dir" ] || ! grep -q '"stale"' "$dir/bundle.json"; then
        rm -rf "$dir"
        stale_copy "$dir"
      fi
      kill_at "$point#$n" "$dir"
    done
  done < <(sort "$trace" | uniq -c | awk '{ print $2, $1 }')
  expect 0 banger bundle build --variant tiny --out "$dir"
  whole "$dir"
  no_remains "$dir"
}

# bats test_tags=once
@test "a build of all killed between its parts leaves a whole bundle" {
  local dir=$root/b trace=$root/trace last
  cp -al "$BUNDLE" "$dir"
  BANGER_FAILPOINT_TRACE=$trace BANGER_FAILPOINT_IN=banger-bundle \
    expect 0 banger bundle build --variant tiny --out "$dir" --force
  [ -s "$trace" ] || skip "built without failpoints"
  # The last renames: kernel, kernel-elf, initrd, bundle.json, one of the root's, root, bundle.json.
  last=$(grep -c rename "$trace")
  kill_at "sys.rename#$((last - 4))" "$dir" --force
  kill_at "sys.rename#$((last - 3))" "$dir" --force
  kill_at "sys.rename#$last" "$dir" --force
  expect 0 banger bundle build --variant tiny --out "$dir"
  whole "$dir"
  no_remains "$dir"
}

# bats test_tags=once
@test "two builds at once: one builds, the other waits and finds it done" {
  local dir=$root/b
  stale_copy "$dir"
  banger bundle build --variant tiny --out "$dir" >"$root/one" &
  expect 0 banger bundle build --variant tiny --out "$dir"
  wait $!
  same "$(cat "$root/one" - <<<"$output" | grep -c 'built root-tiny')" 1
  same "$(cat "$root/one" - <<<"$output" | grep -c 'is up to date')" 1
  whole "$dir"
  no_remains "$dir"
}

# bats test_tags=once
@test "a program that fails is told with its last words and the log" {
  local dir=$root/b
  stale_copy "$dir"
  mkdir "$root/bin"
  printf '#!/bin/sh\necho "the disk is on fire" >&2\nexit 3\n' >"$root/bin/mke2fs"
  chmod +x "$root/bin/mke2fs"
  PATH=$root/bin:$PATH expect 1 banger bundle build --variant tiny --out "$dir"
  errors "failed (exit status 3): the disk is on fire"
  errors "log: $dir/build.log"
  grep -q "the disk is on fire" "$dir/build.log"
  whole "$dir"
  no_remains "$dir"
}

# bats test_tags=once
@test "a full disk in the middle of a build: the old bundle stays, the space is given back" {
  local dir=$root/b
  stale_copy "$dir"
  BANGER_FAILPOINT='sys.create#8:enospc' BANGER_FAILPOINT_IN=banger-bundle \
    expect 1 banger bundle build --variant tiny --out "$dir"
  errors "no space left on device"
  whole "$dir"
  no_remains "$dir"
}

# bats test_tags=once
@test "a part that went missing is built again" {
  local dir=$root/b
  cp -al "$BUNDLE" "$dir"
  rm "$(part root-tiny "$dir")"
  expect 5 banger bundle verify --runtime-dir "$dir"
  expect 0 banger bundle build --variant tiny --out "$dir"
  outputs "built root-tiny"
  whole "$dir"
}
