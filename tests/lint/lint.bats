#!/usr/bin/env bats
# The rules that the sources keep. Each is also seen to fail, on a tree with the fault planted.
load ../lib

setup() {
  private_root
  tree=$root/tree
  mkdir -p "$tree/lib/core" "$tree/lib/sys" "$tree/lib/net" "$tree/cmd/banger-vm"
}
teardown() { remove_private_root; }

rooms() { "$BANGER_SOURCE/tests/lint/check-rooms" "$@"; }

@test "rooms include only whom they may, and start no program" {
  expect 0 rooms
}

@test "an include in the wrong direction is found" {
  plant() { # plant FILE INCLUDE: the tree with that one line is at fault
    echo "#include $2" >"$tree/$1"
    expect 1 rooms "$tree"
    outputs "$1:"
    rm "$tree/$1"
  }
  echo 'int x;' >"$tree/lib/core/a.cc"
  expect 0 rooms "$tree"
  plant lib/core/b.cc '"sys/file.h"'
  plant lib/sys/b.h '"state/state.h"'
  plant lib/net/b.cc '"disk/root.h"'
  plant lib/net/b.cc '"ops/vm/start.h"'
  plant lib/net/b.cc '"cli/app.h"'
  plant lib/net/b.cc '<sqlite3.h>'
  plant cmd/banger-vm/b.cc '"sys/file.h"'
  plant cmd/banger-vm/b.cc '<libssh2.h>'
  mkdir "$tree/lib/cellar"
  plant lib/cellar/b.cc '"core/error.h"'
}

@test "an include in the wrong direction is found between the rooms of a hall" {
  plant() { # plant FILE HEADER: the tree with that one include is at fault
    mkdir -p "$tree/${1%/*}"
    echo "#include \"$2\"" >"$tree/$1"
    expect 1 rooms "$tree"
    outputs "$1"
    rm "$tree/$1"
  }
  mkdir -p "$tree/lib/ops/vm" "$tree/lib/guest/tree" "$tree/cmd/banger-monitor"
  cat >"$tree/lib/ops/vm/a.cc" <<'CC'
#include "guest/identity/seed.h"
#include "ops/link/link.h"
#include "ops/vm/start.h"
#include "sys/file.h"
CC
  echo '#include "guest/ssh/session.h"' >"$tree/lib/guest/tree/a.cc"
  echo '#include "ops/monitor/monitor.h"' >"$tree/cmd/banger-monitor/main.cc"
  expect 0 rooms "$tree"
  plant lib/ops/vm/b.cc ops/monitor/monitor.h
  plant lib/ops/monitor/b.cc ops/vm/start.h
  plant lib/ops/query/b.h ops/vm/hold.h
  plant lib/ops/common/b.h ops/host/accel.h
  plant lib/ops/vm/b.cc ops/recover/reconcile.h
  plant lib/ops/vm/b.cc cli/app.h
  plant lib/ops/vm/b.cc ops/start.h
  plant lib/guest/identity/b.cc guest/ssh/session.h
  plant lib/guest/tree/b.cc guest/boot/console.h
  plant cmd/banger-vm/b.cc ops/monitor/monitor.h
  plant cmd/banger-monitor/b.cc ops/vm/start.h
  plant cmd/banger-enter/b.cc ops/net/private_net.h
  plant lib/ops/b.cc core/error.h
  plant lib/ops/cellar/b.cc core/error.h
  mkdir -p "$tree/lib/guest/tree"
  echo '#include <libssh2.h>' >"$tree/lib/guest/tree/b.cc"
  expect 1 rooms "$tree"
  outputs 'lib/guest/tree/b.cc:1: <libssh2.h> belongs to guest/ssh'
}

