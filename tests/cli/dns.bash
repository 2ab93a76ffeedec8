# shellcheck shell=bash disable=SC2034,SC2154 # what these tests and ../lib have in common
# Helpers of the tests of the DNS daemon: load after ../lib. The VMs are rows whose VMM is another
# process.

test_vm="$BANGER_BUILD/tests/banger-test-vm"

dns_root() {
  private_root
  pids=()
  port=$((20000 + $$ % 12000))
  export BANGER_DNS_LISTEN=127.0.0.1:$port
}
setup() { dns_root; }
teardown() {
  # Of a failed test, too.
  banger dns stop >/dev/null 2>&1 || true
  end "${pids[@]}"
  remove_private_root
}

# serve [OPTION...]: starts the daemon and waits until it answers; $daemon is its pid.
serve() {
  rm -f "$root/serve.err" # what the one before said is no sign of this one
  banger-dns serve "$@" 2>"$root/serve.err" 3>&- &
  daemon=$!
  pids+=("$daemon")
  await 10 grep -q 'answers for' "$root/serve.err"
}

# A zombie has ended, too: its parent may not have looked yet.
has_ended() { ! grep -q '^State:.[^Z]' "/proc/$1/status" 2>/dev/null; }

# vm NAME: one that runs; $vmm is the process that stands for its VMM, $reach its address.
vm() {
  reach=$("$test_vm" "$BANGER_STATE_DIR" add "$1")
  sleep 600 3>&- &
  vmm=$!
  pids+=("$vmm")
  live "$1" running "$vmm"
}
live() { "$test_vm" "$BANGER_STATE_DIR" live "$@"; }

ask() { dig +time=5 +tries=1 +nocookie @127.0.0.1 -p "$port" "$@"; }
short() { ask +short "$@"; }
answered() { [ "$(short "$1")" = "$2" ]; }
# "NOERROR qr aa rd": status and flags of an answer
told() { ask +noall +comments "$@" | sed -n 's/.*status: \([A-Z]*\),.*/\1/p; s/^;; flags: \([a-z ]*\);.*/\1/p' | paste -sd' '; }
