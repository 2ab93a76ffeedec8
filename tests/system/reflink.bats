#!/usr/bin/env bats
# Roots on a file system that shares extents: one of its own in a file, which only root can mount.
load ../lib
load vm

setup() {
  vm_root
  [ "$(id -u)" -eq 0 ] || skip 'only root mounts a file system'
  command -v mkfs.xfs >/dev/null || skip 'no mkfs.xfs'
  truncate -s 1G "$root/xfs"
  mkfs.xfs -q "$root/xfs"
  mkdir -m 700 "$BANGER_STATE_DIR"
  # Seen by this test alone, and gone with it.
  unshare -m true || skip 'no mount namespaces'
}
teardown() { remove_private_root; }

on_xfs() {
  export root tiny
  unshare -m bash -euc "$(declare -f)
    mount -o loop \"\$root/xfs\" \"\$BANGER_STATE_DIR\"
    chmod 700 \"\$BANGER_STATE_DIR\"
    trap 'banger vm rm --force --all >/dev/null 2>&1' EXIT
    $1"
}

taken() { df --output=used -k "$BANGER_STATE_DIR" | tail -1 | tr -d ' '; }

shared() {
  expect 0 banger vm create --image tiny --memory 128M --accel tcg one
  same "$(vm_field one .root.way)" reflink
  image=$(banger image show --json tiny | jq -r .paths.root)
  before=$(sha256sum <"$image")
  # Another costs nothing of the image's size.
  start=$(taken)
  expect 0 banger vm create --image tiny --memory 128M --accel tcg --disk 512M two
  [ $(($(taken) - start)) -lt 1024 ]
  expect 0 banger vm start one two
  expect 0 banger ssh one -- sh -c 'echo mine > /root/file; sync'
  expect 0 banger ssh two -- test ! -e /root/file
  [ "$(df_mib two /)" -gt 400 ]
  expect 0 banger vm stop one two
  same "$(sha256sum <"$image")" "$before"
  expect 0 banger vm reset one
  expect 0 banger vm start one
  expect 0 banger ssh one -- test ! -e /root/file
  expect 4 banger image rm tiny
  expect 0 banger vm rm --force one two
  expect 0 banger doctor --leaks
}

@test "roots share the image's extents, are apart all the same, and grow" { on_xfs shared; }
