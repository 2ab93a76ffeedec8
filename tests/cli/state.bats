#!/usr/bin/env bats
# State files and directories that are not to be used: a clear error, the right status, nothing changed.
load ../lib

setup() {
  private_root
  db=$BANGER_STATE_DIR/state.db
}
teardown() { remove_private_root; }

seed() { "$BANGER_BUILD/tests/banger-bench" seed "$BANGER_STATE_DIR" "$1" >/dev/null; }

# refused STATUS CODE: who reads and who writes says so, and every file stays as it was.
refused() {
  local before command
  before=$(cd "$BANGER_STATE_DIR" && md5sum -- *)
  for command in 'banger-vm rm demo' 'banger-doctor --leaks' 'banger-vm list'; do
    # shellcheck disable=SC2086 # a command and its words
    expect "$1" $command --json
    if [[ $command != *rm* ]]; then error_schema; fi
    same "$(error_field .code)" "$2"
    [ "$(error_field .hint)" != null ]
    same "$(cd "$BANGER_STATE_DIR" && md5sum -- *)" "$before"
  done
}

@test "a garbage state file is refused, with a hint how to move it aside" {
  mkdir -m 700 "$BANGER_STATE_DIR"
  head -c 10000 /dev/urandom >"$db"
  refused 1 failed
  same "$(error_field .hint)" \
    "move it aside and start with an empty state: mv $db $db.broken"
}

@test "a truncated state file is refused" {
  seed 100
  truncate -s 9000 "$db"
  rm -f "$db-wal" "$db-shm"
  expect 1 banger-doctor --leaks
  errors "damaged"
  errors "hint: move it aside"
  same "$(stat -c %s "$db")" 9000
}

@test "a state directory that others can read is refused" {
  seed 1
  chmod 755 "$BANGER_STATE_DIR"
  refused 5 preflight
  same "$(error_field .hint)" "chmod 700 $BANGER_STATE_DIR"
}

@test "a state directory that is a file is refused" {
  echo x >"$BANGER_STATE_DIR"
  expect 5 banger-doctor --leaks
  same "$(cat "$BANGER_STATE_DIR")" x
}

