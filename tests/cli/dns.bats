#!/usr/bin/env bats
# Names of VMs: the daemon, asked by dig and by bare packets. The VMs are rows whose VMM is another
# process (tests/system has real ones).
load ../lib
load dns

@test "a VM that runs has a name, and its address leads back" {
  vm demo
  serve
  same "$(short demo.vm)" "$reach"
  same "$(short -x "$reach")" demo.vm.
  same "$(short www.demo.vm)" "$reach"
  same "$(told demo.vm)" 'NOERROR qr aa rd'
  expect 0 banger dns resolve demo
  same "$output" "$reach"
  expect 0 banger dns resolve demo.vm --json
  schema record
  same "$(field '[.name, .type, .ttl, .data] | join(" ")')" "demo.vm A 0 $reach"
  expect 0 banger dns resolve www.demo.vm
  same "$output" "$reach"
  expect 0 banger dns resolve "$reach"
  same "$output" demo.vm
}

@test "the answers follow the state" {
  "$test_vm" "$BANGER_STATE_DIR" add demo >"$root/reach"
  reach=$(cat "$root/reach")
  serve
  same "$(told demo.vm)" 'NXDOMAIN qr aa rd'
  sleep 600 3>&- &
  vmm=$!
  pids+=("$vmm")
  local state
  for state in starting running paused stopping; do
    live demo "$state" "$vmm"
    same "$(short demo.vm)" "$reach"
    live demo stopped 0
    same "$(told demo.vm)" 'NXDOMAIN qr aa rd'
    same "$(told -x "$reach")" 'REFUSED qr rd'
  done
  vm other
  same "$(short other.vm)" "$reach"
  expect 0 banger vm rm demo
  same "$(told demo.vm)" 'NXDOMAIN qr aa rd'
  same "$(short other.vm)" "$reach"
}

@test "a VM whose processes died has no name, whatever its row says" {
  vm demo
  serve
  same "$(short demo.vm)" "$reach"
  kill -KILL "$vmm"
  wait "$vmm" || true
  # The state has not been told.
  await 5 answered demo.vm ''
  same "$(told demo.vm)" 'NXDOMAIN qr aa rd'
  kill "$daemon"
  wait "$daemon"
  serve
  same "$(told demo.vm)" 'NXDOMAIN qr aa rd'
  # A process that has its pid is not it.
  expect 0 banger dns records -q
  same "$output" ''
}

@test "no name and no data are told apart, with the SOA" {
  vm demo
  BANGER_DNS_TTL=4 serve
  expect 0 ask +noall +authority nobody.vm
  same "$(tr -s '\t ' ' ' <<<"$output" | sed 's/ [0-9]\{10\} / SERIAL /')" \
    'vm. 4 IN SOA vm. nobody.invalid. SERIAL 3600 600 86400 4'
  same "$(told demo.vm AAAA)" 'NOERROR qr aa rd'
  expect 0 ask +noall +answer +authority demo.vm AAAA
  outputs 'SOA'
  same "$(told x.y.nobody.vm)" 'NXDOMAIN qr aa rd'
  same "$(told vm)" 'NOERROR qr aa rd'
  same "$(short vm NS)" vm.
  expect 0 ask +noall +answer demo.vm
  same "$(awk '{ print $2 }' <<<"$output")" 4
}

@test "what is outside of the zones is refused" {
  vm demo
  serve
  local name
  for name in example.org . vmx demo arpa; do same "$(told "$name")" 'REFUSED qr rd'; done
  same "$(told -x 127.0.0.1)" 'REFUSED qr rd'
  same "$(told -c CH -t TXT version.bind)" 'REFUSED qr rd'
  same "$(told vm AXFR +tcp)" 'REFUSED qr'
  same "$(told vm IXFR=1 +tcp)" 'REFUSED qr'
  same "$(told vm IXFR=1 +notcp)" 'REFUSED qr'
  expect 3 banger dns resolve www.example.org
  errors "it answers for '.vm' alone"
  expect 3 banger dns resolve 127.0.0.1
  expect 3 banger dns resolve nobody
  errors "no 'nobody.vm' at 127.0.0.1:$port"
  expect 2 banger dns resolve a..b
  expect 2 banger dns resolve 1.2.3
}

@test "case does not matter, and comes back as it was asked" {
  vm demo
  serve
  expect 0 ask +noall +question +answer dEmO.Vm
  same "$(awk '{ print $1 }' <<<"$output")" ";dEmO.Vm.
dEmO.Vm."
}

