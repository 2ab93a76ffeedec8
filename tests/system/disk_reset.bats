#!/usr/bin/env bats
# A reset that dies at any point leaves the old root or the new one, and the row says which.
load ../lib
load vm

setup() {
  vm_root
  banger vm failpoints >/dev/null 2>&1 || skip 'this build has no failpoints'
}

mark() { debugfs -w -R "write $root/mark /mark" "$1" >/dev/null 2>&1; }
is_marked() { debugfs -R 'stat /mark' "$1" 2>/dev/null | grep -q Inode; }

@test "killed, or out of space, at each point it passes" {
  echo old >"$root/mark"
  mkdir -p tree/sbin
  printf '#!/bin/sh\n' >tree/sbin/init
  chmod 755 tree/sbin/init
  for way in copy overlay; do
    file=root.img
    [ $way = copy ] || file=upper.img
    expect 0 banger image import one tree
    expect 0 banger image import two tree
    expect 0 banger vm create --image one --root $way --work-disk 16M r
    expect 0 banger vm reset --image two r
    dir=$(disk_of r '')
    work=$(sha256sum "$dir/work.img")
    rm -f "$root/trace"
    BANGER_FAILPOINT_TRACE=$root/trace expect 0 banger vm reset --image one r
    [ "$(wc -l <"$root/trace")" -gt 3 ]
    for action in kill enospc; do
      declare -A seen=()
      while read -r name; do
        seen[$name]=$((${seen[$name]:-0} + 1))
        point="$name#${seen[$name]}:$action"
        expect 0 banger vm reset --image one r
        mark "$dir/$file"
        status=0
        BANGER_FAILPOINT=$point banger vm reset --image two r >out 2>&1 || status=$?
        case $action:$status in
          kill:137 | enospc:1) ;;
          enospc:0) ;; # in a step that only tidies up
          *) echo "$point: $status"; cat out; false ;;
        esac
        # A reset that failed before it was decided is undone by itself.
        if [ "$action:$status" = enospc:1 ] && [ "$(vm_field r .image.name)" = one ]; then
          same "$(find "$dir" -name '*reset*')" '' || { echo "after $point"; false; }
        fi
        expect 0 banger vm stop r # the next verb on it settles what is left
        case $(vm_field r '.state + " on " + .image.name') in
          'stopped on one') is_marked "$dir/$file" ;;
          'stopped on two') ! is_marked "$dir/$file" ;;
          *) false ;;
        esac || { echo "after $point"; false; }
        expect 0 e2fsck -fn "$dir/$file"
        same "$(ls -A "$dir" | sort | tr '\n' ' ')" "op.lock $file work.img " || { echo "after $point"; false; }
      done <"$root/trace"
    done
    expect 0 banger doctor --leaks
    same "$output" ''
    same "$(sha256sum "$dir/work.img")" "$work"
    expect 0 banger vm rm r
    expect 0 banger image rm one two
  done
}
