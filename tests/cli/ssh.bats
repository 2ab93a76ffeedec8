#!/usr/bin/env bats
# banger ssh against a real sshd that stands where a guest would: on the VM's address, with the
# state's key and a pinned host key that banger-guest made.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2094,SC2154
load ../lib
load ssh_server

# own_failure CODE [ARG...]: status 255, and the error object tells which failure.
own_failure() {
  local code=$1
  shift
  expect 255 banger-ssh --json "$@"
  same "$output" ""
  error_schema
  same "$(error_field .code)" "$code"
}

@test "help needs no state" {
  expect 0 banger ssh --help
  outputs "banger ssh [OPTION]... NAME [CMD...]"
  expect 0 banger ssh config --help
  [ ! -e "$BANGER_STATE_DIR" ]
}

@test "status, output and error of a command are passed through" {
  start_vm demo
  expect 7 banger ssh demo -- 'echo out; echo err >&2; exit 7'
  same "$output" out
  same "$stderr" err
  expect 0 banger ssh demo -- true
  expect 255 banger ssh demo -- exit 255
  same "$stderr" ""
  expect 137 banger ssh demo -- 'kill -KILL $$'
}

@test "several words arrive as they were given, one word is a script" {
  start_vm demo
  expect 0 banger ssh demo -- printf '<%s>' 'a b' '$HOME' "it's" '' '*' $'two\nlines'
  same "$output" $'<a b><$HOME><it\'s><><*><two\nlines>'
  expect 0 banger ssh demo -- 'printf "<%s>" a  b | tr a-z A-Z'
  same "$output" '<A><B>'
}

@test "input and output are bytes" {
  start_vm demo
  head -c 3000000 /dev/urandom >in
  banger ssh demo -- cat <in >out
  cmp in out
  banger ssh demo -- cat </dev/null >out
  [ ! -s out ]
}

@test "a closed standard input is an empty one" {
  start_vm demo
  expect 0 banger ssh demo -- 'cat; echo end' <&-
  same "$output" end
}

@test "a reader that leaves early ends the tool as it ends others" {
  start_vm demo
  set +o pipefail
  local statuses
  statuses=$(
    banger-ssh demo -- 'yes' | head -n 1 >/dev/null
    echo "${PIPESTATUS[0]}"
  )
  same "$statuses" 141
}

@test "standard output that cannot be written is banger's own failure" {
  start_vm demo
  status=0
  banger-ssh demo -- echo x >/dev/full 2>err || status=$?
  same "$status" 255
  grep -q 'no space left' err
}

@test "a VM is found by a prefix of its id" {
  start_vm demo
  id=$(banger-ssh config --json | jq -r .id)
  expect 0 banger ssh "${id:0:6}" -- echo here
  same "$output" here
}

@test "no VM of that name: 255, and the error says not_found" {
  own_failure not_found nosuch -- true
  same "$(error_field .subject)" nosuch
  own_failure not_found nosuch
  [ ! -e "$BANGER_STATE_DIR" ]
}

@test "a VM that does not run: conflict, with the command that starts it" {
  plain_vm demo stopped 0
  own_failure conflict demo -- true
  same "$(error_field .hint)" "banger vm start demo"
  own_failure conflict demo
  plain_vm other paused 0
  own_failure conflict other -- true
  same "$(error_field .hint)" "banger vm restart other"
}

@test "a VM whose VMM died unseen: conflict" {
  sleep 60 &
  plain_vm demo running $!
  kill -KILL $! && wait $! || true
  own_failure conflict demo -- true
  same "$(error_field .hint)" "banger vm start demo"
}

@test "nothing listens: unreachable" {
  plain_vm demo running $$
  own_failure unreachable demo -- true
  same "$(error_field .subject)" demo
  [[ "$(error_field .log)" == */console.log ]]
}

