#!/usr/bin/env bats
# Each way in which a guest may not get ready, with a real guest, and what banger says of it.
load ../lib
load vm

setup() {
  vm_root
  expect 0 banger vm create $tiny --root copy n # its root is edited
}

# bats test_tags=once
@test "the VMM ends at once" {
  printf '#!/bin/sh\necho "no such machine" >&2\nexit 3\n' >"$root/vmm"
  chmod 755 "$root/vmm"
  BANGER_QEMU_BINARY=$root/vmm expect 1 banger vm start n
  errors 'the VMM'
  errors 'exit status 3'
  errors 'no such machine'
  errors 'log:'
  same "$(vm_field n .state)" failed
}

# bats test_tags=once
@test "the VMM is missing: preflight names it" {
  BANGER_QEMU_BINARY=no-such-vmm expect 5 banger vm start --json n
  error_schema
  same "$(jq -r .code <<<"$stderr")" preflight
  same "$(vm_field n .state)" stopped
}

# bats test_tags=once
@test "a corrupt part of the bundle is named" {
  local part whole
  whole=$(runtime_bundle)
  mkdir bundle
  cp --reflink=auto --sparse=always "$whole"/{bundle.json,kernel-elf-*,initrd-*} bundle
  export BANGER_RUNTIME_DIR=$PWD/bundle
  for part in kernel-elf initrd; do
    printf x | dd of="$(echo bundle/$part-*)" bs=1 seek=1000 conv=notrunc status=none
    expect 1 banger vm start n
    errors "part '$part' of the bundle is corrupt"
    errors 'hint: banger bundle build --force'
    truncate -s -1 "$(echo bundle/$part-*)"
    expect 5 banger vm start n
    errors "part '$part' of the bundle is corrupt"
    cp --reflink=auto --sparse=always "$whole/$part"-* bundle
  done
  same "$(vm_field n .state)" stopped
}

# bats test_tags=once
@test "the root has no init" {
  disk=$BANGER_STATE_DIR/vms/$(vm_field n .id)/root.img
  for init in /usr/sbin/init /usr/bin/sh; do
    debugfs -w -R "rm $init" "$disk" >/dev/null 2>&1
  done
  expect 1 banger vm start n
  errors 'init failed at'
  errors 'its console ends with'
  same "$(vm_field n .state)" failed
}

# bats test_tags=once
@test "the kernel panics" {
  edit_root n /etc/rc <<'EOF'
#!/bin/sh
echo c > /proc/sysrq-trigger
EOF
  expect 1 banger vm start n
  errors 'the kernel panicked: sysrq triggered crash'
  same "$(vm_field n .state)" failed
}

@test "no network" {
  edit_root n /etc/rc <<'EOF'
#!/bin/sh
/usr/bin/busybox ip link set eth0 down
EOF
  expect 6 banger vm start --timeout "$(longer 8)s" n
  errors 'no network'
  same "$(vm_field n .state)" starting
  expect 0 banger vm kill n
  same "$(vm_field n .state)" stopped
}

# bats test_tags=once
@test "nothing listens" {
  edit_root n /etc/inittab <<'EOF'
::sysinit:/etc/rc
::ctrlaltdel:/sbin/reboot
EOF
  expect 6 banger vm start --timeout "$(longer 8)s" n
  errors 'nothing listens on its ssh port'
  expect 0 banger vm stop n
  same "$(vm_field n .state)" stopped
}

# A forwarder keeps each connection for a guest that does not listen yet, and gives it all of them at
# once: a server that is asked by many turns others away.
@test "a guest that boots is left alone until its init is done: it sees one connection" {
  [ "$(banger net status --json | jq -r .mode)" = user ] || skip 'no user network'
  expect 0 banger vm start --no-wait n
  vmm=$(vm_field n .vmm.pid)
  kill -STOP "$vmm"
  sleep 6 # a guest is slow for as long
  kill -CONT "$vmm"
  await 60 in_state n running
  expect 0 banger vm logs n
  same "$(grep -c 'Child connection' <<<"$output")" 1
}

@test "the key is refused, and once it is accepted the VM becomes running after all" {
  edit_root n /etc/rc <<'EOF'
#!/bin/sh
mount -t devpts devpts /dev/pts
mv /root/.ssh /root/hidden
EOF
  # A line that is typed at its console puts the key back: the start has lost by then, however slow
  # this machine is.
  edit_root n /usr/bin/release <<'EOF'
#!/bin/sh
read -r line && mv /root/hidden /root/.ssh
EOF
  edit_root n /etc/inittab <<'EOF'
::sysinit:/etc/rc
::respawn:/usr/sbin/dropbear -F -E -s -r /etc/dropbear/dropbear_ed25519_host_key
ttyS0::once:/usr/bin/release
::ctrlaltdel:/sbin/reboot
EOF
  expect 6 banger vm start --timeout "$(longer 8)s" n
  errors 'refuses the key'
  same "$(vm_field n .state)" starting
  # It is being started already: another start waits for that, or has nothing to do.
  expect 0 banger vm start --no-wait n
  same "$output" 'n: starting'
  errors "'n' was being started already"
  expect 6 banger vm start --timeout 300ms n
  errors "'n' is not ready after"
  errors 'refuses the key' # who joins is told how far it has come
  banger vm start --json --timeout 2m n >"$root/joined" 3>&- &
  joined=$!
  banger vm console n <<<release >/dev/null 2>&1 3>&- &
  console=$!
  await 60 in_state n running
  wait $joined
  same "$(jq -r '[.ok, .changed, .state] | join(" ")' "$root/joined")" 'true false running'
  kill $console
}

# bats test_tags=once
@test "another host key than banger gave it: final, and told at once" {
  edit_root n /etc/rc <<'EOF'
#!/bin/sh
mount -t devpts devpts /dev/pts
rm /etc/dropbear/dropbear_ed25519_host_key
dropbearkey -t ed25519 -f /etc/dropbear/dropbear_ed25519_host_key
EOF
  expect 1 banger vm start --timeout 60s n
  errors "another host key than banger gave it"
  errors 'banger vm kill n ends it'
  same "$(vm_field n .state)" starting
  expect 0 banger vm kill n
}

# bats test_tags=once
@test "a server that says who it is and no more" {
  edit_root n /etc/inittab <<'EOF'
::sysinit:/etc/rc
::respawn:/usr/bin/busybox nc -ll -p 22 -e /bin/stuck
::ctrlaltdel:/sbin/reboot
EOF
  edit_root n /usr/bin/stuck <<'EOF'
#!/bin/sh
echo SSH-2.0-stuck
sleep 1000
EOF
  expect 6 banger vm start --timeout "$(longer 8)s" n
  errors 'its ssh server answers, and does not get further'
  expect 0 banger vm kill n
}

# bats test_tags=once
@test "a kernel that says nothing" {
  # None is ever booted.
  export BANGER_QEMU_BINARY=$BANGER_BUILD/tests/banger-stub-vmm
  expect 6 banger vm start --timeout 300ms n
  errors 'the kernel has said nothing yet'
  expect 0 banger vm kill n
}

# bats test_tags=once
@test "still booting" {
  expect 6 banger vm start --timeout 100ms n
  errors 'is not ready after'
  errors 'banger vm logs n'
  await 60 in_state n running
}

# bats test_tags=once
@test "a truncated root disk is named before anything boots" {
  truncate -s 1M "$BANGER_STATE_DIR/vms/$(vm_field n .id)/root.img"
  expect 1 banger vm start n
  errors 'truncated'
  same "$(vm_field n .state)" stopped
}
