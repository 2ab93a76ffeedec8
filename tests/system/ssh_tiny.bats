#!/usr/bin/env bats
# banger ssh with the smallest guest there is: dropbear, busybox's shell and tar. All tests share one
# VM.
load ../lib
load vm

setup_file() {
  vm_root
  export root HOME
  banger vm run t $tiny
}
teardown_file() { remove_vms; }
setup() { cd "$(mktemp -d "$root/w.XXXXXX")" || return; }
teardown() { :; } # not the VM's end

guest() { banger ssh t -- "$@"; }
no_sleep() { ! guest ps | grep -q "sleep $1"; }

# bats test_tags=once
@test "streams, status and words" {
  expect 7 banger ssh t -- sh -c 'echo out; echo err >&2; exit 7'
  same "$output" out
  same "$stderr" err
  expect 0 banger ssh t -- printf '<%s>' 'a b' '' $'two\nlines' "it's"
  same "$output" $'<a b><><two\nlines><it\'s>'
  expect 143 banger ssh t -- 'kill -TERM $$'
  head -c 500000 /dev/urandom >in
  banger ssh t -- cat <in >out
  cmp in out
}

# bats test_tags=once
@test "a signal ends all of a command, and so does the death of its client" {
  banger ssh t -- 'sleep 1001 & sleep 1002 | cat' 3>&- &
  local client=$!
  await 20 eval 'guest ps | grep -q "sleep 1002"'
  kill -TERM $client
  status=0
  wait $client || status=$?
  same "$status" 143
  no_sleep 100
  banger-ssh t -- 'trap "" TERM; sleep 1003 & sleep 1004' 3>&- &
  client=$!
  await 20 eval 'guest ps | grep -q "sleep 1004"'
  await 20 eval 'guest ps | grep -q sweep' # the watch has begun
  kill -KILL $client
  await 60 no_sleep 100
}

@test "a tree there and back" {
  mkdir -p tree/sub "tree/two words"
  echo a >tree/a
  chmod 640 tree/a
  touch -d '2020-01-02 03:04:05' tree/a
  ln tree/a tree/hard
  ln -s a tree/link
  echo x >"tree/two words/-odd"$'\n'"name"
  name=$(printf 'n%.0s' {1..120})
  mkdir "tree/$name"
  echo long >"tree/$name/$name"
  truncate -s 1M tree/sparse
  expect 0 banger ssh cp -r tree t:
  expect 0 banger ssh cp -r t:tree back
  diff -r --no-dereference tree back
  same "$(stat -c '%a %Y %h' back/a)" '640 1577934245 2'
  expect 0 banger ssh cp - t:file <tree/a
  expect 0 banger ssh cp t:file -
  same "$output" a
  expect 0 banger ssh cp tree/a t:/root/other
  expect 0 banger ssh cp -r tree/. t:tree # into one that is there
  expect 0 banger ssh cp -r t:tree/sub t:sub2 # between VMs
  expect 3 banger ssh cp t:nosuch .
  expect 1 banger ssh cp t:tree x
  expect 0 guest ls -A /root
  same "$(grep -c banger <<<"$output")" 0
}

# bats test_tags=once
@test "/proc and /sys as cat shows them" {
  local f
  for f in /proc/version /proc/cpuinfo /sys/class/net/lo/mtu; do
    guest cat $f >shown
    [ -s shown ]
    expect 0 banger ssh cp t:$f got
    [ $f = /proc/cpuinfo ] || cmp got shown # with a speed that is measured
    [ -s got ]
    rm got
  done
  expect 0 banger ssh cp -r t:/proc/sys/net/core core
  same "$(cat core/somaxconn)" "$(guest cat /proc/sys/net/core/somaxconn)"
  chmod -R u+w core # as it is there: its own user could not remove it
  # Its tar believes sizes, which say nothing here; a tree has what cat shows and what cannot be read.
  expect 1 banger ssh cp -r t:/sys/class/net/lo/. lo
  errors "cannot read all of '/sys/class/net/lo/.': 'phys_"
  for f in mtu address type flags; do
    guest cat /sys/class/net/lo/$f >shown
    cmp lo/$f shown
  done
  expect 0 banger ssh cp -r t:/sys/kernel/mm/swap swap
  same "$(cat swap/*)" "$(guest 'cat /sys/kernel/mm/swap/*')"
  # All of a guest, without what its kernel tells: that is no end, and no tree that anybody wants.
  guest 'mkdir "/mnt/a [b]*" /mnt/ab; echo kept >/mnt/ab/f; mount -t proc none "/mnt/a [b]*"'
  expect 0 banger ssh cp -r t:/ whole
  errors "'t:/': left out what a kernel tells in mnt/a [b]*, proc, sys"
  same "$(find whole/proc whole/sys "whole/mnt/a [b]*" -mindepth 1)" ''
  same "$(cat whole/mnt/ab/f)" kept
  [ -x whole/bin/busybox ]
  guest 'umount /mnt/a*; rm -r /mnt/*'
  expect 0 banger ssh cp /proc/version t:there
  same "$(guest cat there)" "$(cat /proc/version)"
}

