#!/usr/bin/env bats
# Help, man pages, completion and schemas of every verb of every tool that was built say the same,
# and help needs nothing: no state, no config, no home, no valid environment.
load ../lib

setup() { private_root; }
teardown() { remove_private_root; }

# One line a public verb: what the tool says about itself.
describe_all() {
  local tool
  for tool in "$BANGER_BUILD"/bin/banger-*; do
    [ "$tool" = "$BANGER_BUILD/bin/banger-*" ] || "$tool" __describe || return
  done
}

# each_verb FUNCTION: calls it with tool, verb ("" for a nameless one) and the description.
each_verb() {
  local description tool verb
  describe_all >"$root/verbs"
  [ -s "$root/verbs" ]
  while IFS= read -r description; do
    tool=$(jq -r .tool <<<"$description")
    verb=$(jq -r .verb <<<"$description")
    echo "$tool $verb" # shown when the test fails
    # Not in a condition: there a command that fails inside would be passed over.
    "$1" "$tool" "$verb" "$description" </dev/null
  done <"$root/verbs"
}

page_of() { echo "$BANGER_BUILD/share/man/man1/$1${2:+-${2// /-}}.1"; }

@test "every verb has a summary of one line, in lower case and without full stop" {
  check() {
    holds '.summary | test("^[a-z][^\n]*[^.\n]$") and length <= 70' <<<"$3"
  }
  each_verb check
}

@test "--help, -h and help print the same, whatever the environment" {
  check() {
    local words=()
    read -ra words <<<"$2"
    expect 0 "$1" "${words[@]}" --help
    local help=$output
    same "$stderr" ""
    [ -n "$help" ]
    case $help in "Usage: ${1/-/ }${2:+ $2} "*) ;; *) return 1 ;; esac
    expect 0 "$1" "${words[@]}" -h
    same "$output" "$help"
    expect 0 banger help "${1#banger-}" "${words[@]}"
    same "$output" "$help"
    expect 0 env -i BANGER_CONFIG=/nonexistent BANGER_VM_CPUS=x BANGER_STATE_DIR=/dev/null \
      "$BANGER_BUILD/bin/$1" "${words[@]}" --help
    same "$output" "$help"
    if awk 'length > 80 && !/^ *https?:/ { print "too wide: " $0; bad = 1 } END { exit !bad }' <<<"$help"
    then return 1; fi
    [ ! -e "$BANGER_STATE_DIR" ]
  }
  each_verb check
}

@test "the man page of every verb is there, is clean roff, and has every line of the help" {
  check() {
    local page
    page=$(page_of "$1" "$2")
    [ -f "$page" ]
    same "$(groff -man -Tascii -ww -z "$page" 2>&1)" ""
    # Every word of the help stands in the page, in order: the page only adds to it.
    # shellcheck disable=SC2086 # a verb may have two words
    "$1" $2 --help | sed 1d | tr -s ' \n' '\n' | grep -E '[[:alnum:]]' >"$root/help"
    nroff -c -man -rLL=500n -rHY=0 "$page" | col -bx | tr -s ' \n' '\n' >"$root/man"
    python3 - "$root/help" "$root/man" <<'PY'
import re, sys
def words(path):
    return [re.sub(r"[^\w-]", "", w).lower() for w in open(path, encoding="utf-8").read().split()]
man = iter(words(sys.argv[2]))
for word in words(sys.argv[1]):
    if word and not any(word == m for m in man):
        sys.exit(f"the page does not have, or not in this order: {word}")
PY
  }
  each_verb check
}

@test "completion offers every verb and every option" {
  check() {
    local flag
    local words=()
    read -ra words <<<"$2"
    if [ -n "$2" ]; then
      grep -qx -- "${words[0]}" <("$1" __complete '' | cut -f1)
    fi
    if [ ${#words[@]} -eq 2 ]; then
      grep -qx -- "${words[1]}" <("$1" __complete "${words[0]}" '' | cut -f1)
    fi
    for flag in $(jq -r '.flags[]' <<<"$3") --help --json --state-dir; do
      "$1" __complete "${words[@]}" "$flag" | cut -f1 | grep -qx -- "$flag" || {
        echo "no $flag"
        return 1
      }
    done
  }
  each_verb check
}

@test "every object that a verb prints has a schema" {
  check() {
    local kind
    for kind in $(jq -r '.objects[]' <<<"$3"); do
      [ -f "$BANGER_BUILD/share/banger/schema/$kind.json" ] || return
    done
  }
  each_verb check
}

@test "examples call what there is" {
  check() {
    local example
    while IFS= read -r example; do
      [ -n "$example" ] || continue
      case $example in *"banger ${1#banger-}"*) ;; *) echo "another command: $example" && return 1 ;; esac
      if [ -n "$2" ]; then
        case $example in *"banger ${1#banger-} $2"*) ;; *) echo "another verb: $example" && return 1 ;; esac
      fi
    done < <(jq -r '.examples[]' <<<"$3")
  }
  each_verb check
}

@test "the manual of the config lists the keys that the code accepts, and no others" {
  expect 0 banger-vm __config
  same "$output" \
    "$(sed -n '/^\.SH KEYS/,/^\.SH SEE/s/^\.B //p' "$BANGER_BUILD/share/man/man5/banger-config.5")"
}

@test "the schemas are strict" {
  expect 0 "$BANGER_SOURCE/tests/check-schema" --schemas
}

# Removing or renaming one of these raises "v": pipelines of others rely on them.
@test "every kind of the contract has its schema, with the fields that others rely on" {
  fields() { # the names below each property, as "name" and "name.inner"
    jq -r '[.properties | to_entries[] | .key as $k | .value as $v
      | (if $v.items then $v.items else $v end) | $k,
        ((.properties // ([.anyOf[]?, .oneOf[]?] | map(.properties // {}) | add) // {}) | keys[] | "\($k).\(.)")]
      | sort | .[]' "$BANGER_SOURCE/share/schema/$1.json"
  }
  pinned() {
    local kind=$1
    shift
    same "$(comm -13 <(fields "$kind") <(printf '%s\n' kind v "$@" | sort))" ''
  }
  pinned vm id name state reason image image.id image.name cpus memory root root.way root.size \
    root.used work work.mount work.size work.used net net.mode net.address net.reach net.prefix \
    net.gateway net.mac net.dns net.ports ssh ssh.user ssh.address ssh.port ssh.identity \
    ssh.known_hosts vmm vmm.driver vmm.version vmm.accel vmm.confinement vmm.pid vmm.api_socket labels created \
    started stopped timings timings.prepare timings.vmm timings.kernel timings.userland \
    timings.ready logs logs.console logs.vmm logs.lifecycle error
  pinned snapshot id name vm created image_id cpus memory vmm vmm.driver vmm.version vmm.accel used path fault
  pinned image id name size used sha256 source created vms packages_hash stale paths paths.root \
    paths.packages paths.installed
  pinned result verb name ok state seconds error
  pinned error code subject message hint log
  pinned event time op vm type detail
  pinned check id status found fix
  pinned leak object name owner
  pinned bundle path origin name arch parts parts.name parts.file parts.size parts.sha256
  pinned dns listen zone pid version records queries generation log
  # And it does see one that is missing.
  ! pinned leak no-such-field
}
