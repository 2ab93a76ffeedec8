# shellcheck shell=bash disable=SC2034,SC2154 # what the tests and ../lib have in common
# Helpers of the tests of the VMs' networks: load after ../lib and vm.

# The pid of a test's server. A test with more of them keeps its own.
setup() {
  vm_root
  server=
}
teardown() {
  end "$server"
  remove_vms
}

# An address of this host that is not loopback: what guests see of the outside.
outside_address() { hostname -I | tr ' ' '\n' | grep -m 1 '\.'; }

# Mode `user` must be possible here, or these tests say nothing.
needs_user_net() {
  expect 0 banger net status --json
  [ "$(field .mode)" = user ] || skip "$(field .why)"
}

net_field() { banger net status --json | jq -r "$1"; }
guest() { banger ssh "$1" -- "$2"; }
