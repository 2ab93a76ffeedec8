#!/usr/bin/env bats
# banger vm without a VM: what bad input gets, and that nothing changed by it.
load ../lib

setup() { private_root; }
teardown() { remove_private_root; }

no_state() { [ ! -e "$BANGER_STATE_DIR/state.db" ] || [ -z "$(banger vm list -q)" ]; }

@test "names that are none" {
  long=$(printf 'a%.0s' $(seq 64))
  for name in a.b a/b Abc "$long" -a a- '' ../x; do
    expect 2 banger vm create -- "$name"
    no_state
  done
  expect 2 banger vm create cp
  errors 'verb of banger ssh'
  expect 2 banger vm create --image tiny localhost
  errors "invalid VM name 'localhost': it is a name of the host itself"
  for name in localhost6 ip6-allnodes; do
    expect 2 banger vm create --image tiny $name
    errors 'it is a name of the host itself'
  done
  expect 2 banger vm run --dry-run --image tiny 127
  errors "invalid VM name '127': to other programs such a number is an address"
}

@test "sizes that are none" {
  for size in 0 -1 99999T 1X ''; do
    expect 2 banger vm create "--memory=$size" a
    expect 2 banger vm create "--disk=$size" a
  done
  expect 2 banger vm create --memory 1M a
  expect 2 banger vm create --cpus 0 a
  expect 2 banger vm create --cpus 1000 a
  no_state
}

@test "ports and labels that are none" {
  for port in 80 80:x 0:80 70000:80 1.2.3:80:80 8080:80/icmp; do
    expect 2 banger vm create --publish "$port" a
  done
  for label in nokey '=v' 'a b=c'; do
    expect 2 banger vm create --label "$label" a
  done
}

@test "list of nothing makes nothing" {
  expect 0 banger vm list --json
  same "$output" ''
  [ ! -e "$BANGER_STATE_DIR" ]
}

@test "a VM that is not there is status 3, and one bad name stops no other" {
  expect 3 banger vm show nobody
  for verb in start stop kill rm; do
    expect 3 banger vm "$verb" nobody neither
    errors "'nobody'"
    errors "'neither'"
  done
  expect 3 banger vm rm --json nobody
  schema result
  error_schema
  same "$(jq -r .code <<<"$stderr")" not_found
}

@test "no bundle: preflight says how to get one" {
  BANGER_RUNTIME_DIR=$root/none expect 5 banger vm create a
  errors 'banger bundle build'
  no_state
}

@test "a corrupt bundle: the part is named" {
  mkdir "$root/bundle"
  bundle=$(runtime_bundle)
  cp -r --reflink=auto "$bundle"/. "$root/bundle"
  part=$(jq -r '.parts[] | select(.name == "root-tiny").file' "$root/bundle/bundle.json")
  chmod u+w "$root/bundle/$part"
  printf garbage | dd of="$root/bundle/$part" bs=1 seek=2000000 conv=notrunc 2>/dev/null
  BANGER_RUNTIME_DIR=$root/bundle expect 1 banger vm create --image tiny a
  errors root-tiny
  errors corrupt
  no_state
}

@test "an image without a name is not found" {
  expect 3 banger vm create --image no-such-image a
  errors 'the bundle has'
  expect 3 banger vm create --image tinny a
  errors "did you mean 'tiny'?"
  for image in ./a.tar ubuntu:22.04 docker.io/library/debian; do
    expect 3 banger vm run --image $image a
    errors "hint: 'banger image import NAME SOURCE' makes an image"
  done
  no_state
}

@test "a configured key that does not exist is named with its line" {
  write_config <<<$'[vm]\nmemroy = "1G"'
  expect 2 banger vm list
  errors memroy
  errors 2
}

@test "selection by id prefix; a name beats a prefix" {
  expect 0 banger vm create --image tiny one
  id=$(banger vm show --json one | jq -r .id)
  expect 0 banger vm show --json "${id:0:6}"
  same "$(field .name)" one
  expect 3 banger vm show "${id:0:3}"
}