# bats test_tags=once
@test "a full disk in the guest is told, and nothing stays" {
  expect 0 guest 'mount -t tmpfs -o size=1m none /mnt'
  head -c 3000000 /dev/urandom >big
  expect 1 banger ssh cp big t:/mnt
  grep -qi 'no space left' <<<"$stderr"
  expect 0 guest 'ls -A /mnt; umount /mnt'
  same "$output" ''
}

@test "ports" {
  guest '(while :; do echo hello | nc -l -p 8099; done) </dev/null >/dev/null 2>&1 &'
  banger-ssh forward t 0:8099 >out 3>&- &
  local client=$! port
  await 20 test -s out
  port=$(sed 's/.*127.0.0.1:\([0-9]*\) .*/\1/' out)
  await 20 eval "[ \"\$(timeout 5 bash -c 'cat </dev/tcp/127.0.0.1/$port')\" = hello ]"
  kill -TERM $client
  wait $client
}

# bats test_tags=once
@test "sync needs rsync in the guest" {
  command -v rsync >/dev/null || skip 'no rsync'
  mkdir src
  expect 5 banger ssh sync --json src t:there
  same "$(error_field .code)" preflight
  errors 'no rsync in the guest'
}

@test "OpenSSH's client by Include, a changed key refused by both" {
  command -v ssh >/dev/null || skip 'no ssh client'
  mkdir -p "$HOME/.ssh"
  banger ssh config --install >"$root/include" 2>/dev/null
  expect 0 ssh -F "$root/include" t.vm hostname
  same "$output" t
  local known=$BANGER_STATE_DIR/keys/known_hosts
  cp "$known" known
  sed -i "s|ssh-ed25519 .*|$(cut -d' ' -f1,2 "$BANGER_STATE_DIR/keys/id_ed25519.pub")|" "$known"
  expect 255 ssh -F "$root/include" t.vm hostname
  expect 255 banger ssh --json t -- hostname
  same "$(error_field .code)" failed
  errors 'another host key'
  cp known "$known"
  expect 0 banger ssh t -- true
}

# bats test_tags=once
@test "a signal to vm run --rm ends its command, and the VM goes" {
  banger-vm run --rm r $tiny -- sleep 1000 >out 2>&1 3>&- &
  local client=$!
  await 60 eval 'banger ssh r -- ps 2>/dev/null | grep -q "sleep 1000"'
  kill -TERM $client
  status=0
  wait $client || status=$?
  same "$status" 143
  expect 3 banger vm show r
}

# bats test_tags=once
@test "a client ends with its VM, though another one of its network runs on" {
  expect 0 banger vm run k $tiny
  banger-ssh --json k 'echo begun; sleep 1000' >out 2>err 3>&- &
  local client=$! began
  banger-ssh --json forward k 0:80 >ports 2>err2 3>&- &
  local forward=$!
  await 60 grep -q begun out
  await 60 test -s ports
  expect 0 banger vm kill k
  began=$EPOCHREALTIME
  status=0
  wait $client || status=$?
  same "$status" 255
  status=0
  wait $forward || status=$?
  same "$status" 1
  took_at_most 3 "$began"
  same "$(jq -r .code err err2 | sort -u)" unreachable
  expect 0 banger ssh t true
  expect 0 banger vm rm k
}

# bats test_tags=once
@test "a guest is in the zone that it was started in, and is reached when that changes" {
  local known=$BANGER_STATE_DIR/keys/known_hosts
  BANGER_DNS_ZONE=lab.internal expect 0 banger vm run z $tiny
  expect 0 banger ssh z -- 'cat /etc/hosts /etc/resolv.conf'
  outputs ' z.lab.internal z'
  outputs 'search lab.internal'
  grep -q ',z.lab.internal,' "$known"
  expect 0 banger vm reconcile
  expect 0 banger ssh z -- hostname
  same "$output" z
  expect 0 banger vm restart z
  expect 0 banger ssh z -- cat /etc/resolv.conf
  outputs 'search vm'
  grep -q ',z.vm,' "$known"
  same "$(grep -c lab.internal "$known")" 0
  expect 0 banger vm rm --force z
  same "$(grep -c ',z\.' "$known")" 0
}