@test "a path that is too long for a state is refused before anything is made" {
  deep=$BANGER_STATE_DIR
  while [ ${#deep} -lt 380 ]; do deep=$deep/$(printf 'a%.0s' $(seq 90)); done
  deep=$deep/$(printf 'b%.0s' $(seq $((479 - ${#deep})))) # the last name may be up to 99 long
  same "${#deep}" 480
  for command in 'vm create --image tiny a' 'vm list' 'doctor --leaks'; do
    # shellcheck disable=SC2086 # a command and its words
    expect 5 banger --state-dir "${deep}b" $command
    errors 'is too long: 481 bytes, at most 480'
    errors 'hint: set BANGER_STATE_DIR to a shorter path'
  done
  [ ! -e "$BANGER_STATE_DIR" ]
  expect 0 banger --state-dir "$deep" vm create --image tiny a
  expect 0 banger --state-dir "$deep" vm list -q
  same "$output" a
}

# on_fuse TYPE COMMAND...: with $BANGER_STATE_DIR an empty directory that FUSE serves as TYPE, in a
# namespace of its own.
on_fuse() {
  mkdir -p "$BANGER_STATE_DIR"
  unshare -Urm python3 - "$BANGER_STATE_DIR" "$@" <<'PY'
import ctypes, errno, os, struct, subprocess, sys, threading

where, kind, *command = sys.argv[1:]
fuse = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
data = f"fd={fuse},rootmode=40000,user_id=0,group_id=0"
if libc.mount(b"test", where.encode(), f"fuse.{kind}".encode(), 0, data.encode()) != 0:
    sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")

def answer(opcode):
    if opcode == 26:  # INIT
        return struct.pack("IIIIHHIIHHI28x", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, 0)
    if opcode == 3:  # GETATTR: an empty directory
        return struct.pack("QII6Q10I", 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40700, 2, 0, 0, 0, 4096, 0)
    if opcode == 17:  # STATFS
        return struct.pack("5Q4I24x", 1000, 1000, 1000, 10, 10, 4096, 255, 4096, 0)
    return errno.ENOENT if opcode == 1 else errno.ENOSYS

def serve():
    while request := os.read(fuse, 1 << 20):
        _, opcode, unique = struct.unpack("IIQ", request[:16])
        if opcode in (2, 36, 42):  # FORGET and INTERRUPT want no answer
            continue
        body = answer(opcode)
        error, body = (-body, b"") if isinstance(body, int) else (0, body)
        os.write(fuse, struct.pack("IiQ", 16 + len(body), error, unique) + body)

threading.Thread(target=serve, daemon=True).start()
os._exit(subprocess.run(command).returncode)  # and with the namespace the mount goes
PY
}

@test "a state directory on a network file system is refused, on a local one of FUSE it is not" {
  [ -w /dev/fuse ] && unshare -Urm true 2>/dev/null || skip 'no FUSE for this user'
  for command in 'vm list' 'vm create --image tiny a' 'doctor --leaks'; do
    # shellcheck disable=SC2086 # a command and its words
    expect 5 on_fuse sshfs banger $command
    errors "the state directory '$BANGER_STATE_DIR' is on a network file system (sshfs)"
    errors 'hint: SQLite'
    errors 'set BANGER_STATE_DIR to a local directory'
  done
  # One that is still to be made is looked at where it would be.
  expect 5 on_fuse sshfs banger --state-dir "$BANGER_STATE_DIR/below/it" vm create --image tiny a
  errors 'network file system (sshfs)'
  expect 0 on_fuse bindfs banger vm list -q
  same "$output$stderr" ''
}

@test "a schema of a newer banger is refused" {
  seed 1
  python3 -c '
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA user_version=9999")
db.close()' "$db"
  rm -f "$db-wal" "$db-shm"
  cp "$db" "$root/before"
  expect 4 banger-doctor --leaks
  errors "newer banger"
  cmp "$db" "$root/before"
}

# The structure of a database: every column, key and index. The names of SQLite's own indexes do not
# count.
structure() {
  sqlite3 "$1" "
    SELECT 'column', m.type, m.name, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk
      FROM sqlite_schema m, pragma_table_info(m.name) c;
    SELECT 'key', m.name, k.\"from\", k.\"table\", k.\"to\", k.on_delete
      FROM sqlite_schema m, pragma_foreign_key_list(m.name) k WHERE m.type = 'table';
    SELECT 'index', m.name, i.\"unique\", i.partial, group_concat(c.name)
      FROM sqlite_schema m, pragma_index_list(m.name) i, pragma_index_info(i.name) c
      WHERE m.type = 'table' GROUP BY m.name, i.name;
    SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%';
    SELECT 'migration', number, name FROM migration;" | sort
}

@test "a state of each older schema becomes what is made today at once" {
  "$BANGER_BUILD/tests/banger-test-vm" "$root/new" add a >/dev/null
  structure "$root/new/state.db" >"$root/today"
  [ "$(grep -c ^migration "$root/today")" -ge 3 ]
  newest=$(sqlite3 "$root/new/state.db" 'PRAGMA user_version')
  for old in "$BANGER_SOURCE"/tests/system/states/schema-*.sql; do
    rm -rf "$BANGER_STATE_DIR"
    mkdir -m 700 "$BANGER_STATE_DIR"
    sed "s|@ROOT@|$root|g" "$old" | sqlite3 "$db"
    # Left by a build that knew no foreign keys, and whose VM is gone.
    [ "$(sqlite3 "$db" 'PRAGMA user_version')" -ge 4 ] ||
      sqlite3 "$db" "INSERT INTO vm_label VALUES ('0123456789ab', 'a', 'b');
        INSERT INTO vm_port VALUES ('0123456789ab', 0, 'tcp', '', 1, 1)"
    expect 0 banger-vm list --json
    schema vm
    same "$(jq -r 'select(.name == "still") | [.state, .labels.env, .net.ports[0].host] | join(" ")' <<<"$output")" \
      'stopped test 18081'
    # Ports that are recorded stay as they are: at the VM's own address alone, and not at 127.0.0.1.
    reach=$(sqlite3 "$db" "SELECT reach FROM vm WHERE name = 'still'")
    same "$(jq -r 'select(.name == "still") | .net.ports[] | "\(.proto) \(.host_address):\(.host) \(.guest)"' <<<"$output")" \
      "tcp $reach:18081 80"
    same "$(jq -r 'select(.name == "one") | [.labels.k, .vmm.version, .timings.prepare != null] | join(" ")' <<<"$output")" \
      'one 7.2.22 true'
    same "$(structure "$db" | diff - "$root/today")" ''
    same "$(sqlite3 "$db" 'PRAGMA user_version')" "$newest"
    same "$(sqlite3 "$db" 'PRAGMA foreign_key_check; PRAGMA integrity_check')" ok
    expect 0 banger net publish --remove still 18081:80
    same "$output" "still: $reach:18081 -> 80 removed"
    expect 0 banger vm rm still
    same "$(sqlite3 "$db" "SELECT count(*) FROM vm_label l LEFT JOIN vm ON vm.id = l.vm WHERE vm.id IS NULL")" 0
  done
}

# A state of schema 2 whose VM `one` is monitored by process $1.
state_of_schema_2() {
  local start
  start=$(sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20)
  rm -rf "$BANGER_STATE_DIR"
  mkdir -m 700 "$BANGER_STATE_DIR"
  sed "s|@ROOT@|$root|g" "$BANGER_SOURCE/tests/system/states/schema-2.sql" | sqlite3 "$db"
  sqlite3 "$db" "UPDATE vm SET monitor_pid = $1, monitor_start_time = $start,
    monitor_boot_id = '$(cat /proc/sys/kernel/random/boot_id)', vmm_pid = 0 WHERE name = 'one'"
}

# A monitor of schema 2 (commit 0fe57fe), in its own statements, on a connection that it made before
# the state was migrated. Reads a line for each step from standard input, and answers it.
monitor_of_schema_2() {
  python3 -c '
import fcntl, json, os, sqlite3, struct, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
columns = """id, name, image_id, image_name, state, reason, cpus, memory, root_way, root_size,
  work_size, work_mount, net_mode, outbound_open, address, gateway, mac, prefix, reach, ssh_port,
  want_vmm, want_accel, vmm, vmm_version, accel, vmm_pid, vmm_start_time, vmm_boot_id, monitor_pid,
  monitor_start_time, monitor_boot_id, creator_pid, creator_start_time, creator_boot_id, runtime_dir,
  vmm_api_socket, remove_when_stopped, created, started, stopped, boot_prepare, boot_vmm,
  boot_kernel, boot_userland, boot_ready, fault_code, fault_message, fault_hint, fault_log"""
one = "71ff51ccc4ee"
def load():
    row = db.execute(f"SELECT {columns} FROM vm WHERE id = ?", (one,)).fetchone()
    labels = db.execute("SELECT vm, key, value FROM vm_label WHERE vm = ?", (one,)).fetchall()
    ports = db.execute("SELECT vm, proto, host_address, host, guest FROM vm_port WHERE vm = ? ORDER BY position", (one,)).fetchall()
    return dict(zip((c.strip() for c in columns.split(",")), row)), labels, ports
def change(**what):
    load()
    db.execute("BEGIN IMMEDIATE")
    db.execute("UPDATE vm SET " + ", ".join(f"{k} = ?" for k in what) + " WHERE id = ?", (*what.values(), one))
    db.execute("COMMIT")
def remove():
    db.execute("BEGIN IMMEDIATE")
    for table, key in (("vm_label", "vm"), ("vm_port", "vm"), ("vm", "id")):
        db.execute(f"DELETE FROM {table} WHERE {key} = ?", (one,))
    db.execute("COMMIT")
def net():
    return json.loads(db.execute("SELECT value FROM fact WHERE key = ?", ("net",)).fetchone()[0])
def repair():
    keys = "dir", "subnet", "holder", "slirp", "holder_ready", "slirp_ready", "net_id", "taps"
    record = {key: net()[key] for key in keys}
    record["slirp"]["pid"] = 4712
    record["slirp_ready"] = False
    record["taps"]["ba9876543210"] = 2
    db.execute("""INSERT INTO fact (key, value) VALUES (?, ?)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value""", ("net", json.dumps(record)))
steps = {
    "look": lambda: print(load()[0]["state"], load()[0]["monitor_pid"], len(load()[1]), len(load()[2])),
    "reboot": lambda: (change(vmm_pid=4711, vmm_start_time=1, vmm_boot_id="b", vmm_api_socket="/r/qmp.sock"), print("done")),
    "stopping": lambda: (change(state="stopping"), print("done")),
    "end": lambda: (change(state="stopped", stopped=5, vmm_pid=0, vmm_start_time=0, vmm_boot_id="",
                           monitor_pid=0, monitor_start_time=0, monitor_boot_id="", runtime_dir="",
                           vmm_api_socket=""), print("done")),
    "net": lambda: print(json.dumps(net())),
    "repair": lambda: (repair(), print("done")),
    "remove": lambda: (remove(), print("done"))}
where = os.path.dirname(sys.argv[1]) + "/vms/" + one
os.makedirs(where, 0o700)
run_lock = open(where + "/run.lock", "w")
fcntl.fcntl(run_lock, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)) # F_OFD_SETLK
load()
print("opened", flush=True)
for line in sys.stdin:
    steps[line.strip()]()
    sys.stdout.flush()' "$db"
}

@test "a monitor of an older build goes on while its state is migrated, and then nothing tells of it" {
  "$BANGER_BUILD/tests/banger-test-vm" "$root/new" add a >/dev/null
  structure "$root/new/state.db" >"$root/today"
  sleep 1000 3>&- &
  living=$!
  state_of_schema_2 $living
  coproc OLD { monitor_of_schema_2 3>&-; }
  ask() { if [ $# -gt 0 ]; then echo "$1" >&"${OLD[1]}"; fi; read -r -t 30 answer <&"${OLD[0]}"; }
  ask
  same "$answer" opened
  expect 0 banger-vm list -q # migrates
  [ "$(sqlite3 "$db" 'PRAGMA user_version')" -gt 3 ]
  ask look
  same "$answer" "running $living 1 1"
  # Its guest reboots: the VMM is another.
  ask reboot
  same "$answer" 'done'
  same "$(sqlite3 "$db" 'SELECT vmm_pid, monitor_pid, vmm_api_socket FROM vm_run')" "4711|$living|/r/qmp.sock"
  # It has the private network as its own words tell it, and changes it.
  ask net
  same "$(jq -c '[.subnet, .net_id, .taps, .holder.pid, .holder_ready]' <<<"$answer")" \
    '["10.0.2.0/24",4026532455,{"71ff51ccc4ee":1},29563,true]'
  ask repair
  same "$answer" 'done'
  same "$(sqlite3 "$db" "SELECT name, vm FROM host_object WHERE kind = 'tap' AND vm <> ''" | paste -sd ' ')" \
    'bnge8a5-1|71ff51ccc4ee bnge8a5-2|ba9876543210'
  same "$(sqlite3 "$db" "SELECT substr(identity, 1, 5), made FROM host_object WHERE kind = 'slirp'")" '4712 |0'
  # As long as it lives, verbs take nothing away from it.
  expect 0 banger vm reconcile --json
  sqlite3 "$db" 'SELECT monitor_pid FROM vm' | grep -qx $living
  # The tap of a VM that is not there was forgotten: it hears of it.
  ask net
  same "$(jq -c '[.subnet, .taps]' <<<"$answer")" '["10.0.2.0/24",{"71ff51ccc4ee":1}]'
  ask stopping
  same "$answer" 'done'
  same "$(banger vm show --json one | jq -r .state)" stopping
  ask end
  same "$answer" 'done'
  same "$(banger vm show --json one | jq -r '[.state, .vmm.pid] | join(" ")')" 'stopped '
  same "$(sqlite3 "$db" 'SELECT count(*) FROM vm_run')" 0
  ask remove # as that of --rm does
  same "$answer" 'done'
  same "$(sqlite3 "$db" 'PRAGMA foreign_key_check; SELECT count(*) FROM vm_label')" 2
  expect 0 banger-vm list -q
  same "$output" "$(printf 'done\nstill')"
  # Its row says that it has none; the process itself does not matter any more.
  expect 0 banger vm reconcile
  same "$(structure "$db" | diff - "$root/today")" ''
  kill $living
  eval "exec ${OLD[1]}>&-"
}

@test "what is kept for an older monitor goes when it has died without a word" {
  "$BANGER_BUILD/tests/banger-test-vm" "$root/new" add a >/dev/null
  structure "$root/new/state.db" >"$root/today"
  sleep 1000 3>&- &
  living=$!
  state_of_schema_2 $living
  expect 0 banger-vm list -q
  sqlite3 "$db" 'SELECT monitor_pid FROM vm' | grep -qx $living
  kill $living
  wait $living || true
  expect 0 banger vm reconcile
  same "$(structure "$db" | diff - "$root/today")" ''
  same "$(banger vm show --json one | jq -r '[.state, .reason] | join(" ")')" 'failed unobserved'
  same "$(sqlite3 "$db" 'SELECT count(*) FROM vm_run')" 0
}

@test "a database of another program is refused" {
  mkdir -m 700 "$BANGER_STATE_DIR"
  python3 -c '
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("CREATE TABLE cookies (x)")
db.close()' "$db"
  refused 1 failed
}

@test "reading a state that is not there makes none" {
  expect 0 banger-vm list
  errors 'no VMs; banger vm run NAME makes one'
  expect 0 banger-vm list --label job=x
  errors 'no VM matches'
  expect 0 banger-vm list --json
  same "$output" ""
  expect 3 banger-vm show demo
  [ ! -e "$BANGER_STATE_DIR" ]
}

@test "a list of 100 VMs costs at most 120 system calls and opens at most 5 files" {
  command -v strace >/dev/null || skip "no strace"
  seed 100
  write_config <<<'log.level = "info"'
  expect 0 strace -f -o "$root/trace" banger-vm list --json
  same "$(wc -l <<<"$output")" 100
  calls=$(grep -cE '^[0-9]+ +[a-z0-9_]+\(' "$root/trace")
  opened=$(grep -cE '^[0-9]+ +open(at)?\(.*= [0-9]' "$root/trace")
  echo "$calls system calls, $opened files opened"
  [ "$calls" -le 120 ]
  [ "$opened" -le 5 ]
}

a_host_key() {
  [ -e "$root/host_key" ] || ssh-keygen -q -t ed25519 -N '' -C '' -f "$root/host_key"
  cat "$root/host_key.pub"
}

# The cost of a list in system calls and in files opened: cost_of_list
cost_of_list() {
  strace -f -o "$root/trace" banger-vm list --json >"$root/listed"
  echo "$(grep -cE '^[0-9]+ +[a-z0-9_]+\(' "$root/trace") $(grep -cE '^[0-9]+ +open(at)?\(.*= [0-9]' "$root/trace")"
}

@test "each VM that runs costs a list at most 3 system calls and one open more" {
  command -v strace >/dev/null || skip "no strace"
  local i before after opened opened_after
  for i in $(seq 20); do
    "$BANGER_BUILD/tests/banger-test-vm" "$BANGER_STATE_DIR" add "n$i" >/dev/null
  done
  read -r before opened < <(cost_of_list)
  for i in $(seq 20); do
    "$BANGER_BUILD/tests/banger-test-vm" "$BANGER_STATE_DIR" run "n$i" running 22 $$ "$(a_host_key)"
  done
  banger vm list --json | jq -r .id >"$root/ids"
  # Their monitors: someone who holds run.lock of each.
  python3 - "$BANGER_STATE_DIR/vms" "$root/ids" "$root/held" <<'PY' 3>&- &
import fcntl, os, signal, struct, sys
held = []
for vm in open(sys.argv[2]).read().split():
    os.makedirs(f"{sys.argv[1]}/{vm}", 0o700, exist_ok=True)
    file = open(f"{sys.argv[1]}/{vm}/run.lock", "w")
    F_OFD_SETLK = 37
    fcntl.fcntl(file, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
    held.append(file)
open(sys.argv[3], "w").close()
signal.pause()
PY
  holder=$!
  await 10 test -e "$root/held"
  read -r after opened_after < <(cost_of_list)
  kill $holder
  same "$(jq -r .state "$root/listed" | sort -u)" running
  echo "$before calls, $opened opened; with 20 that run $after and $opened_after"
  [ $((after - before)) -le 60 ]
  [ $((opened_after - opened)) -le 20 ]
}

@test "verbs that only read change no row, whatever state the rows are in" {
  local i states='creating stopped starting running paused stopping failed removing'
  for i in $states; do
    "$BANGER_BUILD/tests/banger-test-vm" "$BANGER_STATE_DIR" add "$i" >/dev/null
    "$BANGER_BUILD/tests/banger-test-vm" "$BANGER_STATE_DIR" run "$i" "$i" 22 1 "$(a_host_key)"
  done
  dump() { sqlite3 "$BANGER_STATE_DIR/state.db" .dump; }
  before=$(dump)
  expect 0 banger vm list --json
  schema vm
  expect 0 banger vm show --json --all
  schema vm
  expect 0 banger vm events --json
  for verb in 'vm stats --all' 'vm logs stopped' 'net status' 'image list' 'vm preflight' 'doctor --leaks'; do
    # shellcheck disable=SC2086 # words
    banger $verb --json >/dev/null 2>&1 || true
  done
  same "$(dump)" "$before"
}

@test "lines of a log as objects: cut where they have no end, ASCII whatever was written" {
  "$BANGER_BUILD/tests/banger-test-vm" "$BANGER_STATE_DIR" add web >/dev/null
  log=$(banger vm show --json web | jq -r .logs.console)
  mkdir -p "${log%/*}"
  { printf 'one\r\n\ntwo \033[2J \377\n'; head -c 70000 /dev/zero | tr '\0' x; } >"$log"
  expect 0 banger vm logs --json "$(banger vm show --json web | jq -r '.id[:6]')"
  schema log
  same "$(LC_ALL=C grep -c '[^ -~]' <<<"$output")" 0
  same "$(jq -r '"\(.vm) \(.log) \(.text | length)"' <<<"$output" | xargs)" \
    'web console 3 web console 0 web console 10 web console 65536 web console 4464'
  same "$(jq -s '.[2].text == "two \u001b[2J \ufffd"' <<<"$output")" true
  same "$(banger vm logs web | cksum)" "$(cksum <"$log")"
}

@test "another user's state or runtime directory is refused before anything is written" {
  [ "$(id -u)" = 0 ] || skip 'only root gives files away'
  mkdir -m 700 "$BANGER_STATE_DIR" "$root/theirs"
  chown 48612:48612 "$BANGER_STATE_DIR" "$root/theirs"
  for verb in list 'create --image tiny x' 'rm --all' reconcile; do
    # shellcheck disable=SC2086 # a verb and its operands
    expect 5 banger vm $verb
    errors "the state directory '$BANGER_STATE_DIR' belongs to user 48612, and this is root"
    errors 'hint: run banger as user 48612, without sudo; or set BANGER_STATE_DIR'
  done
  same "$(ls -A "$BANGER_STATE_DIR")" ''
  # Nor is one made in what is theirs.
  expect 5 banger vm create --image tiny --state-dir "$root/theirs/of/mine" x
  errors 'belongs to user 48612'
  same "$(ls -A "$root/theirs")" ''
  rmdir "$BANGER_STATE_DIR"
  # The bundle of a state, too, and what stands in a log.
  for path in "$root/theirs" "$root/theirs/of/mine"; do
    expect 5 banger bundle build --state-dir "$path" --out "$path/bundle"
    errors "the state directory '$path' belongs to user 48612"
    BANGER_LOG_LEVEL=debug expect 5 banger bundle verify --state-dir "$path" --runtime-dir "$root/none"
  done
  same "$(ls -A "$root/theirs")" ''
  expect 5 env XDG_RUNTIME_DIR="$root/theirs" banger vm create --image tiny x
  errors "the runtime directory '$root/theirs/banger' belongs to user 48612"
  errors 'unset XDG_RUNTIME_DIR'
  [ ! -e "$BANGER_STATE_DIR" ]
}

@test "files of root that lie in a state are told, with what gives them back" {
  [ "$(id -u)" = 0 ] || skip 'only root gives files away'
  as() { setpriv --reuid=48612 --regid=48612 --clear-groups env -u XDG_RUNTIME_DIR XDG_CONFIG_HOME="$HOME" "$@"; }
  chmod 755 "$root"
  mkdir -m 700 "$BANGER_STATE_DIR"
  chown -R 48612:48612 "$BANGER_STATE_DIR" "$HOME"
  # The tools lie where only root looks, perhaps.
  mkdir -m 755 "$root/bin"
  cp "$BANGER_BUILD"/bin/banger* "$root/bin"
  as "$root/bin/banger-image" prune --state-dir "$BANGER_STATE_DIR"
  expect 0 as "$root/bin/banger-vm" list
  chown 0:0 "$BANGER_STATE_DIR/state.db"
  expect 1 as "$root/bin/banger-vm" list
  errors "hint: sudo chown -R 48612: $BANGER_STATE_DIR"
  chown 48612:48612 "$BANGER_STATE_DIR/state.db"
  mkdir "$BANGER_STATE_DIR/vms"
  expect 5 as "$root/bin/banger-doctor"
  outputs "files of other users lie in '$BANGER_STATE_DIR'"
  outputs "fix: sudo chown -R 48612: $BANGER_STATE_DIR"
}

@test "no hint closes a directory that others use" {
  mkdir -m 755 "$BANGER_STATE_DIR"
  expect 5 banger vm list
  errors "hint: chmod 700 $BANGER_STATE_DIR"
  touch "$BANGER_STATE_DIR/something"
  expect 5 banger vm list
  errors "--state-dir $BANGER_STATE_DIR/banger"
  [[ $stderr != *chmod* ]]
}
