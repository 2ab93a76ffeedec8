#!/usr/bin/env bats
# The state and the words that a banger of before left behind meet the tools of today.
load ../lib
load vm

# A state directory as schema 1 had it (states/schema-1.sql); its disks are the bundle's root.
old_state() {
  local bundle part image=$BANGER_STATE_DIR/images/5e170ad9feae vm
  bundle=$(runtime_bundle)
  mkdir -m 700 "$BANGER_STATE_DIR"
  mkdir -p "$image" "$BANGER_STATE_DIR/vms"
  sed "s|@ROOT@|$root|g" "$BATS_TEST_DIRNAME/states/schema-1.sql" | run_sql "$BANGER_STATE_DIR/state.db"
  part=$bundle/$(jq -r '.parts[] | select(.name == "root-tiny") | .file' "$bundle/bundle.json")
  cp --reflink=auto --sparse=always "$part" "$image/root.ext4"
  for vm in e61115f75596 1387dea6c765; do
    mkdir -m 700 "$BANGER_STATE_DIR/vms/$vm"
    cp --reflink=auto --sparse=always "$part" "$BANGER_STATE_DIR/vms/$vm/root.img"
  done
}

# Prints the rows that the SQL on standard input gives.
run_sql() {
  python3 -c '
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
text = sys.stdin.read()
if text.lstrip().upper().startswith("SELECT"):
    for row in db.execute(text):
        print(*row, sep="|")
else:
    db.executescript(text)' "$1"
}

# say API_SOCKET WORD <LINES: to the monitor of the VM, as they are; prints its answers until one
# has WORD in it, or (none given) it closes the connection.
say() {
  python3 -c '
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
os.chdir(os.path.dirname(sys.argv[1]))
s.settimeout(60)
s.connect("monitor.sock")
s.sendall(sys.stdin.buffer.read())
lines = s.makefile()
for line in lines:
    print(line, end="")
    if sys.argv[2] and sys.argv[2] in line:
        break' "$1" "$2"
}

@test "a state of schema 1: its VMs are seen, settled, started and removed" {
  old_state
  expect 0 banger vm list --json
  schema vm
  same "$(field '[.name, .state, .id] | join(" ")')" 'one failed 1387dea6c765
still stopped e61115f75596'
  expect 0 banger vm show --json still
  schema vm
  same "$(field '.net.ports[0] | [.proto, .host, .guest] | join(" ")')" 'tcp 18081 80'
  same "$(field '.labels.env, .work, .net.mode')" 'test
null
isolated'
  expect 0 banger vm events --json
  schema event
  same "$(field 'select(.vm == "gone") | .type' | paste -sd ' ')" \
    'vm.created vm.starting vm.ready vm.stopped vm.removed'
  expect 0 banger image list --json
  schema image
  same "$(field '.name, .vms')" "$(printf 'tiny\n2')"

  # A schema made in steps is the one that is made today at once.
  columns="SELECT m.name, c.* FROM sqlite_schema m, pragma_table_info(m.name) c ORDER BY 1, c.name"
  expect 0 banger vm list --state-dir "$root/fresh"
  expect 0 banger vm create $tiny --net isolated new --state-dir "$root/fresh"
  same "$(run_sql "$BANGER_STATE_DIR/state.db" <<<"$columns")" \
    "$(run_sql "$root/fresh/state.db" <<<"$columns")"
  same "$(run_sql "$BANGER_STATE_DIR/state.db" <<<'SELECT number FROM migration')" \
    "$(run_sql "$root/fresh/state.db" <<<'SELECT number FROM migration')"

  # A port that it published is where it was: at the VM's own address alone.
  expect 0 banger vm start still
  expect 0 banger ssh still -- 'setsid nc -ll -p 80 -e echo here >/dev/null 2>&1 </dev/null &'
  await 10 eval '[ "$(timeout 5 cat </dev/tcp/127.100.222.1/18081)" = here ]'
  same "$(ss -Hltn 'src 127.0.0.1 and sport = 18081')" ''
  same "$(vm_field still '.net.ports | length')" 1

  expect 0 banger vm reconcile
  same "$(vm_field one .reason)" unobserved
  expect 0 banger vm start one
  expect 0 banger ssh one -- hostname
  same "$output" one
  expect 0 banger vm create $tiny another # beside those of before
  expect 0 banger vm rm --force one still another
  nothing_left
  expect 0 banger image rm tiny
}

@test "a monitor understands what verbs of before and of after say to it" {
  expect 0 banger vm run $tiny --net isolated m
  socket=$(vm_field m .vmm.api_socket)
  # A verb that it has not, keys that it has not: refused, and ignored.
  expect 0 say "$socket" failed <<<'{"v":1,"verb":"levitate","height":3}'
  same "$(field '.event, .error.code, .error.hint')" 'failed
failed
it is of another version: stop and start the VM'
  # A version that it does not know, and what is no message at all: told, and left.
  expect 0 say "$socket" '' <<<'{"v":2,"verb":"stop","timeout_ms":1}'
  same "$(field .event)" failed
  outputs 'version 2, this one knows 1'
  for line in 'stop' '[]' '{"verb":"stop"}' '{"v":"1","verb":"stop"}' '{"v":1,"verb":["stop"]}' \
    '{"v":1,"verb":"stop","timeout_ms":"soon"}'; do
    expect 0 say "$socket" '' <<<"$line"
    same "$(field .event)" failed
    outputs 'cannot be read'
  done
  in_state m running

  # A question that has an id gets it back; one of a verb of before is answered as it was then.
  port=$(printf 127.0.0.1:7117:22 | base64)
  expect 0 say "$socket" '"done"' <<<"{\"v\":1,\"id\":5,\"verb\":\"publish\",\"data\":\"$port\"}"
  same "$(field '[.id, .event] | @json')" '[5,"done"]'
  expect 0 say "$socket" unpublish <<<"{\"v\":1,\"verb\":\"unpublish\",\"data\":\"$port\"}"
  same "$(field '[.id, .event, .stage] | @json')" '[null,"stage","unpublish"]'
  expect 0 say "$socket" failed <<<'{"v":1,"id":6,"verb":"levitate"}'
  same "$(field '[.id, .event, .error.code] | @json')" '[6,"failed","failed"]'

  # As it was recorded of `banger vm stop`, commit 486ffbf, and what that one understood of a reply.
  expect 0 say "$socket" '' <<<'{"v":1,"verb":"stop","timeout_ms":10000}'
  same "$(jq -rs 'map([.v, .event, .stage // .state] | join(" ")) | join(", ")' <<<"$output")" \
    '1 stage asking, 1 ended stopped'
  in_state m stopped
}
