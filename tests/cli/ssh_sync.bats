#!/usr/bin/env bats
# banger ssh sync against a real sshd and this machine's own rsync.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2094,SC2154
load ../lib
load ssh_server

need_rsync() { command -v rsync >/dev/null || skip "no rsync"; }

@test "there and back, and --delete" {
  need_rsync
  start_vm demo
  mkdir -p "a dir/sub" there
  echo one >"a dir/one"
  echo odd >"a dir/sub/ -odd\$x'\"*"
  chmod 640 "a dir/one"
  ln -s one "a dir/link"
  echo extra >there/extra
  expect 0 banger ssh sync "a dir" "demo:$PWD/there"
  same "$output$stderr" ''
  same "$(ls there)" $'extra\nlink\none\nsub'
  cmp "a dir/sub/ -odd\$x'\"*" "there/sub/ -odd\$x'\"*"
  same "$(stat -c %a there/one)" 640
  same "$(readlink there/link)" one
  expect 0 banger ssh sync --json --delete --exclude sub "a dir" "demo:$PWD/there"
  schema result
  same "$(ls there)" $'link\none\nsub'
  expect 0 banger ssh sync "demo:$PWD/there/" back
  diff -r "a dir" back
  expect 0 banger ssh sync -- "demo:$PWD/a dir" "-b"
  diff -r "a dir" ./-b
}

@test "out of a VM comes no permission that the umask takes" {
  need_rsync
  start_vm demo
  mkdir -p src/d
  echo x >src/d/f
  chmod 777 src src/d
  chmod 666 src/d/f
  (umask 027 && expect 0 banger ssh sync "demo:$PWD/src" back)
  same "$(stat -c %a back/d back/d/f | xargs)" '750 640'
  (umask 022 && expect 0 banger ssh sync "demo:$PWD/src" back)
  same "$(stat -c %a back/d back/d/f | xargs)" '755 644'
  # Modes of files that go there are for the guest to limit.
  (umask 077 && expect 0 banger ssh sync src "demo:$PWD/there")
  same "$(stat -c %a there/d there/d/f | xargs)" '777 666'
}

@test "out of a VM come no set-id bits, devices or FIFOs" {
  need_rsync
  start_vm demo
  mkdir -p src/d
  echo x >src/f
  chmod 6755 src/f
  chmod 2750 src/d
  mkfifo src/fifo
  # Not even root may make one everywhere.
  mknod src/null c 1 3 2>/dev/null || true
  expect 0 banger ssh sync "demo:$PWD/src" back
  same "$(stat -c '%n %a' back/*)" $'back/d 750\nback/f 755'
  # Set-id bits and FIFOs are kept the other way, where they are the user's own.
  expect 0 banger ssh sync src "demo:$PWD/there"
  same "$(stat -c '%n %a' there/[df])" $'there/d 2750\nthere/f 6755'
  [ -p there/fifo ]
}

@test "--watch follows changes, new directories too" {
  need_rsync
  start_vm demo
  mkdir src
  echo 1 >src/f
  banger-ssh sync --watch --json src "demo:$PWD/there" >out 2>err 3>&- & local client=$!
  await 20 grep -qs 1 there/f
  echo 2 >src/f
  await 20 grep -qs 2 there/f
  mkdir -p src/new/deep
  echo 3 >src/new/deep/g
  await 20 grep -qs 3 there/new/deep/g
  echo 4 >src/new/deep/g
  await 20 grep -qs 4 there/new/deep/g
  mv src/new src/moved
  await 20 test -e there/moved/deep/g
  echo 5 >src/moved/deep/g
  await 20 grep -qs 5 there/moved/deep/g
  kill -TERM $client
  status=0
  wait $client || status=$?
  same "$status" 0
  output=$(cat out) && schema result
  same "$(cat err)" ''
}

@test "--watch ends when its directory goes, and when the guest goes" {
  need_rsync
  start_vm demo
  mkdir src
  banger-ssh sync --watch --json src "demo:$PWD/there" >out 2>err 3>&- & local client=$!
  await 20 test -s out
  rmdir src
  status=0
  wait $client || status=$?
  same "$status" 3
  mkdir src
  : >out
  banger-ssh sync --watch --json src "demo:$PWD/there" >out 2>err 3>&- & client=$!
  await 20 test -s out
  stop_server
  touch src/f
  status=0
  wait $client || status=$?
  same "$status" 1
  same "$(tail -n 1 err | jq -r .code)" unreachable
}

@test "without rsync, in the guest or here: preflight" {
  need_rsync
  start_vm demo
  mkdir src bin
  stop_server
  server_env "PATH=$PWD/bin"
  begin_server
  set_vm demo running
  expect 5 banger ssh sync --json src "demo:$PWD/there"
  same "$stderr" "$(tail -n 1 <<<"$stderr")" # nothing but the error
  same "$(error_field .message)" "VM 'demo': cannot sync: there is no rsync in the guest"
  own=$(command -v banger-ssh)
  expect 5 env PATH=/nowhere "$own" sync --json src demo:there
  same "$(error_field .hint)" 'apt install rsync'
}

@test "what the guest's rsync says reaches no terminal as it was" {
  need_rsync
  start_vm demo
  mkdir src bin
  printf '#!/bin/sh\nprintf "\\033]0;evil\\007\\233x\\n" >&2; exit 1\n' >bin/rsync
  chmod +x bin/rsync
  stop_server
  server_env "PATH=$PWD/bin:$PATH"
  begin_server
  set_vm demo running
  expect 1 banger ssh sync src "demo:$PWD/there"
  errors '\x1b]0;evil\x07\x9bx'
  same "$(LC_ALL=C tr -cd '\033\007\233' <<<"$stderr")" ''
  expect 1 banger ssh sync --json src "demo:$PWD/there"
  error_schema
  contains message "$(error_field .message)" evil
  same "$(LC_ALL=C tr -d '\n -~' <<<"$stderr")" ''
}

@test "what is no place for it" {
  plain_vm demo stopped 0
  mkdir src
  echo x >f
  expect 2 banger ssh sync src dst
  expect 2 banger ssh sync demo:a demo:b
  expect 2 banger ssh sync - demo:
  expect 2 banger ssh sync demo:a b --watch
  expect 2 banger ssh sync src
  expect 3 banger ssh sync src nosuch:
  expect 4 banger ssh sync src demo:
}

@test "a source that is not there" {
  plain_vm demo running $$
  echo x >f
  expect 3 banger ssh sync nosuch demo:
  expect 1 banger ssh sync f demo:
  errors 'not a directory'
}