@test "ANY is answered with one record, AXFR not at all" {
  vm demo
  serve
  same "$(short demo.vm ANY)" "$reach"
  same "$(ask +noall +answer vm ANY | wc -l)" 1
}

@test "over TCP: several questions at once, and the same answers" {
  vm demo
  serve
  same "$(short +tcp demo.vm)" "$reach"
  same "$(short +tcp +keepopen demo.vm www.demo.vm -x "$reach" | paste -sd' ')" "$reach $reach demo.vm."
  # A connection that asks nothing keeps nobody out.
  python3 - "$port" <<'PY'
import socket, struct, sys
port = int(sys.argv[1])
quiet = [socket.create_connection(("127.0.0.1", port)) for _ in range(150)]
question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04demo\x02vm\x00\x00\x01\x00\x01"
with socket.create_connection(("127.0.0.1", port)) as s:
    s.sendall((struct.pack("!H", len(question)) + question) * 20)
    data = b""
    while len(data) < 20 * (len(question) + 18):
        data += s.recv(65536)
PY
}

@test "EDNS: its size, its version, its absence" {
  vm demo
  serve
  expect 0 ask +noall +comments demo.vm
  outputs 'EDNS: version: 0, flags:; udp: 1232'
  same "$(told demo.vm +edns=1 +noednsneg)" 'BADVERS qr rd'
  same "$(ask +noedns demo.vm | grep -c 'EDNS:')" 0
  outputs 'udp: 1232'
  expect 0 ask +noall +comments +dnssec demo.vm
  outputs 'flags: do; udp: 1232'
}

@test "other operations are not there" {
  serve
  same "$(told demo.vm +opcode=NOTIFY +noedns +header-only)" 'NOTIMP qr rd'
  same "$(told demo.vm +opcode=UPDATE +noedns +header-only)" 'NOTIMP qr rd'
}

# A packet that is no question gets no more bytes than it brought, and the daemon goes on.
@test "packets of any content" {
  vm demo
  serve
  python3 - "$port" <<'PY'
import random, socket, struct, sys
port = int(sys.argv[1])
random.seed(1)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", port))
s.settimeout(5)
question = b"\x04demo\x02vm\x00\x00\x01\x00\x01"
def header(flags=0, qd=1, an=0, ns=0, ar=0):
    return struct.pack("!6H", 0x1234, flags, qd, an, ns, ar)
def ask(packet):
    s.send(packet)
    return s.recv(4096)
good = header() + question
assert ask(good)[3] & 15 == 0
# Nothing is due to these: the next question is the next that is answered.
for packet in (b"", b"x", good[:11], header(0x8000) + question):
    s.send(packet)
    assert ask(good)[2:4] == b"\x84\x00"
for packet in (header(), header(qd=0), header(qd=2) + question, good + b"x", good[:-1], header(an=1) + question,
               header(ar=1) + question, header() + b"\xc0\x0c\x00\x01\x00\x01", header() + b"\x3f" + question,
               header() + b"\x01a" * 128 + b"\x00\x00\x01\x00\x01", good + bytes(3000)):
    answer = ask(packet)
    assert len(answer) == 12 and answer[3] & 15 == 1, packet
for _ in range(20000):
    packet = bytearray(good)
    for _ in range(random.randrange(1, 5)):
        packet[random.randrange(len(packet))] = random.randrange(256)
    del packet[random.randrange(len(packet) + 1) + 8:]
    s.send(packet)
s.close()
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", port))
s.settimeout(0.2)
for tries in range(50):  # what comes too fast is lost, as datagrams may be
    try:
        assert ask(good)[3] & 15 == 0
        break
    except TimeoutError:
        assert tries < 49
s.settimeout(5)
t = socket.create_connection(("127.0.0.1", port))
t.sendall(random.randbytes(100000))
t.close()
assert ask(good)[3] & 15 == 0
PY
  same "$(short demo.vm)" "$reach"
}

@test "a zone of another name" {
  vm demo
  write_config <<<'dns.zone = "lab.internal"'
  serve
  same "$(short demo.lab.internal)" "$reach"
  same "$(told demo.vm)" 'REFUSED qr rd'
  same "$(told internal)" 'REFUSED qr rd'
  expect 0 banger dns resolve demo
  same "$output" "$reach"
  expect 0 banger dns records --json
  schema record
  same "$(jq -r '.name + " " + .data' <<<"$output")" "demo.lab.internal $reach
$(awk -F. '{ print $4 "." $3 "." $2 "." $1 }' <<<"$reach").in-addr.arpa demo.lab.internal"
}