@test "sizes and times are taken as they are shown; an error quotes what was typed" {
  expect 0 banger vm create --image tiny --memory 1.5G half
  expect 0 banger vm list
  outputs ' 1.5G '
  expect 0 banger vm set half --memory 1.1G
  shown=$(banger vm show half | sed -n 's/^memory *//p')
  expect 0 banger vm set half --memory "$shown"
  same "$output" 'half: unchanged'
  expect 6 banger vm wait half --timeout 0.3s
  errors 'hint: banger vm start half starts it'
  expect 6 banger vm wait half --timeout '0m 0.2s'
  expect 2 banger vm create --image tiny --memory 1024 x
  same "$stderr" "banger-vm: invalid --memory '1024': that is a number of bytes; its unit is missing
hint: 1024M is so many mebibytes, 1024G so many gibibytes"
  expect 2 banger vm create --image tiny --memory 1000000K x
  errors "invalid --memory '1000000K': it must be whole multiples of 1M"
  expect 2 banger vm create --image tiny --work-disk 1M x
  errors "invalid --work-disk '1M': it must be at least 16M"
  expect 2 banger vm wait half --timeout '1m 30'
  errors "invalid --timeout '1m 30': the unit of its last number is missing"
}

@test "--dry-run checks everything and makes nothing" {
  expect 0 banger vm create --dry-run --image tiny dry
  same "$output" 'dry: would be created'
  errors "would be made from 'tiny'"
  expect 0 banger vm run --dry-run --json --image tiny dry
  schema result
  same "$(field '[.state, .changed] | join(" ")')" 'absent false'
  expect 0 banger vm run --dry-run --image tiny dry
  same "$output" 'dry: would be created'
  expect 2 banger vm create --dry-run --image tiny --disk 1M dry
  BANGER_QEMU_BINARY=no-such-vmm expect 5 banger vm run --dry-run --image tiny dry
  [ ! -e "$BANGER_STATE_DIR" ]
  # Nor where there is a state.
  expect 0 banger vm create --image tiny first
  before=$(find "$BANGER_STATE_DIR" -type f ! -name '*-shm' ! -path '*/log/*' -exec sha256sum {} + | sort)
  expect 0 banger vm create --dry-run --count 2 --image tiny dry-
  expect 4 banger vm run --dry-run --image tiny first
  errors 'hint: banger vm start first starts it'
  same "$(find "$BANGER_STATE_DIR" -type f ! -name '*-shm' ! -path '*/log/*' -exec sha256sum {} + | sort)" "$before"
}

@test "create and run name all that is missing at once, before anything is made" {
  BANGER_RUNTIME_DIR=$root/none BANGER_QEMU_BINARY=no-such-vmm expect 5 banger vm run a
  errors "no runtime bundle in '$root/none'"
  errors "no 'no-such-vmm' in PATH"
  errors 'banger bundle build'
  errors 'apt-get install qemu-system-x86'
  no_state
  BANGER_QEMU_BINARY=no-such-vmm expect 5 banger vm run --image tiny a
  no_state
  [ ! -e "$BANGER_STATE_DIR/images" ]
  # A program that only a start needs may be missing when a VM is made.
  BANGER_QEMU_BINARY=no-such-vmm expect 0 banger vm create --image tiny a
}

@test "what this build does not have is refused with what it has, and offered nowhere" {
  local option choices
  while read -r option choices; do
    # shellcheck disable=SC2086 # two words
    expect 2 banger vm create --image tiny ${option/=/ } a
    errors "$choices"
    expect 0 banger vm create --help
    [[ $output != *"${option#*=}"* ]]
    expect 0 banger vm __complete create "${option%=*}" ''
    [[ $output != *"${option#*=}"* ]]
  done <<'EOF'
--net=vlan it is one of user, bridge, isolated
--vmm=xen it is one of qemu, firecracker
--root=btrfs it is one of reflink, overlay, copy, dm-snapshot
EOF
  no_state
}

