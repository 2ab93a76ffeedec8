#!/usr/bin/env bats
# The keepers of the DNS daemon, and how long it stays.
load ../lib
load dns

@test "one that is to end without VMs ends then, and not while one runs" {
  vm demo
  serve --background --idle 300ms
  sleep 1 # three times as long
  same "$(short demo.vm)" "$reach"
  kill -KILL "$vmm"
  await 5 has_ended "$daemon"
  expect 0 wait "$daemon"
  expect 0 banger dns status -q
  same "$output" down
  # One that is started by hand stays, whoever began it. Until then a VM holds it.
  vm other
  serve --background --idle 1s
  expect 0 banger dns status --json
  same "$(field '[.pid, .background, .idle] | map(tostring) | join(" ")')" "$daemon true 1"
  expect 0 banger dns start --json
  same "$(field .changed)" false
  kill -KILL "$vmm"
  sleep 2.5
  expect 0 banger dns status --json
  same "$(field '[.pid, .idle] | map(tostring) | join(" ")')" "$daemon null"
}

@test "a state that is removed takes its daemon along" {
  expect 0 banger dns start
  daemon=$(banger dns status --json | jq .pid)
  pids+=("$daemon")
  rm -r "$BANGER_STATE_DIR"
  await 5 has_ended "$daemon"
  [ ! -e "$BANGER_STATE_DIR" ]
  # Its place, and its port, are another's.
  vm demo
  expect 0 banger dns start --json
  same "$(field .changed)" true
  same "$(short demo.vm)" "$reach"
  # Files that come and go beside the lock do not matter.
  touch "$BANGER_STATE_DIR/run/other"
  rm "$BANGER_STATE_DIR/run/other"
  same "$(short demo.vm)" "$reach"
  # One that is moved away while VMs run: that they have no names is not said.
  daemon=$(banger dns status --json | jq .pid)
  pids+=("$daemon")
  mv "$BANGER_STATE_DIR" "$BANGER_STATE_DIR.away"
  same "$(told demo.vm)" 'SERVFAIL qr rd'
  await 5 has_ended "$daemon"
  [ ! -e "$BANGER_STATE_DIR" ]
  mv "$BANGER_STATE_DIR.away" "$BANGER_STATE_DIR"
  expect 0 banger dns start
  same "$(short demo.vm)" "$reach"
}

@test "a service that systemd starts with the first question is started by one" {
  vm demo
  cat >"$root/systemd.py" <<'PY'
import os, select, socket, sys
open("/proc/self/comm", "w").write("systemd")
port = int(sys.argv[1])
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tcp = socket.socket()
for s in (udp, tcp):
    s.bind(("127.0.0.1", port))
tcp.listen()
print("bound", flush=True)
select.select([udp, tcp], [], [])
if os.fork() == 0:
    os.dup2(udp.fileno(), 13)
    os.dup2(tcp.fileno(), 14)
    os.dup2(13, 3)
    os.dup2(14, 4)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2")
    os.execvp("banger-dns", ["banger-dns", "serve", "--replace"])
os.wait()
PY
  python3 "$root/systemd.py" "$port" >"$root/bound" 3>&- &
  pids+=($!)
  await 10 grep -q bound "$root/bound"
  expect 0 banger dns start --json
  same "$(field '[.ok, .changed] | map(tostring) | join(" ")')" 'true false'
  same "$(short demo.vm)" "$reach"
  expect 0 banger dns status --json
  same "$(field .background)" false
  # systemd has the sockets, too; who answers is told.
  expect 0 env BANGER_STATE_DIR="$root/other" banger dns status --json
  same "$(field '[.holder.comm, .holder.state] | join(" ")')" "banger-dns $BANGER_STATE_DIR"
}

@test "systemd's units are as it wants them, and let little be done" {
  command -v systemd-analyze >/dev/null || skip 'no systemd-analyze'
  local kind
  for kind in system user; do
    mkdir -p "$root/units/$kind"
    cp "$BANGER_SOURCE/share/systemd/banger-dns.socket" "$root/units/$kind"
    sed "s,@BINDIR@,$BANGER_BUILD/bin," "$BANGER_SOURCE/share/systemd/$kind/banger-dns.service" \
      >"$root/units/$kind/banger-dns.service"
    expect 0 systemd-analyze verify --man=no "--$kind" "$root/units/$kind"/banger-dns.*
    same "$stderr" ''
  done
  expect 0 systemd-analyze security --offline=true --threshold=25 "$root/units/system/banger-dns.service"
  expect 0 systemd-analyze security --offline=true --threshold=70 --user "$root/units/user/banger-dns.service"
}
