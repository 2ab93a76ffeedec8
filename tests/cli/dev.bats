#!/usr/bin/env bats
# The commands of a developer and of an installer of this tree.
load ../lib

setup() { private_root; }
teardown() { remove_private_root; }

@test "./dev lists its verbs, and refuses what is none" {
  [ -x "$BANGER_SOURCE/dev" ] || skip 'not in a source tree'
  expect 0 "$BANGER_SOURCE/dev"
  for verb in deps build demo test lint lab bench fuzz clean; do outputs "  $verb "; done
  expect 2 "$BANGER_SOURCE/dev" biuld
  errors "unknown verb 'biuld'"
  for seconds in x 0 -1 1.5; do
    expect 2 "$BANGER_SOURCE/dev" fuzz "$seconds"
    errors "'$seconds' is no number of seconds"
  done
}

@test "what was built is not built again" {
  [ -f "$BANGER_BUILD/build.ninja" ] || skip 'not a build tree'
  expect 0 cmake --build "$BANGER_BUILD"
  outputs 'no work to do'
  for variant in tiny debian; do
    expect 0 banger bundle build --variant $variant
    outputs 'is up to date'
  done
}

@test "installed with DESTDIR, the tree works where it is" {
  [ -f "$BANGER_BUILD/CMakeCache.txt" ] || skip 'not a build tree'
  DESTDIR=$root/dest cmake --install "$BANGER_BUILD" --prefix /opt/banger >/dev/null
  same "$(ls "$root/dest")" opt
  PATH=$root/dest/opt/banger/bin:/usr/bin:/bin
  expect 0 banger version
  expect 0 banger help
  for tool in vm image net ssh bundle doctor; do outputs "$tool"; done
  expect 0 banger vm create --help
  expect 0 banger vm list --json
  BANGER_RUNTIME_DIR=$root/none expect 5 banger vm create a
  errors 'banger bundle build'
  for page in banger.1 banger-vm-create.1; do
    [ -s "$root/dest/opt/banger/share/man/man1/$page" ]
  done
  [ -s "$root/dest/opt/banger/share/man/man5/banger-config.5" ]
  for file in banger/schema/vm.json bash-completion/completions/banger fish/vendor_completions.d/banger.fish; do
    [ -s "$root/dest/opt/banger/share/$file" ]
  done
  documents() { (cd "$1" && find . -name '*.md' | sort); }
  documents "$BANGER_SOURCE/share/doc" | grep -q architecture
  same "$(documents "$root/dest/opt/banger/share/doc/banger")" \
    "$({ documents "$BANGER_SOURCE/share/doc" && printf './%s.md\n' CHANGELOG SECURITY; } | sort)"
  # No text of it leads back into the sources.
  same "$(grep -rlIF "$BANGER_SOURCE" "$root/dest" || true)" ''
}
