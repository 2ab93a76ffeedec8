#!/usr/bin/env bats
# The output that people see at a terminal: progress, --watch, and whether it fits.
# bats file_tags=once
load ../lib

setup() {
  private_root
  export LC_ALL=C.UTF-8 TERM=xterm
}
teardown() { remove_private_root; }

on_terminal() { "$BANGER_SOURCE/tests/on-terminal" "$@"; }
made() { expect 0 banger vm create --image tiny --memory 128M "$@"; }
erase=$'\r\033[K'

# The smallest thing that is a root file system.
tarball() {
  mkdir -p "$root/tree/sbin"
  printf '#!/bin/sh\n' >"$root/tree/sbin/init"
  chmod 755 "$root/tree/sbin/init"
  tar -C "$root/tree" -cf "$root/root.tar" .
}

@test "what takes over a second tells its stage and its time, and leaves no trace of it" {
  tarball
  name=$(printf 'a%.0s' $(seq 63)) # gives way to the stage
  # The rest of the tarball comes when the time was shown.
  # shellcheck disable=SC2016 # for the inner shell
  on_terminal 'a: importing the image  =x' -- bash -c \
    '{ read -rsn 1; cat "$0"; } | banger image import --size 32M "$1" -' "$root/root.tar" "$name" >"$root/shown"
  shown=$(cat "$root/shown")
  # Each look replaces the one before; the result replaces the last.
  [[ $shown == "$erase"aaa*…*aaa:\ importing\ the\ image\ \ [1-9].?s"$erase"* ]]
  [[ ${shown%"$erase"} == *s"$erase$name: ready"$'\r\n' ]]
  same "$(tr '\r' '\n' <<<"$shown" | LC_ALL=C.UTF-8 grep -aE '.{83}')" '' # 80, and the erasing
  same "$(tr -d '\n' <<<"$shown" | tr '\r' '\n' | grep -av $'^\033\\[K')" ''
  # A command that ends before the first look shows nothing.
  on_terminal -- banger image rm "$name" >"$root/shown"
  same "$(grep -ac . "$root/shown")" 1
  same "$(grep -ac ' [0-9.]*s' "$root/shown")" 0
}

@test "--no-progress, -q and a standard error that is no terminal: no progress" {
  tarball
  # shellcheck disable=SC2016 # for the inner shells
  {
    on_terminal -- bash -c '{ sleep 1.3; cat "$0"; } | banger --no-progress image import --size 32M a -' \
      "$root/root.tar" >"$root/a" 3>&- &
    on_terminal -- bash -c '{ sleep 1.3; cat "$0"; } | banger image import --size 32M -q b -' \
      "$root/root.tar" >"$root/b" 3>&- &
    on_terminal -- bash -c '{ sleep 1.3; cat "$0"; } | banger image import --size 32M c - 2>errors' \
      "$root/root.tar" >"$root/c" 3>&- &
    { sleep 1.3; cat "$root/root.tar"; } | banger image import --size 32M d - >"$root/d" 2>"$root/errors" 3>&- &
  }
  wait
  same "$(cat "$root/a")" $'a: ready\r'
  same "$(cat "$root/b")" $'b\r'
  same "$(cat "$root/c")" $'c: ready\r'
  same "$(cat "$root/d")" 'd: ready'
  same "$(cat errors "$root/errors")" ''
}

# The lines of the last picture that was painted whole.
picture() { tr -d '\r' <"$root/shown" | awk -v RS='\033\\[H' '/\033\[J/ { last = $0 } END { print last }'; }
shows() { picture | grep -q "$1"; }

