#!/usr/bin/env bats
# `banger bundle`: what is refused before anything is built, and what show and verify say of a bundle.
load ../lib

setup() { private_root; }
teardown() { remove_private_root; }

# fake_bundle DIR: a whole bundle of small files.
fake_bundle() {
  local dir=$1 name file sum parts=()
  mkdir -p "$dir"
  for name in kernel kernel-elf initrd root-tiny; do
    printf 'content of %s' "$name" >"$dir/$name"
    sum=$(sha256sum "$dir/$name" | cut -d' ' -f1)
    file=$name-${sum:0:12}
    [ "$name" != root-tiny ] || file=$file.ext4
    mv "$dir/$name" "$dir/$file"
    parts+=("$(jq -nc --arg n "$name" --arg f "$file" --arg s "$sum" \
      --argjson z "$(stat -c %s "$dir/$file")" \
      '{name: $n, file: $f, size: $z, sha256: $s, suite: "bookworm", inputs: "x"}')")
  done
  printf '%s\n' "${parts[@]}" | jq -s '{kind: "bundle", v: 1, name: "debian-bookworm-amd64",
    suite: "bookworm", arch: "amd64", variant: "tiny", kernel_release: "6.1", parts: .,
    roots: [{variant: "tiny", packages_hash: "x", packages: "a\n", installed: ["a 1"]}]}' \
    >"$dir/bundle.json"
}
part() { echo "$1/$(jq -r ".parts[] | select(.name == \"$2\").file" "$1/bundle.json")"; }

@test "show tells where the bundle is, why, and its parts" {
  fake_bundle "$root/b"
  BANGER_RUNTIME_DIR=$root/b expect 0 banger bundle show --json
  schema bundle
  same "$(field .path)" "$root/b"
  same "$(field .origin)" configured
  same "$(field '[.parts[].name] | join(" ")')" "kernel kernel-elf initrd root-tiny"
  expect 0 banger bundle show --runtime-dir ../b
  outputs "debian-bookworm-amd64 in $root/b (configured)"
  outputs "root-tiny"
  # A part's name is what verify takes: other columns give way.
  shown=$(COLUMNS=40 banger bundle show --runtime-dir "$root/b" | cat)
  contains 'at 40 columns' "$shown" $'\nroot-tiny '
  same "$(cut -c-12 <<<"$shown" | grep '…')" ''
  expect 0 banger bundle show -q --runtime-dir "$root/b"
  same "$output" debian-bookworm-amd64
}

@test "the config names a bundle; the environment beats it" {
  fake_bundle "$root/one"
  fake_bundle "$root/two"
  write_config <<<"runtime_dir = \"$root/one\""
  expect 0 banger bundle show --json
  same "$(field .path)" "$root/one"
  BANGER_RUNTIME_DIR=$root/two expect 0 banger bundle show --json
  same "$(field .path)" "$root/two"
}

@test "an installed tree finds the bundle of its prefix, and the user's own before it" {
  mkdir -p "$root/prefix/bin"
  cp "$BANGER_BUILD/bin/banger-bundle" "$root/prefix/bin"
  fake_bundle "$root/prefix/lib/banger"
  expect 0 "$root/prefix/bin/banger-bundle" show --json
  same "$(field .origin)" install
  same "$(field .path)" "$root/prefix/lib/banger"
  fake_bundle "$BANGER_STATE_DIR/bundle"
  expect 0 "$root/prefix/bin/banger-bundle" show --json
  same "$(field .origin)" state
}

@test "a bundle that is the first thing in a state leaves the state private" {
  mkdir -p "$root/prefix/bin" "$root/prefix/libexec" "$root/prefix/share"
  cp "$BANGER_BUILD/bin/banger-bundle" "$root/prefix/bin"
  ln -s "$BANGER_BUILD/libexec/banger" "$root/prefix/libexec/banger"
  ln -s "$BANGER_BUILD/share/banger" "$root/prefix/share/banger"
  (umask 022 && expect 5 env PATH=/none "$root/prefix/bin/banger-bundle" build)
  same "$(stat -c %a "$BANGER_STATE_DIR" "$BANGER_STATE_DIR/bundle" | xargs)" '700 755'
  expect 0 banger image list
}

@test "where there is no bundle, show and verify say how to get one" {
  export BANGER_RUNTIME_DIR=$root/none
  for verb in show verify; do
    expect 5 banger bundle $verb --json
    error_schema
    same "$(error_field .code)" preflight
    same "$(error_field .hint)" "banger bundle build"
  done
  [ ! -e "$root/none" ]
  [ ! -e "$BANGER_STATE_DIR" ]
}

@test "a garbage bundle.json is refused, named, and left as it is" {
  mkdir "$root/b"
  echo garbage >"$root/b/bundle.json"
  export BANGER_RUNTIME_DIR=$root/b
  expect 1 banger bundle show
  errors "'$root/b/bundle.json' is not a bundle's description"
  errors "hint: banger bundle build --force"
  expect 1 banger bundle build
  errors "'$root/b/bundle.json' is not a bundle's description"
  same "$(cat "$root/b/bundle.json")" garbage
}

@test "a bundle of a newer banger is a conflict" {
  fake_bundle "$root/b"
  jq '.v = 2' "$root/b/bundle.json" >"$root/new"
  mv "$root/new" "$root/b/bundle.json"
  BANGER_RUNTIME_DIR=$root/b expect 4 banger bundle show
}

@test "verify reads every part, or those named" {
  fake_bundle "$root/b"
  export BANGER_RUNTIME_DIR=$root/b
  expect 0 banger bundle verify --json
  schema result
  same "$(jq -r 'select(.ok).name' <<<"$output")" "kernel
kernel-elf
initrd
root-tiny"
  expect 0 banger bundle verify initrd
  same "$output" "initrd: ok"
}

@test "verify names a corrupt part and goes on with the others" {
  fake_bundle "$root/b"
  export BANGER_RUNTIME_DIR=$root/b
  printf 'CONTENT of initrd' >"$(part "$root/b" initrd)"
  expect 1 banger bundle verify
  errors "part 'initrd' of the bundle is corrupt"
  errors "hint: banger bundle build --force"
  same "$output" "kernel: ok
kernel-elf: ok
root-tiny: ok"
  : >"$(part "$root/b" initrd)"
  expect 1 banger bundle verify initrd
  errors "has 0 bytes, not 17"
}

@test "verify names a missing part: 5; one missing and one corrupt: 7" {
  fake_bundle "$root/b"
  export BANGER_RUNTIME_DIR=$root/b
  rm "$(part "$root/b" root-tiny)"
  expect 5 banger bundle verify
  errors "part 'root-tiny' of the bundle is missing"
  errors "hint: banger bundle build --variant tiny"
  printf 'CONTENT of initrd' >"$(part "$root/b" initrd)"
  expect 7 banger bundle verify
}

@test "verify of an unknown part is not found" {
  fake_bundle "$root/b"
  BANGER_RUNTIME_DIR=$root/b expect 3 banger bundle verify nothing
  errors "hint: parts: kernel, kernel-elf, initrd, root-tiny"
}

@test "bad suites and variants are usage errors, and nothing is made" {
  local suite
  for suite in '' Bookworm 'book worm' ../x 'x;y' -x; do
    expect 2 banger bundle build --out "$root/b" --suite="$suite"
  done
  expect 2 banger bundle build --out "$root/b" --variant huge
  expect 2 banger bundle build --out ''
  expect 2 banger bundle build --out "$root/b" extra
  [ ! -e "$root/b" ]
}

@test "all that is missing is named at once, with the command that installs it" {
  expect 5 env PATH=/none "$BANGER_BUILD/bin/banger-bundle" build --out "$root/b" --json
  error_schema
  same "$(error_field .code)" preflight
  local word
  for word in apt-get mmdebstrap; do
    contains message "$(error_field .message)" "$word"
  done
  contains hint "$(error_field .hint)" "apt-get install apt mmdebstrap"
  [ ! -e "$root/b/bundle.json" ]
  expect 5 env PATH=/none "$BANGER_BUILD/bin/banger-bundle" build --out "$root/b" --variant tiny
  errors "apt-get install apt"
}

@test "a directory that cannot be written is told before anything is fetched" {
  [ "$(id -u)" -ne 0 ] || skip "root writes everywhere"
  mkdir -m 500 "$root/b"
  expect 5 banger bundle build --out "$root/b"
  errors "is not writable"
  errors "hint: banger bundle build --out DIR"
  touch "$root/file"
  expect 1 banger bundle build --out "$root/file/b"
}

# Programs that stand for Debian's: apt-get begins a daemon that leaves its session, writes beside
# the bundle, and never ends; another has to be killed, where COMMAND is `stubborn`. Their numbers are
# in $root/pids.
never_ending_apt() { # [COMMAND]
  local traps=''
  [ -z "${1:-}" ] || traps='trap "" TERM HUP INT; '
  mkdir -p "$root/bin"
  cat >"$root/bin/apt-get" <<EOF
#!/bin/sh
[ "\$1" != indextargets ] || exit 0
setsid sh -c 'echo \$\$ >>$root/pids; exec sleep 1000' </dev/null >/dev/null 2>&1 &
setsid sh -c '$traps echo \$\$ >>$root/pids; exec sleep 1000' </dev/null >/dev/null 2>&1 &
echo \$\$ >>$root/pids
head -c 1000000 /dev/zero >"\${APT_CONFIG%/*}/much"
touch "\${TMPDIR:-/tmp}/apt.conf.\$\$"
while [ "\$(wc -l <$root/pids)" -lt 3 ]; do :; done
touch $root/begun
exec sleep 1000
EOF
  printf '#!/bin/sh\n' >"$root/bin/apt-config"
  chmod +x "$root/bin"/*
  rm -f "$root/pids" "$root/begun"
}
# In the background, where a shell has SIGINT ignored: not so here.
begin_build() { # [OPTION...]
  PATH=$root/bin:$PATH python3 -c 'import os, signal, sys
for s in (signal.SIGINT, signal.SIGHUP): signal.signal(s, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])' banger-bundle build --variant tiny "$@" &
  build=$!
  await 30 test -e "$root/begun"
}
none_run() {
  local pid
  while read -r pid; do [ ! -e "/proc/$pid" ] || return 1; done <"$root/pids"
}

@test "a build that a signal ends leaves no program running, and nothing on the disk" {
  export BANGER_RUNTIME_DIR=$root/b TMPDIR=$root/tmp
  mkdir "$TMPDIR"
  for signal in INT TERM HUP; do
    never_ending_apt "$([ $signal != INT ] || echo stubborn)"
    begin_build
    kill -"$signal" "$build"
    status=0
    wait "$build" || status=$?
    same "$status" $((128 + $(kill -l "$signal")))
    # When it has ended, all that it started has.
    none_run
    same "$(find "$root/b" -name '.build-*')" ''
    same "$(find "$TMPDIR" -name 'apt*')" ''
    expect 0 banger doctor --leaks
    same "$output" ''
  done
  # Ctrl-C at a terminal.
  never_ending_apt
  PATH=$root/bin:$PATH expect 130 "$BANGER_SOURCE/tests/on-terminal" 'fetching=\x03' -- \
    banger-bundle build --variant tiny
  [ ! -e "$root/pids" ] || none_run
  same "$(find "$root/b" -name '.build-*')" ''
}

@test "what a killed build leaves ends, is told, and goes with the next" {
  export BANGER_RUNTIME_DIR=$root/b
  never_ending_apt
  begin_build
  # While it is at work nothing of it is left over.
  expect 0 banger doctor --leaks
  same "$output" ''
  kill -KILL "$build"
  wait "$build" || true
  await 20 none_run
  expect 1 banger doctor --leaks --json
  schema leak
  same "$(field .object)" build
  same "$(field .name)" "$root/b/.build-$build"
  expect 0 banger doctor --fix
  same "$(find "$root/b" -name '.build-*')" ''
  expect 0 banger doctor --leaks
  # It is found where another place applies meanwhile, too.
  never_ending_apt
  begin_build --out "$BANGER_STATE_DIR/bundle"
  kill -KILL "$build"
  wait "$build" || true
  await 20 none_run
  expect 1 banger doctor --leaks --json
  same "$(field .name)" "$BANGER_STATE_DIR/bundle/.build-$build"
  expect 0 banger doctor --fix
  expect 0 banger doctor --leaks
  # Or by the next build, however that ends.
  never_ending_apt
  begin_build
  kill -KILL "$build"
  wait "$build" || true
  await 20 none_run
  printf '#!/bin/sh\nexit 1\n' >"$root/bin/apt-get"
  PATH=$root/bin:$PATH expect 1 banger bundle build --variant tiny
  same "$(find "$root/b" -name '.build-*')" ''
}
