#!/usr/bin/env bats
# The commands that README.md and the tutorial have their reader type, in their order, with real
# guests. BANGER_TEST_README names another file.
load ../lib
load vm

setup() {
  vm_root
  readme=${BANGER_TEST_README:-$BANGER_SOURCE/README.md}
  # The smallest guest, emulated: as everywhere here.
  export BANGER_VM_IMAGE=tiny BANGER_VM_MEMORY=128M BANGER_VM_ACCEL=tcg
  # A daemon of whoever runs the tests keeps its port.
  export BANGER_DNS_LISTEN=127.0.0.1:$((20000 + $$ % 12000))
  cd "$BANGER_SOURCE" || return
}

teardown() {
  banger dns stop >/dev/null 2>&1 || true # of a walk that was not finished
  remove_vms
}

# The lines that the section $1 has its reader type, without their comments.
lines_of() {
  sed -n "/^## $1\$/,/^## /s/^    //p" "$readme" | sed 's/  *#.*//; /^$/d'
}

# The same of the tutorial.
tutorial_lines_of() {
  sed -n "/^\.SH $1\$/,/^\.SH /{/^\.nf/,/^\.fi/{/^\./!p}}" "$BANGER_SOURCE/man/banger-tutorial.7" |
    sed 's/\\f[BIR]//g; s/\\-/-/g'
}

# walk LEAST LINES...: LEAST of them at the least, and each succeeds. A shell and a console have a terminal, and are left as their comments say.
walk() {
  local line status count=0 least=$1
  shift
  while IFS= read -r line <&4; do
    echo "\$ $line" # shown when the test fails
    status=0
    typed "$line" </dev/null 3>&- 4<&- || status=$?
    same "$status" 0
    count=$((count + 1))
  done 4< <("$@")
  [ "$count" -ge "$least" ]
}
typed() {
  case $1 in
    'banger ssh '*' -- '* | 'banger ssh cp '*) eval "$1" ;;
    'banger ssh '*) on_terminal '# =exit\r' "$1" ;;
    'banger vm console '*) on_terminal 'leaves it=\x1d' "$1" ;;
    *) eval "$1" ;;
  esac
}
on_terminal() { # KEYS LINE
  local words
  read -ra words <<<"$2"
  "$BANGER_SOURCE/tests/on-terminal" "$1" -- "${words[@]}"
}

@test "the first walk, line by line" {
  walk 20 lines_of 'A first walk'
  nothing_left
}

@test "a guest that has more, line by line" {
  # The smallest guest has no packages: one program of it says that it installs them.
  local base
  base=$(runtime_bundle)
  cp --sparse=always "$base"/root-tiny-*.ext4 "$root/base.ext4"
  cat >"$root/apt-get" <<'APT'
#!/bin/sh
[ "$*" = update ] || [ "$*" = '-y install make' ] || exit 100
[ "$1" = update ] || printf '#!/bin/sh\necho "GNU Make 4.3"\n' >/usr/bin/make
[ "$1" = update ] || chmod 755 /usr/bin/make
APT
  debugfs -w -R "write $root/apt-get /usr/bin/apt-get" "$root/base.ext4" 2>/dev/null
  debugfs -w -R 'sif /usr/bin/apt-get mode 0100755' "$root/base.ext4" 2>/dev/null
  expect 0 banger image import base "$root/base.ext4"
  export BANGER_VM_IMAGE=base
  walk 5 lines_of 'What is in a guest, and how to have more' >"$root/said"
  grep -qx 'GNU Make 4.3' "$root/said"
  nothing_left
}

@test "the tutorial's project and its CI job, line by line" {
  cd "$HOME"
  walk 11 tutorial_lines_of 'A PROJECT IN A VM' >"$root/said"
  grep -qx built "$root/said"
  nothing_left
  walk 5 tutorial_lines_of 'A CI JOB' >"$root/said"
  same "$(grep -Ex 'job-1|worker-?[12]' "$root/said" | sort -u | wc -l)" 3
  nothing_left
}

@test "the tutorial's service, but for Debian's packages" {
  no_packages() { tutorial_lines_of "$1" | grep -Ev 'apt-get|nginx|^curl '; }
  walk 6 no_packages 'A SERVICE WITH A WORK DISK' >"$root/said"
  grep -qx hello "$root/said"
  nothing_left
}
