#!/usr/bin/env bats
# `banger SUB`: what it finds, what it hands on, what it says when there is nothing to find.
load ../lib

setup() {
  private_root
  mkdir "$root/bin"
  PATH=$PATH:$root/bin
}
teardown() { remove_private_root; }

tool() { # tool NAME <<SCRIPT: a program banger-NAME in PATH
  cat >"$root/bin/banger-$1"
  chmod +x "$root/bin/banger-$1"
}

@test "a program in PATH is a command, and gets its words as they are" {
  tool hello <<<'#!/bin/sh
    for word; do printf "<%s>" "$word"; done; exit 42'
  expect 42 banger hello 'a b' '' --json -- --help '*'
  same "$output" "<a b><><--json><--><--help><*>"
}

@test "common options before the command go with it" {
  tool hello <<<'#!/bin/sh
    echo "$@"'
  expect 0 banger --json --state-dir /x hello world
  same "$output" "--json --state-dir /x world"
}

@test "help COMMAND VERB and --help COMMAND ask the command" {
  tool hello <<<'#!/bin/sh
    echo "$@"'
  expect 0 banger help hello world
  same "$output" "world --help"
  expect 0 banger --help hello
  same "$output" "--help"
}

@test "what lies in PATH is listed" {
  tool hello <<<'#!/bin/sh'
  expect 0 banger
  outputs "  hello"
}

@test "beside banger beats libexec, libexec beats PATH" {
  mkdir -p "$root/inst/bin" "$root/inst/libexec/banger"
  cp "$BANGER_BUILD/bin/banger" "$root/inst/bin"
  tool hello <<<'#!/bin/sh
    echo path'
  expect 0 "$root/inst/bin/banger" hello
  same "$output" path
  sed s/path/libexec/ "$root/bin/banger-hello" >"$root/inst/libexec/banger/banger-hello"
  chmod +x "$root/inst/libexec/banger/banger-hello"
  expect 0 "$root/inst/bin/banger" hello
  same "$output" libexec
  sed s/path/beside/ "$root/bin/banger-hello" >"$root/inst/bin/banger-hello"
  chmod +x "$root/inst/bin/banger-hello"
  expect 0 "$root/inst/bin/banger" hello
  same "$output" beside
}

@test "entries of PATH that are of no use are passed over" {
  mkdir "$root/loop" "$root/locked"
  ln -s banger-hello "$root/loop/banger-hello"
  chmod 0 "$root/locked"
  tool hello <<<'#!/bin/sh
    echo found'
  PATH=$root/locked:$root/loop:$root/nowhere:$root/loop/banger-hello:/etc/passwd:$PATH
  expect 0 banger hello
  same "$output" found
  expect 0 banger
  outputs "  hello"
}

@test "what banger starts for itself is no command" {
  count=0
  for program in "$BANGER_BUILD"/libexec/banger/banger-*; do
    name=${program##*/banger-}
    expect 2 banger "$name"
    errors "unknown command 'banger $name'"
    case $stderr in *"mean 'banger $name'"*) false ;; esac
    count=$((count + 1))
  done
  [ "$count" -gt 4 ]
  # One that somebody has in PATH is theirs.
  tool monitor <<<'#!/bin/sh
    echo mine'
  expect 0 banger monitor
  same "$output" mine
}

@test "the current directory is never searched" {
  printf '#!/bin/sh\necho intruder\n' >banger-stray
  chmod +x banger-stray
  PATH=:.:$PATH expect 2 banger stray
}

@test "an unknown command is a usage error with the near one" {
  tool greet </dev/null
  expect 2 banger gret
  same "$stderr" "banger: unknown command 'banger gret'
hint: did you mean 'banger greet'?"
  same "$output" ""
  expect 2 banger xyzzy
  errors "hint: 'banger help' lists the commands"
  expect 2 banger help xyzzy
  expect 2 banger ../bin/hello
  expect 2 banger ''
}

@test "with --json the error is an object" {
  expect 2 banger --json xyzzy
  error_schema
  same "$(error_field .code)" usage
  same "$(error_field .subject)" xyzzy
}

@test "an unknown option before the command is a usage error" {
  expect 2 banger --jsn list
  errors "unknown option '--jsn'"
  errors "did you mean '--json'?"
}

@test "a command that cannot be executed is a failure of banger's own" {
  tool broken <<<'#!/no/such/interpreter'
  expect 1 banger broken
  errors "banger: cannot"
}

@test "version and bare banger need no state, home or rights" {
  expect 0 env -i "$BANGER_BUILD/bin/banger" version
  same "$output" "banger 0.1.0"
  expect 0 env -i "$BANGER_BUILD/bin/banger"
  outputs "Usage: banger"
  expect 0 env -i "$BANGER_BUILD/bin/banger" --help
  outputs "Usage: banger"
}

@test "a closed or full standard output is an error, a reader that left is not" {
  expect 1 bash -c 'banger >&-'
  errors "cannot write to standard output: bad file descriptor"
  expect 1 bash -c 'banger >/dev/full'
  errors "cannot write to standard output: no space left on device"
  mkfifo fifo
  # The other end is opened and closed before banger writes: it dies of SIGPIPE, and says nothing.
  expect 141 bash -c 'exec 3<>fifo 4>fifo 3<&-; banger >&4'
  same "$stderr" ""
}
