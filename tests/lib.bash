# shellcheck shell=bash
# The helpers that every bats file loads:  load ../lib
#
#   setup() { private_root; }      HOME, XDG_* and the state in a directory of this test alone
#   expect 3 banger vm show x      runs it; the status must be exactly that
#   outputs 'text' / errors 'text' what expect saw on standard output / error contains this text
#   field .name                    jq on the one JSON object it printed
#   schema vm                      each line it printed is a valid object of that kind
#
# `expect` leaves $output (standard output), $stderr and $status. It is for every command whose
# status matters: a crash is never taken for a failure.
# BANGER_BUILD names the build tree (default: build/ of this source tree); its bin comes first in PATH.

BANGER_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
: "${BANGER_BUILD:=$BANGER_SOURCE/build}"
export BANGER_SOURCE BANGER_BUILD
# The host's own programs, which ./dev installs, before what a version manager puts in their place;
# e2fsprogs lie where the PATH of a plain user does not lead.
PATH="$BANGER_BUILD/bin:/usr/bin:/bin:$PATH:/usr/sbin:/sbin"

# A private world: nothing outside of it is read or written, so tests run side by side.
private_root() {
  local name
  root=$(mktemp -d "${TMPDIR:-/tmp}/bt.XXXXXX") # short: sockets lie below it
  for name in $(compgen -e BANGER_); do
    case $name in BANGER_SOURCE | BANGER_BUILD | BANGER_TEST_*) ;; *) unset "$name" ;; esac
  done
  export HOME=$root/home
  export XDG_CONFIG_HOME=$root/config XDG_STATE_HOME=$root/statehome XDG_CACHE_HOME=$root/cache
  export XDG_RUNTIME_DIR=$root/run XDG_DATA_HOME=$root/data
  export BANGER_STATE_DIR=$root/state
  # A test that is about names says where, and starts who answers there.
  export BANGER_DNS_AUTOSTART=false
  export TERM=xterm # the same wherever the tests run
  unset COLUMNS LINES
  mkdir -m 700 "$HOME" "$XDG_CONFIG_HOME" "$XDG_RUNTIME_DIR"
  cd "$HOME" || return
}

# end [-SIGNAL] [PID...]: for teardown: ends those of these processes (KILL) that are this test's and are there yet.
# The number of one that has ended may meanwhile be that of anybody's process.
end() {
  local signal=-KILL pid
  case ${1:-} in -*) signal=$1 && shift ;; esac
  for pid in "$@"; do
    ! is_own "$pid" || kill "$signal" "$pid" 2>/dev/null || true
  done
}
# This shell's child, or started with a setting that names the private root, as all that a test starts is.
is_own() {
  grep -qsx "PPid:[[:space:]]*$$" "/proc/$1/status" || grep -qszF "${root:?}" "/proc/$1/environ"
}

# For teardown, after the test has stopped what it started.
remove_private_root() {
  local lock
  [ -n "${root:-}" ] || return
  for lock in "$root"/*/run/dns.lock; do
    [ ! -e "$lock" ] || banger-dns stop -q --state-dir "${lock%/run/dns.lock}" || true
  done
  cd / && rm -rf -- "$root"
}

# The config file of the private root, from standard input.
write_config() {
  mkdir -p "$XDG_CONFIG_HOME/banger"
  cat >"$XDG_CONFIG_HOME/banger/config.toml"
}

expect() {
  # Files of this call alone, without a program for it: what another left running may still write.
  # A shell of its own that a test starts has this function and no more.
  expected=$((${expected:-0} + 1))
  local want=$1 files=${BATS_TEST_TMPDIR:-${BATS_FILE_TMPDIR:-${TMPDIR:-/tmp}}}/expect.$BASHPID.$expected
  shift
  status=0
  "$@" >"$files.out" 2>"$files.err" || status=$?
  output=$(<"$files.out")
  stderr=$(<"$files.err")
  if [ "$status" -ne "$want" ]; then
    printf 'expected status %s, got %s: %s\n--- standard output\n%s\n--- standard error\n%s\n' \
      "$want" "$status" "$*" "$output" "$stderr" >&2
    return 1
  fi
}

outputs() { contains 'standard output' "$output" "$1"; }
errors() { contains 'standard error' "$stderr" "$1"; }

contains() {
  case $2 in
    *"$3"*) return 0 ;;
  esac
  printf '%s does not contain: %s\n--- it is\n%s\n' "$1" "$3" "$2" >&2
  return 1
}

# Equality that shows both sides when it fails.
same() {
  [ "$1" = "$2" ] && return 0
  printf -- '--- wanted\n%s\n--- got\n%s\n' "$2" "$1" >&2
  return 1
}

field() { jq -r "$1" <<<"$output"; }
error_field() { jq -r "$1" <<<"$stderr"; }

schema() {
  printf '%s\n' "$output" | "$BANGER_SOURCE/tests/check-schema" "$1"
}
error_schema() {
  printf '%s\n' "$stderr" | "$BANGER_SOURCE/tests/check-schema" error
}

# Waits until a command succeeds: `await 10 test -e file` (seconds, where a processor is to spare; else
# longer, ten times at most). SECONDS is whole: one that has nearly passed would be counted as waited for.
await() {
  local end=$((SECONDS + 1 + $1)) patience=$1 more=
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$end" ]; then
      if [ -n "$more" ]; then
        printf 'waited in vain: %s\n' "$*" >&2
        return 1
      fi
      # What it lacks of the time that this machine takes.
      more=$(($(longer "$patience" 10) - patience))
      end=$((SECONDS + more))
    fi
    sleep 0.05
  done
}

# longer SECONDS [MOST]: whole seconds for what takes so many on a machine with a processor to spare. Where
# more wants to run than there are processors, or they are slow, each gets less, and has as much longer,
# MOST times at most (4).
longer() {
  python3 -c 'import math, os, sys, time
began = time.monotonic()
for _ in range(2_000_000): pass
work = (time.monotonic() - began) / 0.1
load = os.getloadavg()[0] / len(os.sched_getaffinity(0))
print(math.ceil(float(sys.argv[1]) * min(float(sys.argv[2]), max(1, load, work))))' "$1" "${2:-4}"
}

# took_at_most SECONDS BEGAN [ENDED]: no more since BEGAN, an $EPOCHREALTIME, until now or ENDED; on a busy or a
# slow machine as much longer as it is, four times at most.
took_at_most() {
  local took
  took=$(jq -n "${3:-$EPOCHREALTIME} - $2")
  [ "$(jq -n "$took < $1")" = true ] || [ "$(jq -n "$took < $(longer "$1")")" = true ] || {
    echo "it took $took s, and should take $1" >&2
    return 1
  }
}

# holds FILTER [FILE]...: what jq -e tells, but that no input at all is a failure; jq 1.6 takes it for success.
holds() {
  local said
  said=$(jq -e "$@") && [ -n "$said" ]
}

# The directory of the bundle that the tools under test boot from; a failure where there is none
# (assign it first: an empty path in a word of another command would be the root directory).
runtime_bundle() {
  local path
  path=$(banger bundle show --json | jq -r .path) && [ -n "$path" ] && echo "$path"
}
