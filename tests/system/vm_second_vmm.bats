#!/usr/bin/env bats
# A VMM that is quite another than QEMU, taken through a VM's life by the ordinary tools: its socket comes
# late, it is configured by requests and only then boots, its serial line is its standard input and
# output, it tells nothing when it ends, and ends with status 0 whatever its guest did
# (tests/tools/test_firecracker.cc). It boots nothing: its guest is a real sshd in a namespace.
load ../lib
load vm

setup() {
  vm_root
  needs_it
  export BANGER_VM_CONFINED=false # its guest is made of this machine's own sshd, and mounts
  mkdir "$root/bin"
  ln -s "$BANGER_BUILD/tests/banger-test-firecracker" "$root/bin/firecracker"
  PATH="$root/bin:$PATH"
  new_vm f
}

needs_it() {
  [ -r /dev/kvm ] && [ -w /dev/kvm ] || skip 'no /dev/kvm to be tried'
  [ "$(id -u)" = 0 ] || skip 'its guest needs root'
  [ -x /usr/sbin/sshd ] || skip 'no sshd (openssh-server)'
  expect 0 banger net status --json
  [ "$(field .mode)" = user ] || skip "$(field .why)"
}

# Who asks for KVM gets it untried.
new_vm() { expect 0 banger vm create --image tiny --memory 128M --vmm firecracker --accel kvm "$1"; }

vmm_of() { vm_field "$1" .vmm.pid; }

@test "create, start, ssh, a second boot, stop, start, rm" {
  export TEST_VMM=late=300
  expect 0 banger vm start f
  expect 0 banger vm show --json f
  schema vm
  same "$(field '[.state, .vmm.driver, .vmm.version] | join(" ")')" 'running firecracker 1.16.1'
  same "$(basename "$(field .vmm.api_socket)")" api.sock
  # What it logs is kept apart from what its guest says.
  banger vm logs --log vmm f | grep -q 'INFO\] Running Firecracker v1.16.1$'
  same "$(banger vm logs f | grep -c INFO)" 0
  expect 0 banger ssh f -- true
  # The guest's own reboot: another VMM, the same VM.
  first=$(vmm_of f)
  banger ssh f -- reboot || true
  await 20 other_vmm f "$first"
  await 20 banger ssh f -- true
  same "$(vm_field f .state)" running
  expect 0 banger vm stop f
  same "$output" 'f: stopped'
  same "$(vm_field f '[.state, .reason] | @json')" '["stopped",null]'
  same "$(banger vm logs --log lifecycle f | jq -r 'select(.event == "vm.stop.step").step')" keys
  expect 0 banger vm start f
  expect 0 banger vm rm --force f
  nothing_left
}

other_vmm() {
  local now
  now=$(vmm_of "$1")
  [ "$now" != null ] && [ "$now" != "$2" ]
}

@test "it stands still and goes on, and a monitor that takes it over knows which" {
  expect 0 banger vm start f
  expect 0 banger vm pause f
  same "$(vm_field f '[.state, .reason] | join(" ")')" 'paused on request'
  expect 255 banger ssh f -- true
  errors "VM 'f' is paused: on request"
  kill_monitor f
  expect 0 banger vm reconcile
  await 5 in_state f paused
  expect 0 banger vm resume f
  # Its network can be limited, and is while it runs.
  expect 0 banger vm set --json --limit net.bandwidth=1M f
  same "$(field '[.changed, .state] | join(" ")')" 'true running'
  same "$(vm_field f .limits.net.bandwidth)" 1048576
  same "$(banger vm logs --log vmm f | grep -c 'request on "/network-interfaces/n0"')" 3 # made, taken over, changed
  expect 0 banger ssh f -- true
  expect 0 banger vm pause f
  expect 0 banger vm stop f
  same "$(vm_field f '[.state, .reason] | @json')" '["stopped",null]'
}

@test "stats have what it counts, and a monitor that takes it over counts on" {
  counted() { banger vm stats --json f | jq -c '[.vmm.disks[0].read, .vmm.net.received]'; }
  expect 0 banger vm start f
  same "$(counted)" '[4096,7]'
  same "$(counted)" '[8192,14]'
  kill_monitor f
  expect 0 banger vm reconcile
  same "$(counted)" '[4096,7]'
}

@test "a snapshot: made and gone back to; a refusal is told, and a VMM that stalls over it can be ended" {
  expect 0 banger vm start f
  expect 0 banger vm snapshot create f s
  expect 0 banger ssh f -- true
  saved=$(banger vm snapshot list --json f | jq -r .path)
  # Its memory has no holes when it is written, and the zeros of it take no room afterwards.
  same "$(stat -c %s "$saved/memory")" 134217728
  [ "$(takes "$saved/memory")" -le 64 ]
  expect 4 banger vm snapshot restore f s
  expect 0 banger vm stop f
  expect 0 banger vm snapshot restore f s
  same "$(vm_field f '[.state, .vmm.driver] | join(" ")')" 'running firecracker'
  expect 0 banger ssh f -- true
  expect 0 banger vm kill f
  TEST_VMM=refuse=/snapshot/load expect 1 banger vm snapshot restore f s
  errors "cannot restore 'f' from 's': "
  errors "the VMM refuses PUT /snapshot/load: no."
  same "$(vm_field f .state)" failed
  expect 0 banger doctor --leaks
  TEST_VMM=refuse=/snapshot/create expect 0 banger vm start f
  expect 1 banger vm snapshot create f t
  errors "cannot snapshot 'f': the VMM refuses PUT /snapshot/create: no."
  await 10 in_state f running
  expect 0 banger ssh f -- true
  expect 0 banger vm kill f
  TEST_VMM=stall=/snapshot/create expect 0 banger vm start f
  banger vm snapshot create f t >"$root/out" 2>&1 3>&- &
  maker=$! status=0
  await 10 in_state f paused
  began=$EPOCHREALTIME
  expect 0 banger vm kill f
  took_at_most 2 "$began"
  wait "$maker" || status=$?
  same "$status" 4
  same "$(banger vm snapshot list -q f)" s
  expect 0 banger vm rm f
  nothing_left
}