@test "a root by device-mapper is refused where it cannot be, and nothing is made" {
  local way
  [ "$(id -u)" -ne 0 ] || ! grep -qw device-mapper /proc/misc || skip 'root maps disks here'
  for way in 'env BANGER_VM_ROOT=dm-snapshot banger vm create' 'banger vm create --root dm-snapshot'; do
    expect 5 $way --json --image tiny a
    same "$(error_field .code)" preflight
    error_field .message | grep -q "^cannot create 'a': .*device-mapper"
    error_field .hint | grep -q -e '--root overlay'
    no_state
  done
}

@test "two that remove one VM at once: the second is told that it is gone, if it named it" {
  banger vm failpoints >/dev/null 2>&1 || skip 'this build has no failpoints'
  lock_is_held() {
    local file
    file=$(echo "$BANGER_STATE_DIR"/vms/*/op.lock)
    [ -e "$file" ] && grep -q ":$(stat -c %i "$file") " /proc/locks
  }
  local first second verb doing
  for verb in 'rm twice' 'rm --force twice' 'reset twice' 'rm --all' 'reset --all' 'stop --state stopped'; do
    expect 0 banger vm create --image tiny twice
    doing=remove
    [[ $verb != reset* ]] || doing=reset
    # Asleep with the lock, before it tells the others.
    BANGER_FAILPOINT=state.commit#1:sleep=2000 banger vm rm twice >"$root/first" 2>&1 3>&- &
    first=$!
    await 10 lock_is_held
    # shellcheck disable=SC2086 # a verb and its option
    banger vm $verb >"$root/second" 2>&1 3>&- &
    second=$!
    status=0
    wait $second || status=$?
    wait $first
    same "$(cat "$root/first")" 'twice: removed'
    case $verb in
      *twice)
        same "$status" 3
        same "$(cat "$root/second")" "banger-vm: cannot $doing 'twice': it is gone"
        ;;
      *) # nobody named it: what is not there is not among all
        same "$status" 0
        same "$(cat "$root/second")" "banger-vm: 'twice' was removed meanwhile
twice: removed"
        ;;
    esac
    expect 3 banger vm show twice
  done
}

@test "memory that the host does not have is a warning, a limit is none; what it never gives is refused" {
  local wanted # all that there is: some of it is taken
  wanted=$(awk '/^MemTotal:/ { print int($2 / 1024) "M" }' /proc/meminfo)
  preflight() { # FIELD of the check ID
    banger vm preflight --json --memory "$wanted" 2>/dev/null | jq -r "select(.id == \"$2\") | .$1"
  }
  same "$(preflight status memory)" warn
  [[ $(preflight found memory) =~ ^([0-9.]+[MGT])' wanted, '([0-9.]+[MGT])' with the VMs that run; the host has ' ]]
  same "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
  [[ $(preflight fix memory) == *--memory* ]]
  same "$(preflight status memory_limit)" ''
  export BANGER_VM_MEMORY_LIMIT=2G
  same "$(preflight status memory_limit)" missing
  unset BANGER_VM_MEMORY_LIMIT
  # More than the kernel gives one process: told, before a VMM fails at it.
  ulimit -v 4194304
  wanted=5G
  same "$(preflight status memory)" missing
  same "$(preflight found memory)" '5G of memory wanted, and this host gives a VM at most 4G'
  same "$(preflight fix memory)" 'give it less: --memory'
  expect 5 banger vm run --image tiny --memory 5G large
  errors 'at most 4G'
}

@test "filters of list" {
  expect 0 banger vm create --image tiny --label job=42 --label x=y a
  expect 0 banger vm create --image tiny b
  expect 0 banger vm list -q --label job=42
  same "$output" a
  expect 0 banger vm list -q --state stopped
  same "$output" $'a\nb'
  expect 0 banger vm list -q --state running
  same "$output" ''
  expect 2 banger vm list --state runing
  expect 0 sh -c 'banger vm list -q | banger vm rm -q - | sort' # side by side: in any order
  same "$output" $'a\nb'
}
