#!/usr/bin/env bats
# The command that starts a VM starts the DNS daemon. No guest boots here: QEMU is a program that
# does nothing, and a VM has its name as long as that runs.
load ../lib
load vm

setup() {
  vm_root
  unset BANGER_DNS_AUTOSTART
  port=$((20000 + $$ % 12000))
  export BANGER_DNS_LISTEN=127.0.0.1:$port
  export BANGER_QEMU_BINARY=$BANGER_BUILD/tests/banger-stub-vmm BANGER_VM_ACCEL=tcg BANGER_VM_MEMORY=64M
  pids=()
}
teardown() {
  end "${pids[@]}"
  # A test may have gone on in the other state.
  BANGER_STATE_DIR=$root/other banger vm rm --force --all >/dev/null 2>&1 || true
  export BANGER_STATE_DIR=$root/state
  remove_vms
}

create() { expect 0 banger vm create --image tiny "$@"; }
start() { expect 0 banger vm start --no-wait "$@"; }
short() { dig +time=5 +tries=1 +short @127.0.0.1 -p "$port" "$@"; }
dns_field() { banger dns status --json | jq -r "$1"; }
is_down() { [ "$(banger dns status -q)" = down ]; }

@test "a VM that is started starts the daemon, and its name is there" {
  create demo other
  same "$(dns_field .pid)" null
  start demo
  same "$stderr" ''
  same "$(short demo.vm)" "$(vm_field demo .net.reach)"
  daemon=$(dns_field .pid)
  same "$(dns_field '[.background, .idle] | map(tostring) | join(" ")')" 'true 60'
  same "$(ps -o sid= "$daemon" | tr -d ' ')" "$daemon"
  # Another VM finds it there.
  start other
  same "$(dns_field .pid)" "$daemon"
  same "$(short other.vm)" "$(vm_field other .net.reach)"
  # After its end by hand a start brings it back, of a VM that runs already, too.
  expect 0 banger dns stop
  start demo
  same "$(short other.vm)" "$(vm_field other .net.reach)"
  expect 0 banger dns stop
  expect 0 banger vm restart --no-wait --stop-timeout 0s demo
  same "$(short demo.vm)" "$(vm_field demo .net.reach)"
  expect 0 banger dns stop
  expect 0 banger vm run --no-wait --image tiny third
  same "$(short third.vm)" "$(vm_field third .net.reach)"
  # From now on it stays.
  expect 0 banger dns start
  same "$(dns_field '[.background, .idle] | map(tostring) | join(" ")')" 'true null'
}

# bats test_tags=once
@test "many at once start one daemon, and dns.autostart says no" {
  create vm- --count 4
  BANGER_DNS_AUTOSTART=false start --all
  same "$(dns_field .pid)" null
  expect 0 banger vm kill --all
  start -j 4 --all
  same "$(pgrep -fc "banger-dns serve --state-dir $BANGER_STATE_DIR")" 1
  local i jobs=()
  expect 0 banger dns stop
  for i in 1 2 3 4; do
    banger vm restart --no-wait --stop-timeout 0s "vm-$i" >"$root/restart.$i" 2>&1 3>&- &
    jobs+=($!)
  done
  for i in "${jobs[@]}"; do wait "$i"; done
  same "$(grep -v starting "$root"/restart.?)" ''
  same "$(pgrep -fc "banger-dns serve --state-dir $BANGER_STATE_DIR")" 1
}

# bats test_tags=once
@test "a port that another state has keeps no VM, and is told once" {
  create a
  start a
  daemon=$(dns_field .pid)
  first=$BANGER_STATE_DIR
  export BANGER_STATE_DIR=$root/other
  create b
  start b
  errors "cannot serve DNS at 127.0.0.1:$port: banger-dns (process $daemon), the DNS daemon of the state '$first' has it"
  errors 'set dns.listen'
  errors 'dns.autostart'
  expect 0 banger vm kill b
  start b
  same "$stderr" ''
  # Nor is it among what programs read.
  expect 0 banger vm kill b
  expect 0 banger vm start --no-wait --json b
  schema result
  same "$stderr" ''
  # It is told again when it was well in between, and comes by itself where it can.
  expect 0 banger dns stop --state-dir "$first"
  expect 0 banger vm restart --no-wait --stop-timeout 0s b
  same "$stderr" ''
  same "$(short b.vm)" "$(vm_field b .net.reach)"
  expect 0 banger dns stop
  expect 0 banger dns start --state-dir "$first"
  start b
  errors "the DNS daemon of the state '$first' has it"
}

# bats test_tags=once
@test "a daemon that does not answer, or is not there, keeps no VM" {
  create demo
  start demo
  daemon=$(dns_field .pid)
  pids+=("$daemon")
  kill -STOP "$daemon"
  expect 0 banger vm kill demo
  local began=$EPOCHREALTIME
  start demo
  took_at_most 5 "$began"
  errors "the DNS daemon of the state '$BANGER_STATE_DIR' does not answer"
  kill -KILL "$daemon"
  await 10 is_down
  # A tree without it.
  cp -r --reflink=auto "$BANGER_BUILD/bin" "$BANGER_BUILD/libexec" "$root/"
  rm "$root/bin/banger-dns"
  expect 0 banger vm kill demo
  BANGER_RUNTIME_DIR=$(runtime_bundle) expect 0 "$root/bin/banger-vm" start --no-wait demo
  errors "cannot run '$root/bin/banger-dns'"
}

# bats test_tags=once
@test "a daemon in the background is replaced after an upgrade, and no other" {
  mkdir "$root/prefix"
  cp -r --reflink=auto "$BANGER_BUILD/bin" "$BANGER_BUILD/libexec" "$root/prefix/"
  BANGER_RUNTIME_DIR=$(runtime_bundle)
  export BANGER_RUNTIME_DIR
  PATH="$root/prefix/bin:$PATH"
  upgrade() {
    cp --reflink=auto "$root/prefix/bin/banger-dns" "$root/next"
    mv "$root/next" "$root/prefix/bin/banger-dns"
  }
  create demo
  start demo
  daemon=$(dns_field .pid)
  expect 0 banger vm restart --no-wait --stop-timeout 0s demo
  same "$(dns_field .pid)" "$daemon"
  upgrade
  expect 0 banger vm restart --no-wait --stop-timeout 0s demo
  same "$stderr" ''
  next=$(dns_field .pid)
  [ "$next" != "$daemon" ]
  gone "$daemon"
  same "$(short demo.vm)" "$(vm_field demo .net.reach)"
  same "$(dns_field .idle)" 60
  # One that was to stay, stays.
  expect 0 banger dns start
  upgrade
  start demo
  [ "$(dns_field .pid)" != "$next" ]
  same "$(dns_field '[.background, .idle] | map(tostring) | join(" ")')" 'true null'
  # One that somebody keeps in the foreground is his.
  expect 0 banger dns stop
  banger-dns serve 2>"$root/serve.err" 3>&- &
  daemon=$!
  pids+=("$daemon")
  await 10 grep -q 'answers for' "$root/serve.err"
  upgrade
  expect 0 banger vm restart --no-wait --stop-timeout 0s demo
  errors "the DNS daemon (process $daemon)"
  same "$(dns_field '[.pid, .background] | map(tostring) | join(" ")')" "$daemon false"
  expect 0 banger vm restart --no-wait --stop-timeout 0s demo
  same "$stderr" ''
}
