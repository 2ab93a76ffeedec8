#!/usr/bin/env bats
# The name server in hard times: killed, replaced, on a full disk, kept from its state; asked all the while, and
# what it says is true (dns_load.py).
# bats file_tags=once
load ../lib
load dns

setup() {
  dns_root
  sleep 600 3>&- &
  vmm=$!
  pids+=("$vmm")
}

# begin_load NAME...: a VM of each name that comes and goes, and is asked for.
begin_load() {
  local name
  rm -f "$root/enough" "$root"/load.*
  for name in "$@"; do
    [ -e "$root/reach.$name" ] || "$test_vm" "$BANGER_STATE_DIR" add "$name" >"$root/reach.$name"
    "$BANGER_SOURCE/tests/cli/dns_load.py" "$port" "$root/enough" "$test_vm" "$BANGER_STATE_DIR" "$vmm" "$name" \
      "$(cat "$root/reach.$name")" >"$root/load.$name" 3>&- &
    loads+=($!)
    pids+=($!)
  done
}
# The outcome of all of them: "WRONG FAILURES", and the longest time of a question in $worst.
end_load() {
  local load
  touch "$root/enough"
  for load in "${loads[@]}"; do expect 0 wait "$load"; done
  loads=()
  cat "$root"/load.* >&2
  [ "$(jq -s 'map(.answers) | min > 5' "$root"/load.*)" = true ]
  worst=$(jq -s 'map(.worst) | max' "$root"/load.*)
  result=$(jq -rs '"\(map(.wrong | length) | add) \(map(.failures) | add)"' "$root"/load.*)
}
# Of what should be a second; a busy machine may take two, or longer.
soon() { took_at_most 2 0 "$worst"; }

queries() { banger dns status --json | jq .queries; }
has_answered() { [ "$(queries)" -ge "$1" ]; }

@test "killed and begun again, it says nothing that is not true" {
  loads=()
  serve
  begin_load a b c

  for _ in 1 2 3 4 5; do
    await 20 has_answered 20
    kill -KILL "$daemon"
    wait "$daemon" || true
    serve
  done
  await 20 has_answered 20
  end_load
  same "$result" '0 0'
  soon
}

@test "one takes over from another, and what is asked meanwhile has a true answer" {
  loads=()
  serve
  begin_load a b c
  local before
  for _ in 1 2 3 4 5; do
    await 20 has_answered 20
    before=$daemon
    serve --replace
    expect 0 wait "$before"
  done
  await 20 has_answered 20
  end_load
  same "$result" '0 0'
  soon
}

@test "who keeps others from writing keeps nobody from an answer" {
  loads=()
  serve
  begin_load a b c
  await 20 has_answered 20
  # Two hundred questions, each answered in time.
  cat >"$root/asks.py" <<'PY'
import socket
def ask(port):
    for _ in range(200):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.connect(("127.0.0.1", port))
            s.send(b"\0\1\0\0\0\1\0\0\0\0\0\0\1a\2vm\0\0\1\0\1")
            assert s.recv(2000)[3] & 15 in (0, 3)
PY
  export PYTHONPATH=$root
  # A long transaction of another is in nobody's way but of those who write.
  python3 - "$BANGER_STATE_DIR/state.db" "$port" "$root/reach.a" <<'PY'
import asks, sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)
db.execute("BEGIN IMMEDIATE")
asks.ask(int(sys.argv[2]))
db.execute("ROLLBACK")
PY
  # Nor are those who write the log, fold it into the file, or mend it (sqlite.org/walformat.html, "locks").
  python3 - "$BANGER_STATE_DIR/state.db-shm" "$port" <<'PY'
import asks, fcntl, sys
with open(sys.argv[1], "r+b") as shm:
    fcntl.lockf(shm, fcntl.LOCK_EX, 3, 120)
    asks.ask(int(sys.argv[2]))
PY
  end_load
  same "$result" '0 0'
  soon
}

# Of Python, about the index of the log. tear(): as a writer leaves its head who dies while he writes the
# two copies. code(): what is said of demo.vm; in_time(): each time within a second.
index_tools() {
  cat >"$root/index.py" <<'PY'
import fcntl, socket, subprocess, sys, time
shm = open(sys.argv[1], "r+b", buffering=0)
port = int(sys.argv[2])
def tear():
    shm.seek(8)
    byte = shm.read(1)[0]
    shm.seek(8)
    shm.write(bytes([byte ^ 0xff]))
def code():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(20)
        s.connect(("127.0.0.1", port))
        began = time.monotonic()
        s.send(b"\0\1\0\0\0\1\0\0\0\0\0\0\4demo\2vm\0\0\1\0\1")
        answer = s.recv(2000)[3] & 15
        took.append(time.monotonic() - began)
        return answer
took = []
def in_time(): # nothing took longer than a second, or what that is here
    most = max(took)
    assert most < 1 or most < int(subprocess.check_output(["bash", "-c", "longer 1"])), f"{most} s"
PY
  export PYTHONPATH=$root
  export -f longer
}

