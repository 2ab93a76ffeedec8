#!/usr/bin/env bats
# What changes the network `bridge` and what runs on it, at once: each is refused, or done. VMs have a stub for
# their VMM here, which boots nothing, so that hundreds begin and end in a minute.
load ../lib
load vm
load net
load bridge

# rounds COUNT FUNCTION...: again and again, beside others.
rounds() {
  local count=$1
  shift
  for ((n = 0; n < count; n++)); do "$@"; done
}
# try WORDS...: whatever comes of it; a line in $root/said with its status, its words, and what it said.
try() {
  local status=0 said
  said=$(timeout 60 env -u BATS_TEST_NAME nsenter --target "$world" --user --mount --net --preserve-credentials -- banger "$@" 2>&1) || status=$?
  printf '%s %s: %s\n' "$status" "$*" "${said//$'\n'/ | }" >>"$root/said"
}

comes_and_goes() {
  try net up
  try net down
}
begins_and_ends() {
  try vm start --no-wait "$1"
  try vm kill "$1"
}
is_made_and_removed() {
  try vm create --image tiny --memory 64M --accel tcg "$1"
  try vm start --no-wait "$1"
  try vm rm --force "$1"
}
has_a_port() {
  try net publish "$1" "127.0.0.1:$2:80"
  try net publish --remove "$1" "127.0.0.1:$2:80"
}
goes_out() {
  try net nat down "$1"
  try net nat up "$1"
}

@test "up and down beside starts, ends, removals, ports and ways out: each is done or refused, and nothing stays" {
  export BANGER_QEMU_BINARY=$BANGER_BUILD/tests/banger-stub-vmm
  expect 0 banger net up
  expect 0 banger vm create --image tiny --memory 64M --accel tcg a
  expect 0 banger vm create --image tiny --memory 64M --accel tcg b
  expect 0 banger net down
  before=$(host_now)
  : >"$root/said"
  at=$(free_port)
  local workers=() worker
  rounds 30 comes_and_goes & workers+=($!)
  rounds 12 begins_and_ends a & workers+=($!)
  rounds 12 begins_and_ends b & workers+=($!)
  rounds 12 is_made_and_removed c & workers+=($!)
  rounds 20 has_a_port a "$at" & workers+=($!)
  rounds 20 goes_out b & workers+=($!)
  for worker in "${workers[@]}"; do wait "$worker"; done
  # Whoever comes late hears why, and nothing else.
  grep -v '^0 ' "$root/said" >"$root/refused" || true
  run grep -vE -e "^4 net down: .*'bridge' down: [abc, ]+ runs? on it " -e '^4 .*: it is (starting|stopping) ' \
    -e "^5 (vm start|net nat) .*: the network 'bridge' is down " -e "^3 net publish --remove .*'a' does not publish" "$root/refused"
  same "$output" ''
  [ "$(grep -c '^0 vm start' "$root/said")" -gt 0 ]
  expect 0 banger net up
  expect 0 banger net status --json
  same "$(jq -c .host.faults <<<"$output")" '[]'
  expect 0 banger vm start --no-wait --all
  expect 0 banger vm rm --force --all
  expect 0 banger net down
  nothing_left
  diff <(echo "$before") <(host_now)
}

# Both steps of an end that are apart: the VM's row says that it ran, its tap is there yet.
@test "down ends the resolver, too, where a VM on it has ended and did not leave yet" {
  export BANGER_QEMU_BINARY=$BANGER_BUILD/tests/banger-stub-vmm
  expect 0 banger net up
  expect 0 banger vm create --image tiny --memory 64M --accel tcg a
  expect 0 banger vm start --no-wait a
  resolves() { [ "$(net_field '.host.resolver_pid')" != null ]; }
  await 20 resolves
  resolver=$(net_field .host.resolver_pid)
  within python3 - "$BANGER_STATE_DIR" <<'EOF'
import fcntl, os, signal, sqlite3, struct, subprocess, sys, time
state = sys.argv[1]
db = sqlite3.connect(state + "/state.db", isolation_level=None)
monitor, vmm = db.execute("SELECT monitor_pid, vmm_pid FROM vm_run").fetchone()
# Nobody leaves for it meanwhile, and `down` waits.
lock = os.open(state + "/net.lock", os.O_RDWR)
fcntl.fcntl(lock, fcntl.F_OFD_SETLKW, struct.pack("hhlli", fcntl.F_WRLCK, 0, 0, 0, 0))
for pid in (monitor, vmm):
    os.kill(pid, signal.SIGKILL)
db.execute("UPDATE vm SET state = 'stopped'")
db.execute("DELETE FROM vm_run")
inode = os.fstat(lock).st_ino
def waits():
    return any("->" in line and line.split()[6].endswith(f":{inode}") for line in open("/proc/locks"))
down = subprocess.Popen(["banger", "net", "down"])
while not waits():
    assert down.poll() is None
    time.sleep(0.01)
os.close(lock)
sys.exit(down.wait())
EOF
  gone "$resolver"
  expect 0 banger vm rm --force a
  nothing_left
}