@test "modules that need each other in a circle are found, by whichever of their files" {
  # No circle of headers: each of the three is needed by a .cc.
  mkdir -p "$tree/lib/ops/vm"
  for module in one two three; do echo 'int x();' >"$tree/lib/ops/vm/$module.h"; done
  needs() { printf '#include "ops/vm/%s.h"\n' "${@:2}" >"$tree/lib/ops/vm/$1.cc"; }
  needs one one two
  needs two two three
  needs three three
  expect 0 rooms "$tree"
  needs three three one
  expect 1 rooms "$tree"
  same "$output" 'lib/ops/vm/one: a circle of modules: lib/ops/vm/one, lib/ops/vm/three, lib/ops/vm/two'
  # A header's private half belongs to it.
  needs three three
  mv "$tree/lib/ops/vm/three.cc" "$tree/lib/ops/vm/three_impl.h"
  needs three three_impl
  expect 0 rooms "$tree"
  needs three three_impl one
  expect 1 rooms "$tree"
  rm -r "$tree/lib/ops"
  # Of a tool's files too, which may name each other with the tool or without.
  echo '#include "b.h"' >"$tree/cmd/banger-vm/a.h"
  echo 'int x();' >"$tree/cmd/banger-vm/b.h"
  expect 0 rooms "$tree"
  echo '#include "banger-vm/a.h"' >"$tree/cmd/banger-vm/b.cc"
  expect 1 rooms "$tree"
  same "$output" 'cmd/banger-vm/a: a circle of modules: cmd/banger-vm/a, cmd/banger-vm/b'
}

@test "a wait outside of sys is found" {
  local call
  for call in '::poll(a, 1, -1)' '::ppoll (a)' '::pipe2(a, 0)' '::pipe(a)' '::nanosleep(a, b)' '::usleep(1)'; do
    echo "int f() { return $call; }" >"$tree/lib/net/b.cc"
    expect 1 rooms "$tree"
    outputs "lib/net/b.cc:1: "
  done
  cp "$tree/lib/net/b.cc" "$tree/lib/sys/b.cc"
  echo 'int f() { return pipe_.poll(1) + sys::wait_any(a); }' >"$tree/lib/net/b.cc"
  expect 0 rooms "$tree"
}

@test "a program started outside of sys is found, in words that are not code it is not" {
  local call
  for call in 'fork()' '::vfork()' 'posix_spawnp(a)' 'execvp (a)' 'std::system("x")' 'popen("x")' \
    'clone3(a)' 'syscall(SYS_execveat)' 'fexecve(a)'; do
    echo "int f() { return $call; }" >"$tree/lib/net/b.cc"
    expect 1 rooms "$tree"
    outputs "lib/net/b.cc:1: "
  done
  cp "$tree/lib/net/b.cc" "$tree/lib/sys/b.cc"
  cat >"$tree/lib/net/b.cc" <<'CC'
// fork() is what sys does; /* execve( */
/* system(
   popen( */
const char* s = "fork() \" execv(";
void f() { plan.clone(); sys::system_time(); failpoint(Point::clone); loop->fork(); }
CC
  expect 0 rooms "$tree"
}

@test "shell files pass shellcheck" {
  cd "$BANGER_SOURCE"
  tests/lint/shell-files >"$root/files"
  grep -qx ./tests/lib.bash "$root/files"
  grep -qx ./tests/run-bats "$root/files"
  grep -v '\.bats$' "$root/files" >"$root/scripts"
  expect 0 xargs -d '\n' shellcheck <"$root/scripts"
  # The variables that a bats file's helper sets are hidden from shellcheck: they come by `load`.
  grep '\.bats$' "$root/files" >"$root/bats"
  expect 0 xargs -d '\n' shellcheck --severity=warning --exclude=SC2154 <"$root/bats"
}

@test "a fault in a shell file is found" {
  printf '#!/bin/sh\nrm $1\n' >"$tree/fault"
  chmod +x "$tree/fault"
  expect 0 "$BANGER_SOURCE/tests/lint/shell-files" "$tree"
  same "$output" ./fault
  expect 1 shellcheck "$tree/fault"
}

# The layout is that of clang-format 14, Debian 12's; another one has other opinions.
needs_clang_format() {
  for clang_format in clang-format-14 clang-format; do
    ! command -v "$clang_format" >/dev/null || ! "$clang_format" --version | grep -q ' 14\.' || return 0
  done
  skip 'no clang-format 14'
}

@test "clang-format leaves the sources as they are" {
  needs_clang_format
  cd "$BANGER_SOURCE"
  find lib cmd runtime tests -name '*.cc' -o -name '*.h' >"$root/files"
  [ -s "$root/files" ]
  expect 0 xargs -d '\n' "$clang_format" --dry-run --Werror <"$root/files"
}