@test "--watch paints in place, and Ctrl-C leaves the terminal as it was" {
  for verb in 'list' 'stats --all'; do
    made one
    # shellcheck disable=SC2086
    on_terminal 'two=' 'three=' '\x1b[J=\x03' -- \
      banger vm $verb --watch --interval 100ms >"$root/shown" 3>&- &
    watch=$!
    await 10 shows one
    made two
    await 10 shows two
    expect 0 banger vm rm one # its line goes
    made three
    status=0
    wait $watch || status=$?
    same "$status" 130
    same "$(picture | sed 's/\x1b\[[KJ]//g; s/\^C//; s/ .*//' | grep . | xargs)" "NAME three two"
    # Only the cursor is moved and lines are erased: no mode is set, so none can be left.
    same "$(grep -aoP '\x1b(\[[0-9;?]*.|[^[])' "$root/shown" | sort -u | xargs)" \
      "$(printf '\033[H \033[J \033[K')"
    expect 0 banger vm rm two three
  done
  made one
  # Into a pipe one list after the other.
  expect 0 bash -c 'banger vm list --watch --interval 100ms | head -n 5'
  same "$(grep -c '^one' <<<"$output")" 2
  same "$(tr -d '\033' <<<"$output")" "$output"
}

# No line of what is shown is longer than 80 columns.
fits() {
  on_terminal -- "$@" | sed 's/\r//g; s/\x1b\[K//g' >"$root/shown"
  [ -s "$root/shown" ]
  same "$(LC_ALL=C.UTF-8 grep -E '.{81}' "$root/shown")" ''
}
shown() { contains 'the terminal' "$(cat "$root/shown")" "$1"; }

@test "tables fit 80 columns, whatever they hold, and show what matters" {
  long=$(printf 'a%.0s' $(seq 63))
  tarball
  mv "$root/root.tar" "$root/$long-$long.tar"
  expect 0 banger image import --size 32M "$long" "$root/$long-$long.tar"
  made --image "$long" --label "key=$(printf 'v%.0s' $(seq 200))" --label x=y --publish 65535:65535 "$long"
  fits banger vm list
  shown "$long" # whole, whatever gives way
  shown 'stopped'
  fits banger vm stats --all
  fits banger vm events
  shown 'vm.created id='
  fits banger image list
  shown '.tar'
  fits banger net status
  fits banger bundle show
  fits banger vm preflight
  # In a pipe nothing is cut.
  for verb in 'vm list' 'vm events' 'image list'; do
    # shellcheck disable=SC2086
    expect 0 banger $verb
    outputs "$long"
  done
}

@test "a pipe has the width that COLUMNS tells, as watch does; else nothing is cut" {
  tarball
  name=$(printf 'n%.0s' $(seq 30))
  expect 0 banger image import --size 32M "$name" "$root/root.tar"
  made --image "$name" --label "key=$(printf 'v%.0s' $(seq 100))" "$name"
  for verb in 'vm list' 'image list' 'vm stats --all' 'vm events' 'net status' "vm show $name"; do
    # shellcheck disable=SC2086
    banger $verb | sed 's/[0-9.]*[0-9]s$//' >"$root/whole"
    for columns in 80 60 40; do
      # shellcheck disable=SC2086
      COLUMNS=$columns banger $verb | cat >"$root/shown"
      [ -s "$root/shown" ]
      # A path or a name stays whole.
      same "$(LC_ALL=C.UTF-8 grep -E ".{$((columns + 1))}" "$root/shown" | grep -vE '/[^ ]{20}|^network|[^ ]{30}')" ''
    done
    for columns in 0 x -5 40x '' 99999999999999999999999; do
      # shellcheck disable=SC2086
      same "$(COLUMNS=$columns banger $verb | sed 's/[0-9.]*[0-9]s$//')" "$(cat "$root/whole")"
    done
    # shellcheck disable=SC2086
    COLUMNS=40 banger $verb >"$root/file"
    same "$(sed 's/[0-9.]*[0-9]s$//' "$root/file")" "$(cat "$root/whole")"
  done
  COLUMNS=40 banger vm list | grep -q "^$name"
  [ "$(COLUMNS=40 banger vm list | wc -L)" -le 40 ]
  [ "$(banger vm list | wc -L)" -gt 100 ]
  # Output for programs is never cut.
  same "$(COLUMNS=40 banger vm list --json | jq -r '.labels.key | length')" 100
}

