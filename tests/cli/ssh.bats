#!/usr/bin/env bats
# banger ssh against a real sshd that stands where a guest would: on the VM's address, with the
# state's key and a pinned host key that banger-guest made.
# shellcheck disable=SC2016,SC2030,SC2031,SC2094,SC2154
load ../lib

guest="$BANGER_BUILD/libexec/banger/banger-guest"
test_vm="$BANGER_BUILD/tests/banger-test-vm"

setup() {
  private_root
  server=
}

teardown() {
  [ -z "$server" ] || stop_server
  remove_private_root
}

stop_server() {
  kill -KILL "$server"
  wait "$server" 2>/dev/null || true
  server=
}

# The guest's user is root: as root sshd gets /run to itself, a plain user needs a range of user ids
# to be root of a namespace.
in_namespace() {
  if [ "$(id -u)" = 0 ]; then
    unshare -m "$@"
  else
    unshare --user --map-root-user --map-auto -m "$@"
  fi
}

need_server() {
  [ -x /usr/sbin/sshd ] || skip "no sshd (openssh-server)"
  in_namespace true 2>/dev/null || skip "no mount namespace with a root user here"
}

# Makes VM $1 with a running server behind it; $server is its pid.
start_vm() {
  need_server
  local json config=$root/sshd_config pam=no
  [ "$(id -u)" = 0 ] && pam=yes
  reach=$("$test_vm" "$BANGER_STATE_DIR" add "$1")
  "$guest" keygen --state-keys "$BANGER_STATE_DIR/keys" >"$root/keygen"
  json=$("$guest" host-key)
  host_key=$(jq -r .public <<<"$json")
  (umask 077 && jq -r .openssh_private <<<"$json" | base64 -d >"$root/host_key")
  cp "$BANGER_STATE_DIR/keys/id_ed25519.pub" "$root/authorized_keys"
  port=$((20000 + $$ % 20000))
  cat >"$config" <<EOF
ListenAddress $reach:$port
HostKey $root/host_key
AuthorizedKeysFile $root/authorized_keys
StrictModes no
UsePAM $pam
PermitRootLogin yes
PrintMotd no
PidFile none
EOF
  in_namespace sh -c "mount -t tmpfs none /run && mkdir /run/sshd &&
    exec /usr/sbin/sshd -D -e -f $config" >"$root/sshd.log" 2>&1 3>&- &
  server=$!
  set_vm "$1" running
  await 20 listens
}

listens() { (: <>"/dev/tcp/$reach/$port") 2>/dev/null; }
set_vm() { "$test_vm" "$BANGER_STATE_DIR" run "$1" "$2" "$port" "${server:-0}" "$host_key"; }

# A VM that has nothing behind it.
plain_vm() {
  host_key=$("$guest" host-key | jq -r .public)
  reach=$("$test_vm" "$BANGER_STATE_DIR" add "$1")
  "$guest" keygen --state-keys "$BANGER_STATE_DIR/keys" >"$root/keygen"
  port=1
  "$test_vm" "$BANGER_STATE_DIR" run "$1" "$2" "$port" "$3" "$host_key"
}

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
  outputs "banger ssh [OPTION]... NAME [-- CMD...]"
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
  same "$(error_field .hint)" "banger vm resume other"
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

@test "another host key is never trusted" {
  start_vm demo
  host_key=$("$guest" host-key | jq -r .public)
  set_vm demo running
  own_failure failed demo -- true
  errors "another host key"
  # Neither is it by OpenSSH's client.
  expect 255 banger ssh demo </dev/null
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
  expect 255 banger-ssh --json demo -- 'echo begun; sleep 0.3; kill -KILL $PPID; sleep 9'
  same "$output" begun
  same "$(error_field .code)" unreachable
}

@test "bad usage is 255 as well" {
  own_failure usage
  own_failure usage demo --nosuch -- true
  own_failure usage demo two
}

@test "without CMD it is a shell by OpenSSH's client, with its status" {
  start_vm demo
  expect 3 banger ssh demo <<<'echo from the shell; exit 3'
  outputs "from the shell"
}

@test "without CMD and without a client: preflight" {
  start_vm demo
  own=$(command -v banger-ssh) || return
  expect 255 env PATH=/nowhere "$own" demo --json
  same "$(error_field .code)" preflight
}

@test "-t gives a command a terminal" {
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

@test "config works from a state directory with a blank and a percent sign in its name" {
  BANGER_STATE_DIR="$root/a %d b"
  start_vm demo
  line=$(banger ssh config --install)
  same "$line" "Include \"$BANGER_STATE_DIR/ssh_config\""
  printf '%s\n' "$line" >config
  expect 0 ssh -F config demo.vm 'echo one'
  same "$output" one
  expect 0 banger ssh demo <<<'echo two'
  outputs two
}

@test "config refuses a path that ssh_config cannot hold" {
  BANGER_STATE_DIR="$root/a\"b"
  plain_vm demo stopped 0
  expect 1 banger ssh config
  errors "cannot write an ssh_config"
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