@test "all words after the name are the command's, as with ssh" {
  start_vm demo
  touch file
  expect 0 banger ssh demo ls -la "$PWD"
  outputs file
  expect 0 banger ssh demo echo --json -- -x
  same "$output" '--json -- -x'
  expect 0 banger ssh demo -- echo -- a # the one behind the name alone is dropped
  same "$output" '-- a'
  expect 0 banger ssh -n demo cat <<<'not read'
  same "$output" ''
  expect 255 banger ssh --json nosuch ls --json
  same "$(error_field .code)" not_found
  expect 0 banger ssh demo printf '<%s>' 'a b' '-x' ''
  same "$output" '<a b><-x><>'
  # Nor are they options of the guest's shell.
  for words in -x '-l root' --json '-- -x'; do
    # shellcheck disable=SC2086
    expect 127 banger ssh demo $words
    errors 'not found'
  done
}

@test "a VM as ssh calls it: with its user, and its zone" {
  start_vm demo
  for name in root@demo demo.vm root@demo.vm; do
    expect 0 banger ssh "$name" echo here
    same "$output" here
  done
  expect 255 banger ssh joe@demo echo here
  errors "cannot get into 'demo' as 'joe'"
  errors 'hint: banger ssh demo -- su - joe -c CMD'
  expect 255 banger ssh demo.lab echo here
  # Other options that ssh has.
  expect 255 banger ssh -l joe demo
  errors 'su - USER'
  expect 255 banger ssh -L 80:localhost:80 demo
  errors 'banger ssh forward NAME'
  for option in -p -o -A; do
    expect 255 banger ssh $option demo
    errors 'banger ssh config --install'
  done
}

@test "vm run tells where a command goes, when its words begin with a dash, too" {
  expect 2 banger vm run demo ls -la
  errors "unexpected operand 'ls'"
  errors "hint: a command for the guest comes after '--': … -- ls -la"
}

@test "a long command passes, a longer one is told what helps" {
  start_vm demo
  local long
  long=$(head -c 100000 /dev/zero | tr '\0' x)
  expect 0 banger ssh demo "printf %s $long | wc -c; cat" <<<'and its input'
  same "$output" $'100000\nand its input'
  expect 0 banger ssh -n demo "printf %s $long | wc -c; cat"
  same "$output" 100000
  expect 255 banger ssh demo "$(head -c 60000 <<<"$long")" "$(head -c 60000 <<<"$long")" "$(head -c 60000 <<<"$long")"
  errors 'a command of 180002 bytes: at most 131000 go'
  errors 'sh -s'
  expect 255 banger ssh -t demo "printf %s $long"
  errors 'leave -t out'
}

@test "no words of other programs when a script is piped in, and -t gives a terminal all the same" {
  start_vm demo
  expect 4 banger ssh demo <<<'echo; echo out; exit 4'
  same "$(tail -n 1 <<<"$output")" out # the guest's own words of welcome may come first
  same "$stderr" ''
  [ "$(id -u)" = 0 ] || return 0 # sshd gives terminals away only as root
  expect 0 banger ssh -t demo 'test -t 0 && test -t 1 && echo yes' </dev/null
  outputs yes
  same "$stderr" ''
  own=$(command -v banger-ssh)
  expect 0 env PATH=/nowhere "$own" -t demo 'test -t 0 && test -t 1 && echo yes' </dev/null
  outputs yes
}

@test "a TERM that the guest does not know becomes one that it does" {
  [ "$(id -u)" = 0 ] || skip "sshd gives terminals away only as root"
  start_vm demo
  local own
  own=$(command -v banger-ssh)
  expect 0 env TERM=vt220 banger-ssh -t demo 'echo $TERM' </dev/null
  outputs vt220
  expect 0 env TERM=xterm-nosuch banger-ssh -t demo 'echo $TERM' </dev/null
  outputs xterm
  same "$(grep -c nosuch <<<"$output")" 0
  expect 0 env PATH=/nowhere TERM=xterm-nosuch "$own" -t demo 'echo $TERM' </dev/null
  same "$(grep -c nosuch <<<"$output")" 0
  expect 0 env TERM='a;b' banger-ssh -t demo 'echo $TERM' </dev/null
  outputs vt100
}