@test "records: what is answered, with a daemon and without" {
  expect 0 banger dns records
  same "$output" ''
  [ ! -e "$BANGER_STATE_DIR" ]
  vm demo
  "$test_vm" "$BANGER_STATE_DIR" add quiet >/dev/null
  expect 0 banger dns records
  same "$(awk 'NR > 1 { print $1, $2, $3 }' <<<"$output")" "demo.vm A $reach
$(awk -F. '{ print $4 "." $3 "." $2 "." $1 }' <<<"$reach").in-addr.arpa PTR demo.vm"
}

@test "status: down, up, and who has the port" {
  expect 0 banger dns status --json
  schema dns
  same "$(field '[.listen, .zone, .pid, .holder] | map(tostring) | join(" ")')" "127.0.0.1:$port vm null null"
  expect 0 banger dns status -q
  same "$output" down
  [ ! -e "$BANGER_STATE_DIR" ]
  vm demo
  serve
  short demo.vm
  expect 0 banger dns status --json
  schema dns
  same "$(field '[.pid, .records, .reads_state, .generation] | map(tostring) | join(" ")')" "$daemon 2 true 1"
  [ "$(field .queries)" -ge 1 ]
  expect 0 banger dns status
  outputs "127.0.0.1:$port, UDP and TCP"
  outputs "pid $daemon"
  # Another state: who has it.
  expect 0 env BANGER_STATE_DIR="$root/other" banger dns status --json
  schema dns
  same "$(field '[.pid, .holder.pid, .holder.comm, .holder.state] | map(tostring) | join(" ")')" \
    "null $daemon banger-dns $BANGER_STATE_DIR"
  expect 0 env BANGER_STATE_DIR="$root/other" banger dns status
  outputs "banger-dns (process $daemon), the DNS daemon of the state '$BANGER_STATE_DIR'"
  kill "$daemon"
  wait "$daemon"
  expect 0 banger dns status -q
  same "$output" down
}

@test "one daemon a state, and a port for the first state that takes it" {
  serve
  expect 4 banger dns serve
  errors "serves the state '$BANGER_STATE_DIR' already: process $daemon, at 127.0.0.1:$port"
  expect 4 env BANGER_STATE_DIR="$root/other" banger dns serve --json
  error_schema
  same "$(error_field .code)" conflict
  errors "banger-dns (process $daemon), the DNS daemon of the state '$BANGER_STATE_DIR'"
  errors 'set dns.listen'
  # It has not begun a part of a service that it could not have.
  [ ! -S "$root/other/run/dns.sock" ]
  BANGER_STATE_DIR="$root/other" BANGER_DNS_LISTEN=127.0.0.2:$port banger-dns serve 2>"$root/other.err" 3>&- &
  pids+=($!)
  await 10 grep -q 'answers for' "$root/other.err"
  # A killed one is no obstacle.
  kill -KILL "$daemon"
  wait "$daemon" || true
  serve
}

@test "a port that another program has, or that is not for this user" {
  python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", int(sys.argv[1])))
print("bound", flush=True)
time.sleep(600)' "$port" >"$root/bound" 3>&- &
  pids+=($!)
  await 10 grep -q bound "$root/bound"
  expect 4 banger dns serve
  errors "python3 (process $!)"
  expect 0 banger dns status
  outputs "python3 (process $!)"
  expect 1 env BANGER_DNS_LISTEN=192.0.2.1:$port banger dns serve
  [ "$(id -u)" = 0 ] || [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -le 54 ] || {
    expect 5 env BANGER_DNS_LISTEN=127.0.0.1:54 banger dns serve
    errors 'take a port of 1024 or more'
  }
}

@test "without a daemon nobody resolves" {
  expect 1 banger dns resolve demo --json
  error_schema
  same "$(error_field .code)" unreachable
}

