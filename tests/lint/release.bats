#!/usr/bin/env bats
# An installed program has no failpoints: the release preset is configured as it stands, and the
# code that could have them is compiled with its flags.
load ../lib

setup() { private_root; }
teardown() { remove_private_root; }

# names OBJECT: its symbols and its texts
names() { nm -C "$1" && strings "$1"; }

@test "the release preset compiles no failpoint in" {
  local lib=$root/release/lib/CMakeFiles/banger.dir cmd=$root/release/cmd/CMakeFiles/banger-vm.dir
  cd "$BANGER_SOURCE"
  expect 0 cmake --preset release -B "$root/release"
  expect 0 jq -r '.[] | select(.file | test("/(lib|cmd)/")).command' "$root/release/compile_commands.json"
  [ "$(wc -l <<<"$output")" -gt 100 ]
  expect 1 grep -c BANGER_FAILPOINT <<<"$output"
  expect 0 cmake --build "$root/release" --target lib/CMakeFiles/banger.dir/core/failpoint.cc.o \
    lib/CMakeFiles/banger.dir/sys/at.cc.o cmd/CMakeFiles/banger-vm.dir/banger-vm/failpoints.cc.o
  names "$lib/core/failpoint.cc.o" >"$root/names"
  names "$lib/sys/at.cc.o" >>"$root/names"
  grep -q 'banger::sys::rename_at' "$root/names"
  expect 1 grep -E 'BANGER_FAILPOINT|failpoint\(' "$root/names"
  # The verb that lists them is left with its excuse.
  names "$cmd/banger-vm/failpoints.cc.o" >"$root/names"
  grep -q 'this build has no failpoints' "$root/names"
  expect 1 grep -E 'sys\.|state\.commit' "$root/names"
}
