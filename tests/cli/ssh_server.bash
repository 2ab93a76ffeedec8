# shellcheck shell=bash disable=SC2034,SC2154 # what the tests and ../lib have in common
# A real sshd that stands where a guest would: on the VM's address, with the state's key and a pinned
# host key that banger-guest made. Load after ../lib.

guest="$BANGER_BUILD/libexec/banger/banger-guest"
new_host_key() { "$guest" await <<<'{"v":1,"want":"host_key"}'; }
test_vm="$BANGER_BUILD/tests/banger-test-vm"

setup() {
  private_root
  server=
  servers=()
}

teardown() {
  end "${servers[@]}"
  remove_private_root
}

# The last one that began.
stop_server() {
  kill -KILL "$server"
  wait "$server" 2>/dev/null || true
  local pid others=()
  for pid in "${servers[@]}"; do [ "$pid" = "$server" ] || others+=("$pid"); done
  servers=("${others[@]}")
  server=
}

# Sets `ns` to the command that runs sh -c $1 where sshd finds what it needs: for root a /run of its
# own, for a plain user a passwd in which this user is called root, as the guest's user is, and a
# shadow that he can read: else some machines' name services make up one that is locked.
in_namespace() {
  if [ "$(id -u)" = 0 ]; then
    ns=(unshare -m sh -c "mount -t tmpfs none /run && mkdir /run/sshd && $1")
  else
    printf 'root:x:%s:%s::%s:/bin/sh\n' "$(id -u)" "$(id -g)" "$HOME" >"$root/passwd"
    printf 'root:*:1::::::\n' >"$root/shadow"
    ns=(unshare --user --map-current-user --keep-caps -m
      sh -c "mount --bind $root/passwd /etc/passwd &&
        mount --bind $root/shadow /etc/shadow && $1")
  fi
}

need_server() {
  [ -x /usr/sbin/sshd ] || skip "no sshd (openssh-server)"
  in_namespace true
  "${ns[@]}" 2>/dev/null || skip "no mount namespace here"
}

# Makes VM $1 with a running server behind it; $server is its pid, $config its configuration.
start_vm() {
  need_server
  local json pam=no
  config=$root/sshd_config.$1
  [ "$(id -u)" = 0 ] && pam=yes
  reach=$("$test_vm" "$BANGER_STATE_DIR" add "$1")
  "$guest" keygen --state-keys "$BANGER_STATE_DIR/keys" >"$root/keygen"
  json=$(new_host_key)
  host_key=$(jq -r .public <<<"$json")
  (umask 077 && jq -r .openssh_private <<<"$json" | base64 -d >"$root/host_key.$1")
  cp "$BANGER_STATE_DIR/keys/id_ed25519.pub" "$root/authorized_keys"
  port=$((20000 + $$ % 20000))
  cat >"$config" <<EOF
ListenAddress $reach:$port
HostKey $root/host_key.$1
AuthorizedKeysFile $root/authorized_keys
StrictModes no
UsePAM $pam
PermitRootLogin yes
PrintMotd no
PidFile none
LogLevel VERBOSE
SetEnv HOME=$root/home
EOF
  # Not the user's own: what a shell there reads at its start is no part of these tests.
  mkdir -p "$root/home"
  begin_server
  set_vm "$1" running
}

# With the configuration as it is now.
begin_server() {
  in_namespace "exec /usr/sbin/sshd -D -e -f $config"
  "${ns[@]}" >>"$config.log" 2>&1 3>&- &
  server=$!
  servers+=("$server")
  await 20 listens
}

# NAME=VALUE for what runs on the server, from its next connection on; once.
server_env() { sed -i "s|^SetEnv .*|& $1|" "$config"; }

listens() { (: <>"/dev/tcp/$reach/$port") 2>/dev/null; }
set_vm() { "$test_vm" "$BANGER_STATE_DIR" run "$1" "$2" "$port" "${server:-0}" "$host_key"; }

# A VM that has nothing behind it.
plain_vm() {
  host_key=$(new_host_key | jq -r .public)
  reach=$("$test_vm" "$BANGER_STATE_DIR" add "$1")
  "$guest" keygen --state-keys "$BANGER_STATE_DIR/keys" >"$root/keygen"
  port=1
  "$test_vm" "$BANGER_STATE_DIR" run "$1" "$2" "$port" "$3" "$host_key"
}

# Soon, with this status: process $2.
ended_by() {
  await 10 gone "$2" || end "$2"
  status=0
  wait "$2" || status=$?
  same "$status" "$1"
}
gone() { ! kill -0 "$1" 2>/dev/null; }
