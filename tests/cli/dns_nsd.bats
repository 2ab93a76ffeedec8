#!/usr/bin/env bats
# The same zone in NSD: both are asked the same questions, and what differs is meant to (dns_nsd.py).
# bats file_tags=once
load ../lib
load dns

compare() { "$BANGER_SOURCE/tests/cli/dns_nsd.py" "$@" <"$root/hosts"; }
serial() { dig +short +time=1 +tries=1 @127.0.0.1 -p "$1" vm SOA | cut -d' ' -f3; }
has_serial() { [ "$(serial "$1")" = "$2" ]; }

# Names of any length that a VM may have, each with a letter first so that none is another's id.
names() {
  python3 -c '
import random, sys
chance = random.Random(int(sys.argv[1]))
for size in [1, 2, 63] + [chance.randint(3, 62) for _ in range(22)]:
    print("".join(["v"] + chance.choices("abcxyz0189-", k=size - 2) + ["w"] * (size > 1)))' "$1"
}

@test "5,000 questions and more are answered as NSD answers them" {
  type nsd >/dev/null 2>&1 || skip 'no nsd'
  local seed=${BANGER_TEST_SEED:-1} ttl=4 name
  echo "BANGER_TEST_SEED=$seed"
  sleep 600 3>&- &
  pids+=($!)
  names "$seed" | sort -u >"$root/names"
  while read -r name; do
    echo "$name $("$test_vm" "$BANGER_STATE_DIR" add "$name")" >>"$root/hosts"
    "$test_vm" "$BANGER_STATE_DIR" live "$name" running "${pids[0]}"
  done <"$root/names"
  BANGER_DNS_TTL=$ttl serve

  mkdir "$root/nsd"
  compare zones "$root/nsd" $ttl "$(serial "$port")"
  cat >"$root/nsd/nsd.conf" <<CONF
server:
  ip-address: 127.0.0.1
  port: $((port + 1))
  username: ""
  zonesdir: ""
  database: ""
  pidfile: "$root/nsd/pid"
  xfrdfile: "$root/nsd/xfrd"
  xfrdir: "$root/nsd"
  zonelistfile: "$root/nsd/list"
  rrl-ratelimit: 0
  refuse-any: no
  minimal-responses: yes
remote-control:
  control-enable: no
CONF
  cat "$root/nsd/zones.conf" >>"$root/nsd/nsd.conf"
  nsd -d -c "$root/nsd/nsd.conf" 2>"$root/nsd/err" 3>&- &
  pids+=($!)
  await 20 has_serial $((port + 1)) "$(serial "$port")" || { cat "$root/nsd/err"; false; }

  expect 0 compare compare "$port" $((port + 1)) "${BANGER_TEST_QUESTIONS:-20000}" "$seed"
  echo "$output"
}