@test "names in lists are never cut: the other columns give way, down to 40" {
  tarball
  name=$(printf 'n%.0s' $(seq 30))
  expect 0 banger image import --size 32M "$name" "$root/root.tar"
  made --image "$name" --label key=value "$name"
  for verb in 'vm list' 'image list' 'vm stats --all'; do
    for columns in 80 60 40; do
      # shellcheck disable=SC2086
      on_terminal --size ${columns}x24 -- banger $verb | sed 's/\r//g' >"$root/shown"
      grep -q "^$name" "$root/shown"
      same "$(grep -E ".{$((columns + 1))}" "$root/shown")" ''
    done
  done
  on_terminal --size 40x24 -- banger vm list | sed 's/\r//g' >"$root/shown"
  same "$(head -n 1 "$root/shown" | xargs)" 'NAME STATE'
  # The event is told, too, where the year is not; and no title is cut.
  on_terminal --size 40x24 -- banger vm events | sed 's/\r//g' >"$root/shown"
  grep -q ' image.imported' "$root/shown"
  grep -q ' vm.created' "$root/shown"
  same "$(grep -E '.{41}' "$root/shown")" ''
  on_terminal --size 80x24 -- banger net status | sed 's/\r//g' >"$root/shown"
  same "$(grep '^VM.*…' "$root/shown")" ''
}

@test "a terminal that knows no control sequences gets none, nor does a line that others began" {
  tarball
  for term in dumb none ''; do
    # shellcheck disable=SC2016 # for the inner shell
    TERM=$term on_terminal -- bash -c \
      '{ sleep 1.3; cat "$0"; } | banger image import --size 32M a -' "$root/root.tar" >"$root/shown"
    same "$(cat "$root/shown")" $'a: ready\r'
    TERM=$term on_terminal -- banger vm list >"$root/shown"
    same "$(grep -c $'\033' "$root/shown")" 0
    expect 0 banger image rm a
  done
  made one
  on_terminal -- bash -c 'printf "mine: "; banger vm list -q' >"$root/shown"
  same "$(cat "$root/shown")" $'mine: one\r'
  on_terminal -- bash -c 'printf "mine: "; banger vm show nobody' >"$root/shown" || true
  same "$(head -n 1 "$root/shown")" $'mine: banger-vm: no VM \'nobody\'\r'
}

@test "in a locale that has no ellipsis three dots stand for what is cut" {
  made --label "key=$(printf 'v%.0s' $(seq 200))" one
  for locale in C POSIX de_DE.ISO-8859-1; do
    LC_ALL=$locale on_terminal -- banger vm list >"$root/shown"
    grep -q 'vvv\.\.\.' "$root/shown"
    same "$(LC_ALL=C grep -c '[^ -~[:space:]]' "$root/shown")" 0
  done
  LC_ALL='' LANG=en_US.utf8 on_terminal -- banger vm list >"$root/shown"
  grep -q 'vvv…' "$root/shown"
}

@test "why a VM failed is broken at words, below its key; what may be copied is not" {
  made one
  python3 - "$BANGER_STATE_DIR/state.db" <<'PY'
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as db:
    db.execute("UPDATE vm SET state = 'failed', reason = ?", (" ".join(["the guest said more than fits"] * 4) + "\nand so on",))
PY
  fits banger vm show one
  same "$(sed -n '/^state/,/^image/p' "$root/shown")" "\
state      failed: the guest said more than fits the guest said more than fits
           the guest said more than fits the guest said more than fits
           and so on
image      tiny ($(banger vm show --json one | jq -r .image.id))"
  long=$(printf 'v%.0s' $(seq 100))
  expect 0 banger vm set one --label "key=$long"
  on_terminal -- banger vm show one >"$root/shown"
  shown "key=$long"
}
