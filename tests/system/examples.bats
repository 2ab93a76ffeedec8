#!/usr/bin/env bats
# The promises of share/examples, run as its readers would run them.
load ../lib
load vm

setup() {
  vm_root
  examples=$BANGER_SOURCE/share/examples
  # The smallest guest, emulated: as everywhere here.
  export BANGER_IMAGE=tiny BANGER_VM_MEMORY=128M BANGER_VM_ACCEL=tcg
}

@test "Makefile: tests run in a kept VM, their status is make's, clean leaves nothing" {
  command -v make >/dev/null || skip 'no make'
  mkdir "$root/project"
  cp "$examples/Makefile" "$root/project"
  printf '#!/bin/sh\ntest "$(uname -n)" = project && echo passed\n' >"$root/project/check.sh"
  expect 0 make -s -C "$root/project" check
  [[ $output == *passed* ]]
  id=$(vm_field project .id)
  printf '#!/bin/sh\necho broken; exit 3\n' >"$root/project/check.sh"
  expect 2 make -s -C "$root/project" check # make's own status for a recipe that failed
  outputs broken
  errors 'Error 3'
  same "$(vm_field project .id)" "$id"
  expect 0 banger vm stop project
  expect 0 make -s -C "$root/project" up
  same "$(vm_field project .state)" running
  expect 0 make -s -C "$root/project" clean
  expect 0 make -s -C "$root/project" clean
  nothing_left
}

# bats test_tags=once
@test "job: the command's status, and nothing stays" {
  expect 7 "$examples/job" sh -c 'uname -n; exit 7'
  [[ $output == job-* ]]
  nothing_left
}

# bats test_tags=once
@test "fan-out answers for each; sweep stops what is not kept" {
  expect 0 banger vm run $tiny --label keep=yes kept
  expect 0 "$examples/fan-out" sh -c 'printf "one\ntwo\n"; exit 4'
  same "$(jq -s 'length' <<<"$output")" 3
  same "$(jq -r '"\(.status) \(.output)"' <<<"$output" | sort -u)" $'4 one\ntwo'
  same "$(banger vm list -q)" kept
  expect 0 banger vm run $tiny stray
  expect 0 "$examples/sweep"
  [[ $output == 'stray: stopped after '* ]]
  same "$(vm_field kept .state)" running
  expect 0 "$examples/sweep" '.memory > 1e12'
  same "$output" ''
}
