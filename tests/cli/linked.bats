#!/usr/bin/env bats
# How the programs are linked: what they cost at their start, and at their first error.
load ../lib

setup() { private_root; }
teardown() { remove_private_root; }

# Puts into `programs` those that are linked whole. Sanitizers have none.
find_static() {
  local program
  programs=()
  for program in "$BANGER_BUILD"/bin/banger* "$BANGER_BUILD"/libexec/banger/banger-*; do
    expect 0 readelf -lW "$program"
    case $output in *INTERP*) ;; *) programs+=("$program") ;; esac
  done
  [ "${#programs[@]}" -ge 10 ] || skip 'no static programs'
}

@test "a static program finds where an exception leads by an index" {
  # Its absence costs milliseconds, at the first error that a tool tells of.
  local program
  find_static
  for program in "${programs[@]}"; do
    # The initrd's init knows no exceptions.
    case $program in */banger-init) continue ;; esac
    expect 0 readelf -lW "$program"
    outputs GNU_EH_FRAME
    # An index is not looked at where the start-up registers the table as one without.
    expect 0 objdump -d --disassemble=frame_dummy "$program"
    case $output in *'<__register_frame_info>'*) echo "$program registers its table" && return 1 ;; esac
  done
}

@test "a static program has all that it names" {
  # The linker leaves null for what it was told not to complain of, and the program runs into it.
  local program
  find_static
  for program in "${programs[@]}"; do
    expect 0 nm --undefined-only --format=posix "$program"
    # The C library's own, which it never calls without a loader.
    same "$(grep -v '^__tls_get_addr ' <<<"$output" || true)" ''
  done
}