@test "who has all locks of the state's log for a moment delays an answer, and it is the true one" {
  vm demo
  serve
  answered demo.vm "$reach"
  index_tools
  python3 - "$BANGER_STATE_DIR/state.db-shm" "$port" <<'PY'
from index import *
import threading
def hold():
    global held_for
    fcntl.lockf(shm, fcntl.LOCK_EX, 8, 120)
    began = time.monotonic()
    tear()
    held.set()
    time.sleep(0.12)
    tear()
    fcntl.lockf(shm, fcntl.LOCK_UN, 8, 120)
    held_for = time.monotonic() - began
tries = rounds = 0
while rounds < 3:
    tries += 1
    assert tries < 100
    held = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    got = code()
    holder.join()
    if held_for < 0.3: # more is no moment
        assert got == 0, got
        rounds += 1
in_time()
PY
}

@test "who has all locks of the state's log for long keeps it from what it knows, not from an answer" {
  vm demo
  serve
  answered demo.vm "$reach"
  index_tools
  # What such a one may be at is to mend the index, whose head is no good meanwhile.
  python3 - "$BANGER_STATE_DIR/state.db-shm" "$port" <<'PY'
from index import *
fcntl.lockf(shm, fcntl.LOCK_EX, 8, 120)
tear()
end = time.monotonic() + 1  # it looks again meanwhile
asked = 0
while time.monotonic() < end:
    got = code()
    assert got == 2, got
    asked += 1
assert asked > 5, asked  # only the first waits for the state
in_time()
fcntl.lockf(shm, fcntl.LOCK_UN, 8, 120)
PY
  await 1 answered demo.vm "$reach"
}

@test "a head of the log's index that its writer left torn is mended, and what is said is true" {
  vm demo
  serve
  answered demo.vm "$reach"
  index_tools
  # A commit writes the second copy of the head, then the first (sqlite.org/walformat.html, 2.2). Who dies
  # between has committed: it stands in the log.
  python3 - "$BANGER_STATE_DIR/state.db-shm" "$port" "$test_vm" "$BANGER_STATE_DIR" "$vmm" <<'PY'
from index import *
import subprocess
test_vm, state, vmm = sys.argv[3:]
def half_commit(*now):
    shm.seek(0)
    head = shm.read(48)
    subprocess.run([test_vm, state, "live", "demo", *now], check=True)
    shm.seek(0)
    shm.write(head)
for _ in range(3):
    half_commit("stopped", "0")
    assert code() == 3
    half_commit("running", vmm)
    assert code() == 0
in_time()
PY
}

# With the state on a small file system of its own that has no byte left.
full() {
  pids=()
  sleep 600 &
  vmm=$!
  reach=$("$test_vm" "$BANGER_STATE_DIR" add demo)
  "$test_vm" "$BANGER_STATE_DIR" live demo running "$vmm"
  serve
  same "$(short demo.vm)" "$reach"
  cat /dev/zero >"$BANGER_STATE_DIR/filler" 2>/dev/null || true
  same "$(short demo.vm)" "$reach"
  # A change that could be written is told, one that could not has not happened.
  local state
  for state in stopped running stopped running stopped running; do
    "$test_vm" "$BANGER_STATE_DIR" live demo $state "$(pid_in $state)" 2>/dev/null || true
    same "$(short demo.vm)" "$(is_up && echo "$reach")"
  done
  # Nor does it keep one from beginning, once nothing of the log is left in memory either.
  kill -KILL "$daemon"
  wait "$daemon" || true
  banger-dns serve 2>"$root/serve.err" &
  daemon=$!
  await 10 answers
  local now
  now=$(short demo.vm)
  [ "$(rcode demo.vm)" = SERVFAIL ] || same "$now" "$(is_up && echo "$reach")"
  rm "$BANGER_STATE_DIR/filler"
  "$test_vm" "$BANGER_STATE_DIR" live demo running "$vmm"
  await 2 answered demo.vm "$reach"
  "$test_vm" "$BANGER_STATE_DIR" live demo stopped 0
  same "$(rcode demo.vm)" NXDOMAIN
  kill "$daemon" "$vmm"
}
ask() { dig +time=5 +tries=1 @127.0.0.1 -p "$port" "$@"; }
short() { ask +short "$@"; }
answered() { [ "$(short "$1")" = "$2" ]; }
rcode() { ask +noall +comments "$@" | sed -n 's/.*status: \([A-Z]*\),.*/\1/p'; }
answers() { ask +time=1 vm SOA >/dev/null; }
pid_in() { [ "$1" = running ] && echo "$vmm" || echo 0; }
is_up() { [ "$(banger vm list --json | jq -r 'select(.name == "demo").state')" = running ]; }

@test "on a full disk it goes on, begins, and follows again when there is room" {
  unshare -rm true 2>/dev/null || skip 'no user namespaces, so no file system of its own'
  mkdir -p "$BANGER_STATE_DIR"
  export root port test_vm
  unshare -rm bash -euc "$(declare -f)
    mount -t tmpfs -o size=4M,mode=700 none \"\$BANGER_STATE_DIR\"
    full"
}
