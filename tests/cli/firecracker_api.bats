#!/usr/bin/env bats
# What is said to Firecracker, against its own official description: a server that is made from it
# (tests/tools/firecracker_api.py) takes every request that the client can make apart, and answers as
# a VMM should not.
# bats file_tags=once
load ../lib

setup() {
  private_root
  server=
  dir=$root/w
  mkdir "$dir"
  mkfifo "$dir/metrics" # as the start makes it
}
teardown() {
  end $server
  remove_private_root
}

# serve [FAULT=PATH]…: its socket is there when this returns, its log is $root/asked.
serve() {
  rm -f "$dir/api.sock"
  timeout 60 /usr/bin/python3 "$BANGER_SOURCE/tests/tools/firecracker_api.py" "$dir/api.sock" \
    "$BANGER_SOURCE/tests/data/firecracker-api-v1.16.1.yaml" "$@" >"$root/asked" 2>"$root/complaint" 3>&- &
  server=$!
  await 20 test -S "$dir/api.sock"
}

# Nothing that was asked was wrong.
served_well() {
  local status=0
  wait "$server" || status=$?
  server=
  same "$(cat "$root/complaint")" ''
  same "$(grep WRONG "$root/asked")" ''
  same "$status" 0
}

fails() { # fails FAULT WHY
  serve "$1"
  expect 1 client boot
  outputs "boot: $2"
  [[ $output == *'('[0-4].* ]] # at once, not when a patience of ten seconds ends
  wait "$server" || true
  server=
}

client() { "$BANGER_BUILD/tests/banger-test-vmm-client" "$dir" "$@"; }

@test "every request is one of the description, with a body that its schema allows, in its order" {
  serve
  expect 0 client boot knock pause resume look memory
  outputs '120000000 50000000 90000000'
  served_well
  same "$(cut -d' ' -f1,2 "$root/asked" | paste -sd' ')" "GET /version PUT /metrics PUT /machine-config PUT /boot-source \
PUT /drives/root PUT /drives/upper PUT /drives/work PUT /network-interfaces/n0 PUT /entropy PUT /balloon PUT /actions PUT /actions \
PATCH /vm PATCH /vm GET / GET /balloon/statistics"
  serve
  expect 0 client boot-bare
  served_well
}

@test "limits: made with the devices, changed while the guest is there, each lifted by an empty bucket" {
  serve
  expect 0 client boot-limited limit unlimit
  served_well
  same "$(grep -c '^PUT .*rate_limiter' "$root/asked")" 4
  same "$(grep '^PUT /vsock' "$root/asked")" 'PUT /vsock {"guest_cid":3,"uds_path":"made/vsock.sock"}' # it has all there is
  same "$(grep '^PATCH' "$root/asked" | cut -d' ' -f2 | paste -sd' ')" \
    '/drives/root /drives/upper /drives/work /network-interfaces/n0 /drives/root /drives/upper /drives/work /network-interfaces/n0'
  bodies() { grep "^PATCH $1 " "$root/asked" | cut -d' ' -f3 | jq -c "$2"; }
  same "$(bodies /network-interfaces/n0 '[.rx_rate_limiter, .tx_rate_limiter | .bandwidth.size, .bandwidth.refill_time, .ops.size]')" \
    $'[1048576,1000,0,1048576,1000,0]\n[0,0,0,0,0,0]'
  same "$(bodies /drives/work '.rate_limiter | [.bandwidth.size, .ops.size, .ops.refill_time]')" $'[20971520,500,1000]\n[0,0,0]'
  serve refuse=/drives/work
  expect 1 client boot-bare limit
  outputs 'limit: the VMM refuses PATCH /drives/work: it will not.'
  wait "$server" || true
  server=
}