@test "a client ends with its VM, though its connection stays" {
  start_vm demo
  # As with a machine that was killed, nobody closes the connections.
  banger-ssh --json demo -- 'echo begun; sleep 1000' >out 2>err 3>&- & local client=$!
  banger-ssh --json forward demo 0:1 >ports 2>err2 3>&- & local forward=$!
  mkfifo never
  sleep 1000 >never 3>&- & local holder=$!
  banger-ssh --json cp - "demo:$PWD/there" <never 2>err3 3>&- & local copy=$!
  await 20 grep -q begun out
  await 20 test -s ports
  await 20 eval 'ls -A | grep -q "^.banger-"'
  stop_server
  local began=$EPOCHREALTIME
  ended_by 255 $client
  ended_by 1 $forward
  ended_by 1 $copy
  took_at_most 3 "$began"
  same "$(jq -r .code err err2 err3 | sort -u)" unreachable
  kill $holder
}

@test "TERM ends a client at once where the guest says nothing" {
  start_vm demo
  banger-ssh demo -- 'echo begun; sleep 1000' >out 2>err 3>&- & local client=$!
  await 20 grep -q begun out
  sleep 0.5 # the watch has begun
  local stopped began=$EPOCHREALTIME
  stopped=$(connections)
  # shellcheck disable=SC2086 # one word a process
  kill -STOP $stopped
  kill -TERM $client
  ended_by 143 $client
  took_at_most 3 "$began"
  # shellcheck disable=SC2086
  kill -KILL $stopped
}
# The processes of the server's connections.
connections() {
  local pid
  for pid in $(pgrep -P "$server"); do
    echo "$pid"
    pgrep -P "$pid" -f '^sshd' || true
  done
}

@test "a guest that takes long to let one in is told the time as it is then" {
  start_vm demo
  mkdir bin
  cat >bin/date <<SH
#!/bin/sh
echo "\$*" >"$PWD/told"
SH
  chmod 755 bin/date
  stop_server
  server_env "PATH=$PWD/bin:$PATH"
  begin_server
  kill -STOP "$server"
  jq -cn --arg address "$reach" --argjson port "$port" --arg key "$host_key" \
    --arg identity "$BANGER_STATE_DIR/keys/id_ed25519" '{v: 1, address: $address, port: $port,
      user: "root", identity: $identity, host_key: $key, seconds: 60}' >ask
  "$guest" clock <ask >answer 3>&- & local setter=$!
  sleep 2
  local let_in=$EPOCHREALTIME
  kill -CONT "$server"
  wait $setter
  same "$(jq -r .status answer)" 0
  local told
  told=$(sed 's/.*@//' told)
  # In milliseconds.
  [ "${told/./}" -ge "${let_in%.*}${let_in:(-6):3}" ]
}

@test "another host key is never trusted" {
  start_vm demo
  host_key=$(new_host_key | jq -r .public)
  set_vm demo running
  own_failure failed demo -- true
  errors "another host key"
  # Neither is it by OpenSSH's client.
  expect 255 banger ssh -t demo </dev/null
  errors "Host key verification failed"
}

@test "a refused key: failed, and the hint names the key" {
  start_vm demo
  : >"$root/authorized_keys"
  own_failure failed demo -- true
  errors "cannot log in"
  [[ "$(error_field .hint)" == *"$BANGER_STATE_DIR/keys/id_ed25519.pub"* ]]
}

@test "a guest that dies in mid-output: what came is printed, 255, unreachable" {
  start_vm demo
  mkfifo on
  banger-ssh --json demo -- 'echo begun; read -r on; kill -KILL $PPID; sleep 9' <on >out 2>err 3>&- &
  local client=$!
  exec 8>on
  await 20 grep -q begun out
  echo >&8
  ended_by 255 $client
  exec 8>&-
  same "$(cat out)" begun
  same "$(jq -r .code err)" unreachable
}

@test "bad usage is 255 as well" {
  own_failure usage
  own_failure usage --nosuch demo true
}

@test "without CMD it is a shell by OpenSSH's client, with its status" {
  start_vm demo
  expect 3 banger ssh demo <<<'echo from the shell; exit 3'
  outputs "from the shell"
}

@test "without CMD and without a client it is a shell all the same" {
  start_vm demo
  own=$(command -v banger-ssh) || return
  expect 3 env PATH=/nowhere "$own" demo <<<'echo from the shell; exit 3'
  outputs "from the shell"
  plain_vm other stopped 0
  expect 255 env PATH=/nowhere "$own" --json other
  same "$(error_field .code)" conflict
}

