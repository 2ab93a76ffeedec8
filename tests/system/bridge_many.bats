#!/usr/bin/env bats
# A hundred VMs of the network `bridge` that a crash left: their rows are there, their taps, and no process.
load ../lib
load vm
load net
load points
load bridge

# With rows as a monitor writes them, and taps by the helper; sets $tag.
a_hundred() {
  expect 0 banger net up
  tag=$(python3 - "$BANGER_STATE_DIR/state.db" <<'EOF'
import sqlite3, sys
print(*sqlite3.connect(sys.argv[1]).execute("SELECT tag FROM identity").fetchone())
EOF
)
  local stem
  stem=$(banger net status --json | jq -r .host.gateway)
  python3 - "$BANGER_STATE_DIR/state.db" "$tag" "${stem%1}" >"$root/joins" <<'EOF'
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for n in range(1, 101):
    vm, tap = f"{n:012x}", f"bng{sys.argv[2]}-{n}"
    db.execute("INSERT INTO host_object VALUES ('tap', ?, ?, 'bridge', '', 0)", (tap, vm))
    print(json.dumps({"v": 1, "do": "join", "tag": sys.argv[2], "guest": {
        "tap": n, "address": sys.argv[3] + str(n + 100), "nat": True,
        "ports": [{"proto": "tcp", "host_address": "127.0.0.1", "host": 20000 + n, "guest": 80}]}}))
db.commit()
EOF
  ask_helper <"$root/joins" >"$root/joined"
  same "$(taps)" 100
}
taps() { within ip -o link | grep -c ": bng$tag-[0-9]" || true; }
rows() {
  python3 -c 'import sqlite3, sys
print(*sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM host_object WHERE kind = ?", ("tap",)).fetchone())' \
    "$BANGER_STATE_DIR/state.db"
}

@test "a hundred taps that a crash left go at once, also where that dies in between; a host's reboot loses none that is to come" {
  needs_failpoints
  a_hundred
  empty=$(within nft list ruleset | grep -c "bng$tag-[0-9]" || true)
  [ "$empty" -ge 100 ]
  # Two requests for all of them, regrouped and removed, and one transaction.
  BANGER_FAILPOINT_IN=banger-helper BANGER_FAILPOINT_TRACE=$root/trace expect 0 banger vm reconcile
  same "$(sort "$root/trace" | uniq -c | awk '{print $2, $1}' | grep -v '^sys' | tr '\n' ' ')" 'net.link 2 net.rules 1 '
  same "$(taps) $(rows)" '0 0'
  expect 0 banger doctor --leaks
  # The helper dies among them, wherever: the next command does the rest.
  for point in net.link#1 net.link#2 net.rules#1 sys.rename#1; do
    a_hundred
    BANGER_FAILPOINT_IN=banger-helper BANGER_FAILPOINT=$point:kill expect 0 banger vm reconcile
    same "$(rows)" 100
    expect 0 banger vm reconcile
    same "$(taps) $(rows)" '0 0'
    same "$(within nft list ruleset | grep -c "bng$tag-[0-9]" || true)" 0
    expect 0 banger doctor --leaks
  done
  # So does `down`, with taps that were on their way out.
  a_hundred
  BANGER_FAILPOINT_IN=banger-helper BANGER_FAILPOINT=net.link#2:kill expect 0 banger vm reconcile
  python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1]); db.execute("DELETE FROM host_object WHERE kind = ?", ("tap",)); db.commit()' "$BANGER_STATE_DIR/state.db"
  expect 0 banger net down
  same "$(taps)" 0
  # The host was booted anew with all of them there: a start finds the bridge gone, and has it made.
  a_hundred
  reboot_host
  expect 0 banger vm create $tiny a
  expect 0 banger vm start --no-wait a
  same "$(taps) $(rows)" '1 1'
  expect 0 banger vm rm --force a
  expect 0 banger net down
  same "$(within nft list ruleset)" ''
  nothing_left
}