@test "a guest is saved while it stands, and taken up by a VMM that has been told nothing else" {
  serve
  expect 0 client boot pause save resume
  served_well
  same "$(tail -3 "$root/asked")" 'PATCH /vm {"state":"Paused"}
PUT /snapshot/create {"snapshot_type":"Full","snapshot_path":"saved/devices","mem_file_path":"saved/memory"}
PATCH /vm {"state":"Resumed"}'
  serve
  expect 0 client load knock
  served_well
  same "$(sed '/actions/d; /rate_limiter/d' "$root/asked")" 'GET /version 
PUT /metrics {"metrics_path":"metrics"}
PUT /snapshot/load {"snapshot_path":"saved/devices","mem_backend":{"backend_type":"File","backend_path":"saved/memory"},"resume_vm":false,"network_overrides":[{"iface_id":"n0","host_dev_name":"bngab12-3"}]}
PATCH /vm {"state":"Resumed"}'
  # The limits that the snapshot has are not the VM's: all of them are said before the guest goes on.
  same "$(grep -n 'rate_limiter\|Resumed' "$root/asked" | cut -d' ' -f1,2 | paste -sd' ')" \
    '4:PATCH /drives/root 5:PATCH /drives/upper 6:PATCH /drives/work 7:PATCH /network-interfaces/n0 8:PATCH /vm'
  for act in save load; do
    serve refuse=/snapshot/${act/save/create}
    if [ $act = save ]; then expect 1 client boot pause save; else expect 1 client load; fi
    outputs "the VMM refuses PUT /snapshot/${act/save/create}: it will not."
    wait "$server" || true
    server=
  done
}

@test "the server sees what is wrong: an order, a state, a member" {
  wrong() { # wrong WHY ACT…
    serve
    expect 1 client "${@:2}"
    outputs "$1"
    status=0
    wait "$server" || status=$?
    server=
    same "$status" 1
  }
  wrong 'SendCtrlAltDel before the start' knock
  wrong 'not supported before starting' resume
  wrong 'not supported before starting' pause
  wrong 'metrics are there already' boot boot
  wrong 'metrics are there already' boot load
  wrong 'a snapshot of a guest that runs' boot save
  wrong 'not supported before starting' save
}

@test "what a guest tells of its memory is told when it is there" {
  serve mute=/balloon/statistics
  expect 1 client boot memory
  outputs 'memory: the guest does not tell what memory it has'
  served_well
  for fault in garbage cut refuse error; do
    serve $fault=/balloon/statistics
    expect 1 client boot memory
    wait "$server" || true
    server=
  done
}

@test "what it counts adds up, as each line has what is new; a line that is none changes nothing" {
  serve
  expect 0 client boot counters counters
  served_well
  same "$(grep -v 'done' <<<"$output" | tail -3)" "$(printf 'root 8192 0 2 0 0 2\nwork 0 1024 0 4 6 0\nnet 200 100 2, exits 10')"
  same "$(tail -1 "$root/asked")" 'PUT /actions {"action_type":"FlushMetrics"}'
  # Of what another, or a VMM that found no room, has written there.
  serve
  exec 4<>"$dir/metrics"
  printf 'nonsense\n{"block_root":{"read_bytes":7}\n' >&4
  expect 0 client boot counters
  exec 4>&-
  served_well
  outputs 'root 4096 0 1 0 0 1'
  # One that was started by an earlier build has no such file.
  rm "$dir/metrics"
  serve
  expect 1 client counters
  outputs 'counters: it was not told to count'
  kill "$server"
  wait "$server" || true
  server=
}

@test "an answer that comes byte for byte is an answer" {
  serve slow=/boot-source slow=/version
  expect 0 client boot
  served_well
}

@test "a refusal is told with what was asked, in Firecracker's own words, safe for a terminal" {
  for path in /metrics /machine-config /boot-source /drives/upper /network-interfaces/n0 /entropy /balloon /actions; do
    fails refuse=$path "the VMM refuses PUT $path: it will not.\\x1b[2J"
  done
  fails error=/actions 'the VMM refuses PUT /actions: status 500'
  fails number=/actions 'the VMM refuses PUT /actions: status 400'
}

@test "what breaks off, is no HTTP, or has no end, fails at once" {
  for path in /version /boot-source /actions; do
    fails cut=$path 'the VMM cannot be asked: it has gone'
    fails garbage=$path 'the VMM cannot be asked: an answer is no HTTP'
    fails huge=$path 'the VMM cannot be asked: an answer has a length that cannot be'
    fails endless=$path 'the VMM cannot be asked: an answer has no end'
  done
}

@test "one that does not answer is given up after its time" {
  serve silent=/boot-source
  expect 1 client boot
  outputs 'the VMM cannot be asked: it does not answer (1'
  [[ $output == *'('1[0-9].* ]]
}
