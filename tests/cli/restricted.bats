#!/usr/bin/env bats
# Hosts that forbid namespaces or lack a part: every check names it with what mends it, a VM gets a
# network that works there and the reason, and who asks for more is refused.
load ../lib

setup() {
  private_root
  [ -w /dev/net/tun ] && on_host 'mount -t tmpfs tmpfs /proc/sys/kernel
    echo 0 >/proc/sys/user/max_net_namespaces' true 2>/dev/null || skip 'this host is restricted itself'
}
teardown() { remove_private_root; }

# on_host CHANGE COMMAND...: as a plain user of a host that CHANGE, a shell's script, was made to.
# The host is a user and mount namespace, so that nothing outside is changed.
on_host() {
  local change=$1
  shift
  unshare -Um --map-user=1000 --map-group=1000 --keep-caps -- sh -c \
    "set -e; $change
    exec setpriv --inh-caps=-all --ambient-caps=-all \"\$@\"" sh "$@"
}

# names_it COMMAND CHANGE WHAT MEND: the check of the network does.
names_it() {
  status=0
  # shellcheck disable=SC2086 # a command and its words
  output=$(on_host "$2" banger $1 --json) || status=$?
  [ "$status" = 0 ] || [ "$status" = 5 ] # whatever else this machine lacks
  output=$(jq -c 'select(.id == "network")' <<<"$output")
  same "$(field .status)" warn
  contains found "$(field .found)" "$3"
  same "$(field .fix)" "$4"
}

# no_user_network CHANGE WHAT MEND
no_user_network() {
  names_it 'vm preflight --image tiny' "$@"
  expect 0 on_host "$1" banger net status --json
  same "$(field .mode)" isolated
  contains why "$(field .why)" "$2"
  same "$(field .fix)" "$3"
  expect 5 on_host "$1" banger vm create --image tiny --net user x
  errors "$2"
  errors "hint: $3"
  [ ! -e "$BANGER_STATE_DIR/vms" ] || same "$(ls "$BANGER_STATE_DIR/vms")" ''
  expect 0 on_host "$1" banger vm create --image tiny a
  errors "alone in their network, because this host has $2"
  errors "to mend it: $3"
  same "$(banger vm show --json a | jq -r .net.mode)" isolated
}

@test "no user namespaces: user.max_user_namespaces" {
  no_user_network 'echo 0 >/proc/sys/user/max_user_namespaces' \
    'user.max_user_namespaces set to 0' 'sudo sysctl -w user.max_user_namespaces=15000'
  names_it doctor 'echo 0 >/proc/sys/user/max_user_namespaces' \
    'user.max_user_namespaces set to 0' 'sudo sysctl -w user.max_user_namespaces=15000'
}

landlock() {
  python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))'
}

@test "no namespaces for a VMM: doctor says what is left" {
  status=0
  output=$(on_host 'echo 0 >/proc/sys/user/max_user_namespaces' banger doctor --json) || status=$?
  [ "$status" = 0 ] || [ "$status" = 5 ] # whatever else this machine lacks
  output=$(jq -c 'select(.id == "confinement")' <<<"$output")
  same "$(field .status)" warn
  contains found "$(field .found)" \
    'this host allows no namespaces (cannot make namespaces for a VMM: the limit user.max_user_namespaces'
  [ "$(landlock)" -lt 6 ] || contains found "$(field .found)" '; open to it: sockets in directories, a look at processes'
  contains fix "$(field .fix)" 'allow user, mount and process namespaces'
}

@test "no network namespaces: user.max_net_namespaces" {
  no_user_network 'echo 0 >/proc/sys/user/max_net_namespaces' \
    'user.max_net_namespaces set to 0' 'sudo sysctl -w user.max_net_namespaces=15000'
}

# The kernel's own limit forbids them; what is read is another switch, which this kernel lacks.
only_switch() {
  printf '%s; ' 'echo 0 >/proc/sys/user/max_user_namespaces' 'mount -t tmpfs tmpfs /proc/sys/user' \
    'boot=$(cat /proc/sys/kernel/random/boot_id)' 'mount -t tmpfs tmpfs /proc/sys/kernel' \
    'mkdir /proc/sys/kernel/random' 'echo $boot >/proc/sys/kernel/random/boot_id' \
    "echo $2 >/proc/sys/kernel/$1"
}

@test "no user namespaces: kernel.unprivileged_userns_clone" {
  no_user_network "$(only_switch unprivileged_userns_clone 0)" \
    'kernel.unprivileged_userns_clone set to 0' 'sudo sysctl -w kernel.unprivileged_userns_clone=1'
}

@test "no user namespaces: kernel.apparmor_restrict_unprivileged_userns" {
  no_user_network "$(only_switch apparmor_restrict_unprivileged_userns 1)" \
    'kernel.apparmor_restrict_unprivileged_userns set to 1' \
    'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'
}

@test "no user namespaces, and no switch says so: the limit is named, not a full disk" {
  no_user_network "$(only_switch nothing 0)" \
    'no network namespaces (cannot make a user and network namespace: the limit user.max_user_namespaces or user.max_net_namespaces is reached)' \
    'sudo sysctl -w user.max_user_namespaces=15000 user.max_net_namespaces=15000'
}

@test "no tun device, and one that may not be opened" {
  no_user_network 'mount -t tmpfs tmpfs /dev/net' 'no /dev/net/tun' 'sudo modprobe tun'
  expect 0 banger vm rm a
  rm -r "$BANGER_STATE_DIR"
  no_user_network 'mount -t tmpfs tmpfs /dev/net; : >/dev/net/tun; chmod 0 /dev/net/tun' \
    'no right to open /dev/net/tun' 'sudo chmod 666 /dev/net/tun'
}

@test "no slirp4netns, and no tun device either: both are named" {
  program=$(command -v slirp4netns)
  no_user_network "mount --bind /dev/null $program" "no 'slirp4netns' in PATH" \
    'sudo apt-get install slirp4netns'
  expect 0 banger vm rm a
  expect 5 on_host "mount --bind /dev/null $program; mount -t tmpfs tmpfs /dev/net" \
    banger vm create --image tiny --net user b
  errors "no 'slirp4netns' in PATH; no /dev/net/tun"
  errors 'hint: sudo apt-get install slirp4netns; sudo modprobe tun'
}

@test "no inotify instance is left: nothing is started, and it is not said that files were open" {
  none='echo 0 >/proc/sys/user/max_inotify_instances'
  for verb in 'vm preflight --image tiny' doctor; do
    # shellcheck disable=SC2086
    expect 5 on_host "$none" banger $verb --json
    output=$(jq -c 'select(.id == "inotify")' <<<"$output")
    same "$(field .status)" missing
    contains found "$(field .found)" 'no inotify instance is left'
    contains fix "$(field .fix)" 'sysctl fs.inotify.max_user_instances'
  done
  expect 5 on_host "$none" banger vm run --image tiny x
  errors 'no inotify instance is left'
  errors 'sysctl fs.inotify.max_user_instances'
  expect 0 banger vm list -q
  same "$output" ''
}