@test "a fault in the layout is found" {
  cp "$BANGER_SOURCE/.clang-format" "$tree"
  echo 'int  x ;' >"$tree/fault.cc"
  needs_clang_format
  expect 1 "$clang_format" --dry-run --Werror "$tree/fault.cc"
}

docs() { "$BANGER_SOURCE/tests/lint/check-docs" "$@"; }

@test "documents that are named are in the tree, and links and paths lead somewhere" {
  expect 0 docs
}

@test "a document, a link or a path that is not there is found" {
  mkdir -p "$tree/share/doc"
  local one=share/doc/one.m
  one+=d # a name that this file itself does not have
  printf '# One\n\n## Its part\n' >"$tree/$one"
  # planted STATUS FILE TEXT
  planted() {
    printf '%s\n' "$3" >"$tree/$2"
    expect "$1" docs "$tree"
    [ "$1" = 0 ] || outputs "$2:1: "
    rm "$tree/$2"
  }
  planted 0 lib/core/a.h '// See one''.md.'
  planted 1 lib/core/a.h '// See two''.md.'
  planted 0 README.md "[a]($one), [b]($one#its-part)"' `lib/core`, `lib/*/`'
  planted 1 README.md "[a]($one#another-part)"
  planted 1 README.md '[a](share/doc)[b](share/man)'
  planted 1 README.md '`lib/core/none.h`'
  planted 1 README.md '`core/none.h`'
  planted 1 README.md '`lib/c*r/`'
  mkdir -p "$tree/tests/cli"
  echo '@test "one" {' >"$tree/tests/cli/a.bats"
  planted 0 README.md '`tests/cli/a.bats`: "one"'
  planted 1 README.md '`tests/cli/a.bats`: "one", "two"'
}

@test "files stay readable in one sitting" {
  cd "$BANGER_SOURCE"
  find lib cmd -name '*.cc' -o -name '*.h' >"$root/files"
  same "$(xargs -d '\n' wc -l <"$root/files" | awk '$2 != "total" && $1 > 500')" ""
}

# bats in bats: of the outer one, its PATH and its descriptors, it must know nothing.
run_bats() {
  env -i PATH=/usr/local/bin:/usr/bin:/bin TMPDIR="$root" "$@" \
    "$BANGER_SOURCE/tests/run-bats" "$root/t.bats" 3>&-
}

@test "a suite that is skipped is none that passed, and fails where a machine gates" {
  echo '@test "one, # odd" { skip "no such machine"; }' >"$root/t.bats"
  expect 77 run_bats
  expect 1 run_bats CI=true
  errors 'no such machine'
  echo '@test "two" { true; }' >>"$root/t.bats"
  expect 0 run_bats
  expect 1 run_bats CI=true
  echo '@test "three" { false; }' >>"$root/t.bats"
  expect 1 run_bats
  printf '' >"$root/t.bats"
  expect 1 run_bats
  errors 'no test ran'
  # Reasons that are written down pass.
  for who in root user; do
    reason=$(sed -n "s/^$who: //p" "$BANGER_SOURCE/tests/may-skip" | head -n 1)
    [ -n "$reason" ]
    printf '@test "%s" { case $(id -u) in 0) who=root ;; *) who=user ;; esac
      [ $who != %s ] || skip "%s"; }\n' $who $who "$reason"
  done >"$root/t.bats"
  expect 0 run_bats CI=true
}

@test "every reason that is written down is one that a test gives" {
  cd "$BANGER_SOURCE"
  grep -q '^[^#]' tests/may-skip
  while IFS= read -r reason; do
    grep -rqF -e "skip '$reason'" -e "skip \"$reason\"" tests --include='*.bats' --include='*.bash' ||
      { echo "no test gives the reason: $reason"; false; }
  done < <(sed -n '/^[^#]/s/^[a-z]*: //p' tests/may-skip)
}

@test "the manual of helper.toml lists the keys that the helper reads, and no others" {
  read=$(sed -n 's/^ *{"\(who\|net\|disk\)", "\([a-z]*\)",.*/\1.\2/p' "$BANGER_SOURCE/lib/helper/limits.cc")
  [ "$(wc -l <<<"$read")" -gt 8 ]
  same "$read" "$(sed -n '/^\.SH KEYS/,/^\.SH SEE/s/^\.B //p' "$BANGER_SOURCE/man/banger-helper.toml.5")"
}
