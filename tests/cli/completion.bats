#!/usr/bin/env bats
# The completion scripts, run in the shells that they are for.
load ../lib

setup() {
  private_root
  # Shows what it is asked, and offers two words; the second has a description.
  mkdir "$root/bin"
  cat >"$root/bin/banger-sample" <<'SH'
#!/bin/sh
[ "$1" = __complete ] || exit 9
shift
printf '<%s>' "$@" >>"$HOME/asked"
echo >>"$HOME/asked"
for last; do :; done
case $last in
  /*) echo :files ;;
  --net=*) printf -- '--net=user\n--net=bridge\tthe bridge\n' ;;
  *) printf 'demo\ndim\tis: dim\n' ;;
esac
SH
  chmod +x "$root/bin/banger-sample"
  PATH=$PATH:$root/bin
}
teardown() { remove_private_root; }

# in_bash WORD...: what bash would offer; the last word is being typed.
in_bash() {
  bash --norc -c '
    source "$BANGER_BUILD/share/bash-completion/completions/banger"
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _banger "$1" 2>/dev/null
    printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}

@test "bash: words go to the program, what it offers comes back without descriptions" {
  expect 0 in_bash banger-sample start d
  same "$output" "demo
dim"
  same "$(cat asked)" "<start><d>"
}

@test "bash: through the dispatcher" {
  expect 0 in_bash banger sample start d
  same "$output" "demo
dim"
  same "$(cat asked)" "<start><d>"
  expect 0 in_bash banger samp
  same "$output" sample
}

@test "bash: what stands around '=' is one word, and only its end is offered" {
  expect 0 in_bash banger-sample start --net = b
  same "$output" "user
bridge"
  same "$(cat asked)" "<start><--net=b>"
}

@test "bash: files are the shell's own business" {
  expect 0 in_bash banger-sample start /tm
  same "$output" ""
}

@test "bash: every tool is completed" {
  local tool
  expect 0 bash --norc -c 'source "$BANGER_BUILD/share/bash-completion/completions/banger"; complete -p'
  for tool in "$BANGER_BUILD"/bin/banger*; do
    outputs "complete -F _banger ${tool##*/}"
    grep -q "^#compdef.* ${tool##*/}\( \|$\)" "$BANGER_BUILD/share/zsh/site-functions/_banger"
    grep -q "^for tool in.* ${tool##*/}\( \|$\)" "$BANGER_BUILD/share/fish/vendor_completions.d/banger.fish"
  done
}

@test "zsh: words go to the program, what it offers comes back with descriptions" {
  command -v zsh >/dev/null || skip "zsh is not installed"
  in_zsh() {
    zsh -f -c '
      _describe() { print -rl -- "${(@P)4}" }
      _files() { print files "$@" }
      words=("$@") CURRENT=$#
      source "$BANGER_BUILD/share/zsh/site-functions/_banger"' zsh "$@"
  }
  expect 0 in_zsh banger-sample start d
  same "$output" 'demo
dim:is: dim'
  same "$(cat asked)" "<start><d>"
  expect 0 in_zsh banger-sample start ''
  same "$(tail -n 1 asked)" "<start><>"
  expect 0 in_zsh banger-sample /
  same "$output" files
}

@test "fish: words go to the program, what it offers comes back with descriptions" {
  command -v fish >/dev/null || skip "fish is not installed"
  in_fish() {
    fish --no-config -c 'source $BANGER_BUILD/share/fish/vendor_completions.d/banger.fish; complete -C $argv[1]' "$1"
  }
  # The tools' own names are what the script knows.
  ln -s banger-sample "$root/bin/banger-doctor"
  PATH=$root/bin:$PATH
  expect 0 in_fish 'banger-doctor start d'
  same "$output" "$(printf 'demo\ndim\tis: dim')"
  same "$(tail -n 1 asked)" "<start><d>"
  expect 0 in_fish 'banger sample start '
  same "$(tail -n 1 asked)" "<start><>"
}

@test "the real tool answers: verbs, options, choices, and no names where there is no state" {
  expect 0 in_bash banger vm cre
  same "$output" create
  expect 0 in_bash banger vm create --net = is
  same "$output" isolated
  expect 0 in_bash banger vm start ''
  same "$output" ""
  [ ! -e "$BANGER_STATE_DIR" ]
}