@test "a state that cannot be read is SERVFAIL, and it recovers by itself" {
  vm demo
  serve
  same "$(short demo.vm)" "$reach"
  cp "$BANGER_STATE_DIR/state.db" "$root/kept"
  # Another file in its place, which is none of ours.
  head -c 20000 /dev/urandom >"$root/garbage"
  mv "$BANGER_STATE_DIR/state.db" "$root/away"
  mv "$root/garbage" "$BANGER_STATE_DIR/state.db"
  same "$(told demo.vm)" 'SERVFAIL qr rd'
  same "$(told example.org)" 'SERVFAIL qr rd'
  expect 1 banger dns resolve demo
  errors SERVFAIL
  expect 0 banger dns status --json
  same "$(field .reads_state)" false
  mv "$root/away" "$BANGER_STATE_DIR/state.db"
  await 1 answered demo.vm "$reach"
  grep -q '"event":"dns.no_state"' "$BANGER_STATE_DIR/log/banger.jsonl"
  same "$(grep -c '"event":"dns.no_state"' "$BANGER_STATE_DIR/log/banger.jsonl")" 1
}

@test "a state that another keeps locked keeps no question waiting" {
  vm demo
  sqlite3 "$BANGER_STATE_DIR/state.db" 'PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; SELECT 1;' \
    ".shell touch $root/locked; while [ ! -e $root/enough ]; do sleep 0.05; done" >/dev/null 3>&- &
  pids+=($!)
  await 10 test -e "$root/locked"
  serve
  local began=$EPOCHREALTIME
  same "$(told demo.vm)" 'SERVFAIL qr rd'
  took_at_most 2 "$began"
  touch "$root/enough"
  await 2 answered demo.vm "$reach"
}

@test "a state that comes later, goes, and comes again" {
  serve
  vm demo
  same "$(short demo.vm)" "$reach"
  rm "$BANGER_STATE_DIR"/state.db*
  same "$(told demo.vm)" 'NXDOMAIN qr aa rd'
  vm demo
  same "$(short demo.vm)" "$reach"
}

@test "start, stop, restart: in the background, and a second time nothing is done" {
  vm demo
  expect 0 banger dns start --json
  schema result
  same "$(field '[.verb, .name, .ok, .changed, .state] | map(tostring) | join(" ")')" 'start dns true true running'
  same "$(short demo.vm)" "$reach"
  daemon=$(banger dns status --json | jq .pid)
  pids+=("$daemon")
  # It has no terminal, no file of whoever started it, and a session of its own.
  same "$(readlink "/proc/$daemon/fd/0" "/proc/$daemon/cwd" | paste -sd' ')" '/dev/null /'
  same "$(ps -o sid= "$daemon" | tr -d ' ')" "$daemon"
  expect 0 banger dns start
  same "$output" "dns: answers for .vm at 127.0.0.1:$port (pid $daemon)"
  expect 0 banger dns start --json
  same "$(field .changed)" false
  BANGER_DNS_TTL=5 expect 0 banger dns restart
  [[ $output != *"(pid $daemon)"* ]]
  daemon=$(banger dns status --json | jq .pid)
  pids+=("$daemon")
  expect 0 banger dns resolve demo --json
  same "$(field .ttl)" 5
  expect 0 banger dns stop --json
  schema result
  same "$(field '[.changed, .state] | map(tostring) | join(" ")')" 'true stopped'
  has_ended "$daemon"
  [ ! -e "$BANGER_STATE_DIR/run/dns.sock" ]
  expect 0 banger dns stop --json
  same "$(field .changed)" false
  expect 1 banger dns resolve demo
}

@test "no question is lost when one daemon takes over from another" {
  vm demo
  expect 0 banger dns start
  # Asks without a pause, each question once; says how many, and how many had no answer.
  python3 - "$port" "$root/enough" >"$root/asked" <<'PY' 3>&- &
import os, socket, sys
port, enough = int(sys.argv[1]), sys.argv[2]
question = b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04demo\x02vm\x00\x00\x01\x00\x01"
asked = lost = 0
while not os.path.exists(enough):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        s.settimeout(5)
        try:
            s.send(asked.to_bytes(4, "big")[2:] + question)
            lost += s.recv(1000)[7] != 1
        except OSError:
            lost += 1
        asked += 1
print(asked > 100, lost)
PY
  local asking=$! i
  pids+=("$asking")
  for i in 1 2 3 4 5; do expect 0 banger dns restart; done
  # One that is begun in the foreground, too.
  serve --replace
  touch "$root/enough"
  wait "$asking"
  same "$(cat "$root/asked")" 'True 0'
  expect 0 banger dns status --json
  same "$(field .pid)" "$daemon"
}