@test "without a client it has a terminal of its own, and leaves ours as it was" {
  [ "$(id -u)" = 0 ] || skip "sshd gives terminals away only as root"
  start_vm demo
  cat >terminal.py <<'PY'
import fcntl, os, pty, signal, struct, subprocess, sys, termios
own = sys.argv[1]
master, slave = pty.openpty()
def size(rows, columns): fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
def hear(text, seen=b""):
    while text not in seen:
        block = os.read(master, 4096)
        if not block: sys.exit(f"ended before {text}: {seen}")
        seen += block
    return seen
def start(*command):
    def lead():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    return subprocess.Popen([own, "-t", "demo", "--", *command], stdin=slave, stdout=slave,
                            stderr=slave, env={**os.environ, "PATH": "/nowhere"}, preexec_fn=lead)
def ended(process, status):
    got = process.wait(timeout=30)
    assert got == status, (got, status)
    now = termios.tcgetattr(slave)
    assert now == before, "the terminal is not as it was"
signal.alarm(100)
size(30, 100)
before = termios.tcgetattr(slave)
p = start("stty size; until stty size | grep '40 120'; do sleep 0.1; done; read x; exit 4")
hear(b"30 100")
size(40, 120)
hear(b"40 120")
os.write(master, b"\r")
ended(p, 4)
p = start("echo begun; sleep 60") # INT by ^C
hear(b"begun")
os.write(master, b"\x03")
ended(p, 130)
p = start("echo begun; sleep 60")
hear(b"begun")
p.terminate()
ended(p, 143)
p = start("stty -icanon -echo; echo begun; cat") # ~~ is one ~, and ~. leaves
hear(b"begun")
os.write(master, b"\r~~x\r")
hear(b"~x")
os.write(master, b"~.")
ended(p, 255)
PY
  expect 0 python3 terminal.py "$(command -v banger-ssh)"
}

@test "-t gives a command a terminal" {
  [ "$(id -u)" = 0 ] || skip "sshd gives terminals away only as root"
  start_vm demo
  status=0
  script -qec "banger-ssh -t demo -- 'tty; exit 4'" typescript </dev/null >out || status=$?
  same "$status" 4
  grep -q /dev/pts/ out
}

@test "config is what OpenSSH's client needs" {
  start_vm demo
  banger ssh config >config
  expect 0 ssh -F config demo 'echo one'
  same "$output" one
  expect 0 ssh -F config demo.vm 'echo two'
  same "$output" two
  same "$stderr" ""
}

@test "config works from a state directory with blanks, tokens and patterns in its name" {
  BANGER_STATE_DIR="$root/a %d \$b [c]*"
  start_vm demo
  line=$(banger ssh config --install)
  same "$line" "Include \"$root/a ?d ?b ?c]?/ssh_config\""
  printf '%s\n' "$line" >config
  expect 0 ssh -F config demo.vm 'echo one'
  same "$output" one
  expect 0 banger ssh demo <<<'echo two'
  outputs two
}

@test "config refuses a path that ssh_config cannot hold" {
  for name in 'a"b' 'a${b}'; do
    BANGER_STATE_DIR="$root/$name"
    plain_vm demo stopped 0
    expect 1 banger ssh config
    errors "cannot write an ssh_config"
  done
}

@test "config lists VMs as objects and as names" {
  plain_vm beta stopped 0
  plain_vm alpha running $$
  expect 0 banger ssh config --json
  schema vm
  same "$(field .name)" $'alpha\nbeta'
  expect 0 banger ssh config -q
  same "$output" $'alpha\nbeta'
}

@test "config of no state is empty and makes none" {
  expect 0 banger ssh config
  same "$output" "# Written by 'banger ssh config'; changes are lost."
  [ ! -e "$BANGER_STATE_DIR" ]
}

@test "completion gives verbs and VMs" {
  plain_vm demo stopped 0
  expect 0 banger-ssh __complete ''
  outputs config
  outputs demo
}
