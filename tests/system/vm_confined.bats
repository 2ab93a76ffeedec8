#!/usr/bin/env bats
# What a VMM that a guest has taken over could reach of its host: a planted one tries, and then becomes
# the real one.
load ../lib
load vm

setup() {
  vm_root
  has_landlock || skip 'this kernel has no Landlock'
  export BANGER_QEMU_BINARY=$root/vmm
  expect 0 banger vm create $tiny --net isolated other
  # Its answers go to its own log.
  cat >"$root/vmm" <<END
#!/bin/bash
case \$1 in -*version) exec qemu-system-x86_64 "\$@" ;; esac
try() { if (eval "\$2") >/dev/null 2>&1; then echo "\$1: yes"; else echo "\$1: no"; fi; }
try 'its own directory' 'echo x >own && rm own && mkdir d && rmdir d'
try 'its disk' 'head -c 1 upper && : >>upper'
try 'its kernel' 'head -c 1 kernel'
try 'its kernel, to write' ': >>kernel'
try 'its image, to write' ': >>root'
try 'the key of the state' 'cat "$BANGER_STATE_DIR/keys/id_ed25519"'
try 'the state' 'cat "$BANGER_STATE_DIR/state.db"'
try 'its host key' 'cat "$BANGER_STATE_DIR"/vms/*/host_key'
try 'the disk of another VM' 'cat "$(disk_of other upper.img)"'
try 'to list the VMs' 'ls "$BANGER_STATE_DIR/vms"'
try 'a file of its user' 'cat "$root/secret"'
try 'a new file' 'echo x >"$root/new"'
try 'the list of users' 'cat /etc/passwd'
try 'another process' 'cat /proc/$$/environ'
try 'to list processes' 'ls /proc'
try 'a signal' 'kill -0 $$'
try 'a raw disk' ': >>/dev/loop0'
while read -r line; do case \$line in NoNewPrivs*) echo "\$line" ;; esac done </proc/self/status
exec qemu-system-x86_64 "\$@"
END
  chmod +x "$root/vmm"
  echo secret >"$root/secret"
}

has_landlock() {
  python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 6)'
}

tried() { banger vm logs --log vmm x | grep -E ': (yes|no)$|NoNewPrivs'; }

@test "a VMM reaches its VM's files, and nothing else of its host" {
  local net
  for net in isolated user; do
    expect 0 banger vm run $tiny --net $net --work-disk 16M x
    same "$(tried | grep -v ': no$')" "its own directory: yes
its disk: yes
its kernel: yes
NoNewPrivs:	1"
    same "$(tried | grep -c ': no$')" 14
    banger vm show --json x | jq -re .vmm.confinement | grep -qE '^landlock [0-9]+$'
    banger vm show x | grep -q '^confined  *to its own files, by landlock'
    # The guest has all that it had: both disks, ssh, its console, a published port.
    expect 0 banger ssh x -- 'echo x >/root/f && echo x >/etc/f && sync && reboot' || true
    await 60 banger ssh x -- test -e /etc/f
    expect 0 banger vm rm --force x
  done
  [ ! -e "$root/new" ]
}

@test "without it the same VMM reaches all that its user does, and show says so" {
  BANGER_VM_CONFINED=false expect 0 banger vm run $tiny --net isolated x
  for what in 'the key of the state' 'its host key' 'the disk of another VM' 'a file of its user' \
    'a new file' 'another process' 'a signal'; do
    tried | grep -qx "$what: yes" || { tried && false; }
  done
  same "$(vm_field x .vmm.confinement)" null
  banger vm show x | grep -q '^confined  *no$'
}
