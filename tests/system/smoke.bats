#!/usr/bin/env bats
# shellcheck disable=SC2034 # what the helpers of other files use
# `banger doctor --smoke`: a VM that is made for it says that a host is well, and why it is not; whatever ends
# it, nothing is left.
load ../lib
load vm
load net
load points
load bridge

setup() {
  vm_root
  export BANGER_VM_IMAGE=tiny BANGER_VM_MEMORY=128M BANGER_VM_ACCEL=tcg
  world='' outside='' servers=()
  own_host
  without python3 "$BATS_TEST_DIRNAME/name_server.py" 192.0.2.2 "$root/asked" 3>&- &
  names=$!
  servers+=("$names")
  await 10 test -s "$root/asked"
  serve_at without 203.0.113.7 8000 outside
}

ids() { jq -r '[.id, .status] | join(" ")' <<<"$output" | xargs; }
found() { jq -r "select(.id == \"$1\").found" <<<"$output"; }
smoke() { banger doctor --smoke --to 203.0.113.7:8000 "$@"; }
all_well='bridge ok vm ok guest ok link ok address ok route ok outside ok name ok names ok port ok rules ok nat ok left ok'
# Neither of VMs nor of a bridge that nobody asked for.
all_gone() {
  [ "$(host_now)" = "$before" ] && [ -z "$(find "$XDG_RUNTIME_DIR/banger" -mindepth 2 2>/dev/null)" ] &&
    [ -z "$(ls "$BANGER_STATE_DIR/vms" 2>/dev/null)" ]
}

@test "on the host's network: it answers, resolves, goes out by NAT, and all of it goes again" {
  within nft 'add table inet own; add chain inet own forwards { type filter hook forward priority 5; policy drop; }'
  before=$(host_now)
  expect 0 smoke --nat --json
  schema check
  same "$(ids)" "$all_well"
  [[ $(found vm) =~ ^"'smoke-"[0-9a-f]{6}"' answered over ssh after "[0-9.]+" s (qemu, tcg, network 'bridge')"$ ]]
  [[ $(found nat) =~ ^[1-9] ]]
  [[ $(found rules) == *' 1 chain of '* ]]
  grep -q '^udp ' "$root/asked"
  all_gone
  same "$(net_field .mode)" user
  nothing_left
  # One that is up stays, and what the user has on it.
  expect 0 banger net up
  expect 0 banger vm create a
  up=$(host_now)
  kill "$names"
  await 10 gone "$names"
  expect 0 smoke --nat
  outputs 'CHECK'
  # The limit of its guest's questions goes by itself, ten seconds later.
  diff <(echo "$up") <(host_now | grep -v 'limit rate .* expires')
  same "$(net_field .mode)" bridge
  same "$(banger vm list -q)" a
  expect 0 banger vm rm a
  expect 0 banger net down
  all_gone
}

@test "what stands in the way is told with its step, what could not be tried too; the status says whether all is well" {
  before=$(host_now)
  within nft 'add table inet own; add chain inet own forwards { type filter hook forward priority 5; }
    add rule inet own forwards iifname "bng-*" drop'
  dropping=$(host_now)
  expect 1 smoke --nat --json
  same "$(jq -r 'select(.id == "outside") | [.status, (.found | test("inet own forwards"))] | @json' <<<"$output")" '["missing",true]'
  same "$(jq -r 'select(.id == "nat").status' <<<"$output")" warn
  same "$(jq -r 'select(.id == "left").status' <<<"$output")" ok
  same "$(host_now)" "$dropping"
  within nft delete table inet own
  # A host without an outside is not at fault.
  within ip route del default
  kill "$names"
  before=$(host_now)
  expect 0 banger doctor --smoke --nat --json
  same "$(jq -r 'select(.status == "warn").id' <<<"$output" | xargs)" 'bridge outside nat'
  [[ $(found outside) == 'not tried: '* ]]
  all_gone
  # With a way out, but nobody there, either.
  within ip route add default via 192.0.2.2
  before=$(host_now)
  expect 0 banger doctor --smoke --nat --to 203.0.113.99:8000 --json
  same "$(jq -r 'select(.id == "outside").status' <<<"$output")" warn
  all_gone
  # Nor does what is missing for a VM make one.
  BANGER_QEMU_BINARY=$root/none expect 5 smoke --json
  same "$(ids)" 'vm missing left ok'
  [[ $(jq -r 'select(.id == "vm").fix' <<<"$output") == *qemu* ]]
  all_gone
}