@test "a guest whose memory takes long to be written goes on when its verb, or its monitor, has died" {
  local whom
  for whom in verb monitor; do
    TEST_VMM=slow=/snapshot/create expect 0 banger vm start f
    banger vm snapshot create f s >"$root/out" 2>&1 3>&- &
    maker=$!
    await 10 in_state f paused
    if [ $whom = verb ]; then
      kill_dead "$maker"
    else
      kill_monitor f
      expect 0 banger vm reconcile
    fi
    wait "$maker" || true
    await 30 in_state f running
    expect 0 banger ssh f -- true
    expect 0 banger vm kill f
  done
}

@test "what its guest does is read from the console: panic, and power-off, which leaves it running" {
  expect 0 banger vm start f
  banger ssh f -- panic || true
  await 20 in_state f failed
  same "$(vm_field f .reason)" 'kernel panic: made by a test'
  expect 0 banger vm start f
  vmm=$(vmm_of f)
  banger ssh f -- poweroff || true
  await 20 in_state f stopped
  same "$(vm_field f '[.state, .reason] | @json')" '["stopped","the guest halted"]'
  ended_within 1 f
  gone "$vmm"
}

@test "kill, the crash of the VMM, the crash of its monitor" {
  expect 0 banger vm start f
  expect 0 banger vm kill f
  same "$(vm_field f '[.state, .reason] | @json')" '["stopped","killed"]'
  expect 0 banger vm start f
  kill_dead "$(vmm_of f)"
  await 10 in_state f failed
  [[ $(vm_field f .reason) == 'the VMM ended (signal 9'* ]]
  expect 0 banger vm start f
  vmm=$(vmm_of f)
  kill_monitor f
  expect 0 banger vm reconcile # another adopts it
  same "$(vmm_of f)" "$vmm"
  [ -n "$(monitor_of f)" ]
  expect 0 banger ssh f -- true
  expect 0 banger vm stop f
  same "$(banger vm logs --log lifecycle f | jq -r 'select(.event == "vm.stop.step").step' | tail -1)" keys
  gone "$vmm"
}

has_no_monitor() { [ -z "$(monitor_of f)" ]; }

# fails_to_start SETTING MESSAGE…: and leaves nothing. A monitor tells its failure before it ends.
fails_to_start() {
  TEST_VMM=$1 expect 1 banger vm start f
  for message in "${@:2}"; do errors "$message"; done
  same "$(vm_field f .state)" failed
  await 5 has_no_monitor
  expect 0 banger doctor --leaks
}

@test "it refuses, or dies, at each step: said, and nothing is left" {
  for path in /machine-config /boot-source /metrics /drives/root /network-interfaces/n0 /actions; do
    fails_to_start "refuse=$path" "the VMM refuses PUT $path: no."
    fails_to_start "die=$path" "the VMM of 'f' ended (exit status 0)" 'Firecracker exiting: made by a test.'
  done
  for fault in 'cut it has gone' 'garbage an answer is no HTTP' 'huge an answer has no end'; do
    fails_to_start "${fault%% *}=/boot-source" "the VMM cannot be asked: ${fault#* }"
  done
  fails_to_start die=socket "the VMM of 'f' ended (exit status 0)"
  expect 0 banger vm start f
}

@test "it stalls at each step: whoever asks is heard, and a kill ends it at once" {
  for path in /version /boot-source /actions; do
    TEST_VMM=stall=$path banger vm start f >"$root/start" 2>&1 3>&- &
    start=$!
    await 20 has_vmm f
    vmm=$(vmm_of f)
    expect 0 timeout 2 banger vm show f
    began=$EPOCHREALTIME
    expect 0 banger vm kill f
    took_at_most 2 "$began"
    status=0
    wait $start || status=$?
    same "$status" 4
    gone "$vmm"
    same "$(vm_field f '[.state, .reason] | @json')" '["stopped","killed"]'
  done
}

@test "deaf to Ctrl-Alt-Del and to SIGTERM: the steps of a stop go on" {
  export TEST_VMM=deaf
  expect 0 banger vm start f
  BANGER_VM_STOP_TIMEOUT=300ms expect 0 banger vm stop f
  same "$(vm_field f '[.state, .reason] | @json')" '["stopped",null]'
  same "$(banger vm logs --log lifecycle f | jq -r 'select(.event == "vm.stop.step").step' | xargs)" \
    'keys ssh'
}

@test "its console is its standard output, and what is typed its standard input, after an adoption too" {
  expect 0 banger vm start f
  type_and_see() {
    printf '%s\n' "$1" | timeout 5 banger vm console f >"$root/console" 2>&1 || true
    await 5 grep -q "typed: $1" "$(disk_of f console.log)"
  }
  type_and_see hello
  kill_monitor f
  expect 0 banger vm reconcile
  type_and_see again
  expect 0 banger vm kill f
}