@test "who takes over listens where it is told to, and ends one that does not answer" {
  vm demo
  serve
  export BANGER_DNS_LISTEN=127.0.0.2:$port
  expect 0 banger dns restart
  outputs "at 127.0.0.2:$port"
  expect 0 wait "$daemon"
  same "$(dig +short @127.0.0.2 -p "$port" demo.vm)" "$reach"
  expect 1 env BANGER_DNS_LISTEN=127.0.0.1:$port banger dns resolve demo
  daemon=$(banger dns status --json | jq .pid)
  pids+=("$daemon")
  kill -STOP "$daemon"
  expect 0 banger dns restart
  has_ended "$daemon"
  expect 0 banger dns resolve demo
  same "$output" "$reach"
  expect 0 banger dns stop
}

@test "what keeps a daemon from starting is told by start" {
  vm demo
  serve
  expect 4 env BANGER_STATE_DIR="$root/other" banger dns start --json
  same "$(field .error.code)" conflict
  expect 4 env BANGER_STATE_DIR="$root/other" banger dns start
  errors "cannot start the DNS daemon: cannot serve DNS at 127.0.0.1:$port: banger-dns (process $daemon), the DNS daemon of the state '$BANGER_STATE_DIR' has it"
  errors 'set dns.listen'
  expect 0 env BANGER_STATE_DIR="$root/other" banger dns status -q
  same "$output" down
}

@test "one that does not answer is ended all the same" {
  serve
  kill -STOP "$daemon"
  expect 6 banger dns status
  errors 'does not answer'
  expect 0 banger dns stop
  expect 137 wait "$daemon"
}

@test "many starts at once begin one daemon" {
  local i jobs=()
  for i in 1 2 3 4 5 6; do
    banger dns start -q 3>&- &
    jobs+=($!)
  done
  for i in "${jobs[@]}"; do wait "$i"; done
  pids+=("$(banger dns status --json | jq .pid)")
  same "$(pgrep -fc "banger-dns serve --state-dir $BANGER_STATE_DIR")" 1
  expect 0 banger dns stop
}

@test "systemd's sockets are taken, and it is told when they are answered" {
  vm demo
  cat >"$root/manager.py" <<'PY'
import os, socket, sys
port = int(sys.argv[1])
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(os.environ["HOME"] + "/notify")
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", port))
tcp = socket.socket()
tcp.bind(("127.0.0.1", port))
tcp.listen()
pid = os.fork()
if pid == 0:
    os.dup2(udp.fileno(), 13)
    os.dup2(tcp.fileno(), 14)
    os.dup2(13, 3)
    os.dup2(14, 4)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", NOTIFY_SOCKET=os.environ["HOME"] + "/notify")
    os.execvp("banger-dns", ["banger-dns", "serve"])
print(pid, flush=True)
while True:
    print(notify.recv(1000).decode(), flush=True)
PY
  BANGER_DNS_LISTEN=127.0.0.1:1 python3 "$root/manager.py" "$port" >"$root/heard" 2>"$root/manager.err" 3>&- &
  pids+=($!)
  await 10 grep -q READY=1 "$root/heard"
  daemon=$(head -n 1 "$root/heard")
  pids+=("$daemon")
  same "$(short demo.vm)" "$reach"
  same "$(short +tcp demo.vm)" "$reach"
  expect 0 banger dns status --json
  same "$(field '[.pid, .listen] | map(tostring) | join(" ")')" "$daemon 127.0.0.1:$port"
  kill "$daemon"
  await 10 grep -q STOPPING=1 "$root/heard"
}

@test "an answer leaves from the address that was asked, of several that are served" {
  vm demo
  export BANGER_DNS_LISTEN=0.0.0.0:$port
  serve
  local at
  for at in 127.0.0.9 127.0.0.10 127.0.0.1; do
    same "$(dig +short +time=2 +tries=1 @$at -p "$port" demo.vm)" "$reach"
    same "$(dig +short +tcp +time=2 +tries=1 @$at -p "$port" demo.vm)" "$reach"
  done
}

@test "no answer is older than the commit before the question" {
  local name job jobs=()
  for name in a b c d; do vm "$name"; done
  serve
  for name in a b c d; do
    "$test_vm" "$BANGER_STATE_DIR" flip "$name" "$vmm" "$port" "${BANGER_TEST_FLIPS:-500}" \
      >"$root/flip.$name" 3>&- &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job"; done
  same "$(cat "$root"/flip.?)" "0
0
0
0"
}