# begin SIGNAL WHEN: a smoke in the background that gets the signal once WHEN succeeds; its status in $status.
interrupted() {
  rm -f "$root/pid"
  within bash -c 'echo $$ >"$1/pid"; exec banger-doctor --smoke --nat --to 203.0.113.7:8000 >"$1/said" 2>&1' - "$root" 3>&- &
  local job=$!
  await 60 "${@:2}"
  kill "-$1" "$(cat "$root/pid")"
  status=0
  wait "$job" || status=$?
}
boots() { [ "$(banger vm list --json --state starting 2>/dev/null | jq -rs '.[0].vmm.pid')" != null ]; }
is_tried() { banger vm list --json --state running 2>/dev/null | grep -q smoke-; }
is_borrowed() { within ip -o link | grep -q ': bng-'; }

@test "whatever ends it ends its VM and the bridge that it borrowed" {
  before=$(host_now)
  interrupted INT is_borrowed
  same "$status" 130
  all_gone
  interrupted TERM boots
  same "$status" 143
  all_gone
  # A guest that is asked for its network does not answer while its VMM stands still.
  interrupted HUP is_tried
  same "$status" 129
  all_gone
  # Killed: its monitor ends the VM, and whoever leaves the bridge last takes it down. No command is needed.
  interrupted KILL boots
  same "$status" 137
  await 30 all_gone
  interrupted KILL is_tried
  same "$status" 137
  await 30 all_gone
  # The bridge that it made is not for others meanwhile; `net up` makes it theirs.
  within bash -c 'exec banger-doctor --smoke --nat >/dev/null 2>&1' 3>&- &
  job=$!
  await 60 boots
  same "$(net_field .mode)" user
  expect 0 banger net up
  same "$(net_field .mode)" bridge
  wait "$job"
  same "$(net_field .mode)" bridge
  expect 0 banger net down
  all_gone
}

@test "killed before its VM is there: the next command takes the bridge that it borrowed down" {
  needs_failpoints
  before=$(host_now)
  for point in net.link#1 net.rules#1; do
    BANGER_FAILPOINT_IN=banger-helper BANGER_FAILPOINT=$point:kill expect 5 smoke --nat --json
    # What the helper left that died is told, too, and nothing else knows of it.
    same "$(ids)" 'bridge missing left missing'
    expect 0 banger doctor --fix
    all_gone
  done
  expect 0 smoke --nat # the first one makes the image, too
  BANGER_FAILPOINT_IN=banger-doctor BANGER_FAILPOINT_TRACE=$root/trace expect 0 smoke --nat
  commits=$(grep -c '^state.commit$' "$root/trace")
  # The first ones are the bridge's and the VM's; the last one is after the bridge went.
  for n in 1 2 3 4 5 $((commits - 1)) "$commits"; do
    BANGER_FAILPOINT_IN=banger-doctor BANGER_FAILPOINT=state.commit#$n:kill expect 137 smoke --nat
    # What runs meanwhile is its monitor, which hears of its death.
    await 30 no_vm_runs
    expect 0 banger vm reconcile
    all_gone || {
      echo "after commit $n of $commits" >&2
      diff <(echo "$before") <(host_now) >&2
      false
    }
  done
  nothing_left
}
no_vm_runs() { [ -z "$(pgrep -f "$BANGER_STATE_DIR.*banger-monitor|banger-monitor smoke-" || true)" ]; }

@test "without a bridge: on the network that a new VM would have" {
  before=$(host_now)
  BANGER_NET_MODE=isolated expect 0 smoke --json
  same "$(ids)" 'vm ok guest ok link ok address ok route ok outside warn names warn port ok left ok'
  all_gone
}
