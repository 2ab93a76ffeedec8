#!/usr/bin/env bats
# Which acceleration a VM gets: KVM only where a kernel that was booted on it has spoken. A VMM that
# does what bad KVMs were seen to do stands for those.
load ../lib
load vm

setup() {
  vm_root
  [ -r /dev/kvm ] && [ -w /dev/kvm ] || skip 'no /dev/kvm to be tried'
}

# a_vmm HOW: a QEMU whose KVM aborts, stays silent, or speaks; software emulation is as ever.
a_vmm() {
  cat >"$root/vmm-$1" <<VMM
#!/bin/sh
case " \$* " in *' -accel kvm '*)
  case $1 in
    aborts) kill -ABRT \$\$ ;;
    silent) exec sleep 600 ;;
    speaks) echo hello >>console; exec sleep 600 ;;
  esac ;;
esac
exec qemu-system-x86_64 "\$@"
VMM
  chmod 755 "$root/vmm-$1"
  export BANGER_QEMU_BINARY=$root/vmm-$1
}

probes() { grep -c '"event":"accel.probe"' "$BANGER_STATE_DIR/log/banger.jsonl"; }

tries() { # tries HOW ACCEL [WHY]
  a_vmm "$1"
  expect 0 banger vm create --image tiny --memory 128M --net isolated a b
  expect 0 banger vm start --no-wait a
  [ -z "${3:-}" ] || errors "no usable KVM, so the VM is emulated in software and slow: $3"
  same "$(vm_field a .vmm.accel)" "$2"
  # It is tried once for all, and said once.
  expect 0 banger vm start --no-wait b
  same "$stderr" ''
  same "$(vm_field b .vmm.accel)" "$2"
  same "$(probes)" 1
  expect 0 banger vm kill a b
  [ -z "${3:-}" ] || { expect 0 banger doctor && outputs "$3"; }
}

@test "a KVM on which the VMM aborts is not used" { tries aborts tcg 'a VMM on it ends at once (signal 6'; }
@test "a KVM that stays silent is not used" { tries silent tcg 'a kernel booted on it stays silent for 10'; }
@test "a KVM on which a kernel speaks is used" { tries speaks kvm; }

@test "another VMM is tried anew; who asks for one acceleration gets it untried" {
  tries aborts tcg
  a_vmm speaks
  expect 0 banger vm start --no-wait a
  same "$(vm_field a .vmm.accel)" kvm
  same "$(probes)" 2
  expect 0 banger vm kill a
  a_vmm silent
  expect 0 banger vm create --image tiny --memory 128M --net isolated --accel kvm c
  expect 0 banger vm start --no-wait c
  same "$(vm_field c .vmm.accel)" kvm
  same "$(probes)" 2
  expect 0 banger vm kill c
}

@test "an emulated guest's clock goes as the host's does" {
  expect 0 banger vm run t $tiny
  # Each look at the guest's clock lies between two at the host's.
  looks() { echo "$EPOCHSECONDS $(banger ssh t -- date +%s) $EPOCHSECONDS"; }
  local begun guest_begun first ended guest_ended last
  read -r begun guest_begun first <<<"$(looks)"
  sleep 10
  read -r last guest_ended ended <<<"$(looks)"
  [ $((guest_ended - guest_begun)) -ge $((last - first - 2)) ]
  [ $((guest_ended - guest_begun)) -le $((ended - begun + 2)) ]
}
