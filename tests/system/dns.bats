#!/usr/bin/env bats
# Names of real VMs: they come and go with them, however those end.
load ../lib
load vm

setup() {
  vm_root
  daemon=
  port=$((20000 + $$ % 12000))
  export BANGER_DNS_LISTEN=127.0.0.1:$port
}
teardown() {
  end $daemon
  remove_vms
}

serve() {
  rm -f "$root/serve.err" # what the one before said is no sign of this one
  banger-dns serve 2>"$root/serve.err" 3>&- &
  daemon=$!
  await 10 grep -q 'answers for' "$root/serve.err"
}
short() { dig +time=5 +tries=1 +short @127.0.0.1 -p "$port" "$@"; }
has_no_name() { [ -z "$(short demo.vm)" ]; }

@test "a name comes with the start of a VM and goes with its end" {
  serve
  expect 0 banger vm create $tiny demo
  reach=$(vm_field demo .net.reach)
  same "$(short demo.vm)" ''
  expect 0 banger vm start demo
  same "$(short demo.vm)" "$reach"
  same "$(short -x "$reach")" demo.vm.
  # It is where the guest is reached.
  ssh_port=$(vm_field demo .ssh.port)
  same "$(timeout 10 bash -c "exec 9<>/dev/tcp/$(short demo.vm)/$ssh_port; head -c 4 <&9")" SSH-
  # A guest that reboots keeps it.
  before=$(banger ssh demo -- cat /proc/sys/kernel/random/boot_id)
  banger ssh demo -- reboot || true
  until booted_again demo "$before"; do same "$(short demo.vm)" "$reach"; done
  # One that powers off loses it as soon as the state says so.
  banger ssh demo -- poweroff || true
  await 30 in_state demo stopped
  same "$(short demo.vm)" ''
  same "$(short -x "$reach")" ''
  expect 0 banger vm start demo
  same "$(short demo.vm)" "$reach"
  expect 0 banger vm kill demo
  same "$(short demo.vm)" ''
}

# bats test_tags=once
@test "whatever is killed, the name is there as long as the VM runs" {
  expect 0 banger vm run demo $tiny
  reach=$(vm_field demo .net.reach)
  serve
  same "$(short demo.vm)" "$reach"
  # The monitor first: the VM runs on.
  vmm=$(vm_field demo .vmm.pid)
  monitor=$(monitor_of demo)
  kill -KILL "$monitor"
  await 5 bash -c "! kill -0 $monitor 2>/dev/null"
  same "$(short demo.vm)" "$reach"
  # Then the VMM: nobody is left to tell.
  kill -KILL "$vmm"
  await 2 has_no_name
  # A daemon that begins now is not told otherwise by the row.
  kill -KILL "$daemon"
  wait "$daemon" || true
  serve
  same "$(short demo.vm)" ''
  expect 0 banger vm rm --force demo
}
