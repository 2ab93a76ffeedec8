#!/usr/bin/env bats
# Each way in which a guest may not get ready, with a real guest, and what banger says of it.
load ../lib
load vm

setup() {
  vm_root
  expect 0 banger vm create $tiny --root copy n # its root is edited
}

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

@test "the VMM is missing: preflight names it" {
  BANGER_QEMU_BINARY=no-such-vmm expect 5 banger vm start --json n
  error_schema
  same "$(jq -r .code <<<"$stderr")" preflight
  same "$(vm_field n .state)" stopped
}

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
  expect 6 banger vm start --timeout 8s n
  errors 'no network'
  same "$(vm_field n .state)" starting
  expect 0 banger vm kill n
  same "$(vm_field n .state)" stopped
}

@test "nothing listens" {
  edit_root n /etc/inittab <<'EOF'
::sysinit:/etc/rc
::ctrlaltdel:/sbin/reboot
EOF
  expect 6 banger vm start --timeout 8s n
  errors 'nothing listens on its ssh port'
  expect 0 banger vm stop n
  same "$(vm_field n .state)" stopped
}

@test "the key is refused, and once it is accepted the VM becomes running after all" {
  edit_root n /etc/rc <<'EOF'
#!/bin/sh
mount -t devpts devpts /dev/pts
mv /root/.ssh /root/hidden
(sleep 40; mv /root/hidden /root/.ssh) &
EOF
  expect 6 banger vm start --timeout 8s n
  errors 'refuses the key'
  await 60 in_state n running
}

@test "still booting" {
  expect 6 banger vm start --timeout 100ms n
  errors 'is not ready after'
  errors 'banger vm logs n'
  await 60 in_state n running
}

@test "a truncated root disk is named before anything boots" {
  truncate -s 1M "$BANGER_STATE_DIR/vms/$(vm_field n .id)/root.img"
  expect 1 banger vm start n
  errors 'truncated'
  same "$(vm_field n .state)" stopped
}
