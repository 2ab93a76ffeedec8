#!/usr/bin/env bats
# The words of people who come from other tools: each is met with the command that does it here, and
# no hint leads anybody to lose something.
load ../lib

setup() { private_root; }
teardown() { remove_private_root; }

# The words of docker, podman, Lima, Multipass, virsh, git and systemd.
common='ps images rm exec shell run start stop restart reboot delete destroy info inspect status
  rename logs cp scp console top launch purge shutdown attach pause kill create show port clone pull
  push rmi tag volume mount umount system container compose machine snapshots history find connect
  transfer recover suspend domifaddr dumpxml undefine autostart managedsave net-list net-start pool-list
  provision up halt ssh-config global-status factory-reset init commit switch journalctl enable'

# hinted COMMAND...: a usage error whose hint names what does it, in commands that there are; it is no
# guess, and nothing is made.
hinted() {
  local command words
  expect 2 "$@"
  hint=$(sed -n 's/^hint: //p' <<<"$stderr")
  case $hint in
    '' | 'did you mean'* | "see '"* | *"'banger help' lists"*) echo "$*: $hint" && return 1 ;;
  esac
  while read -r command; do
    read -ra words <<<"$command"
    case "${words[1]}" in
      ssh) case ${words[2]} in cp | sync | forward) ;; *) words=(banger ssh) ;; esac ;;
      doctor) words=(banger doctor) ;;
    esac
    "${words[@]:0:3}" --help >/dev/null || { echo "$*: no '$command'" && return 1; }
  done < <(grep -o "'banger [^']*'" <<<"$hint" | tr -d "'")
  [ ! -e "$BANGER_STATE_DIR" ]
}

# Whether the tool has that verb itself.
has_verb() { banger "$1" --help | grep -q "^  $2 "; }

@test "words of other tools are met at banger, banger vm, banger image and banger net" {
  for word in $common; do
    hinted banger "$word"
    hinted banger "$word" web
    hinted banger help "$word"
    for place in vm image net; do
      has_verb "$place" "$word" || hinted banger "$place" "$word" web
    done
  done
  expect 2 banger --json delete
  error_schema
}

@test "ls is list" {
  for place in vm image; do
    expect 0 banger $place list --help
    listed=$output
    expect 0 banger $place ls --help
    same "$output" "$listed"
    expect 0 banger $place ls --json
  done
  hinted banger ls
  contains hint "$hint" 'banger vm list'
  hinted banger net ls
  contains hint "$hint" 'banger net status'
}

@test "words of other tools are met at banger dns, banger bundle and banger vm snapshot" {
  for word in ls list names lookup dig up down reload flush register show info; do
    hinted banger dns $word web
  done
  for word in ls list info check update pull rm prune delete; do
    hinted banger bundle $word
    case $hint in *"banger image"*) echo "$word: $hint" && false ;; esac
  done
  for word in take save show revert rollback delete remove; do
    hinted banger vm snapshot $word web first
  done
  hinted banger vm snapshot delete web first
  contains hint "$hint" 'cannot be brought back'
}

@test "what destroys is said to, and only where it was asked for" {
  for word in delete remove undefine purge; do
    for place in banger 'banger vm'; do
      hinted $place $word web
      contains hint "$hint" 'cannot be brought back'
    done
  done
  # Docker's rmi leaves the containers.
  for place in banger 'banger vm' 'banger net'; do
    hinted $place rmi web
    contains hint "$hint" "'banger image rm NAME'"
    case $hint in *"banger vm"*) echo "$place: $hint" && false ;; esac
  done
  # virsh's destroy leaves the disks.
  hinted banger vm destroy web
  contains hint "$hint" "'banger vm kill NAME' ends a VM at once, and its disks stay"
  for word in reboot reload; do
    hinted banger vm $word web
    contains hint "$hint" "'banger vm restart NAME'"
  done
  for word in shutdown down halt poweroff suspend save snapshot clone rename status exec; do
    hinted banger vm $word web
    case $hint in *"'banger vm rm"* | *"vm reset"* | *"vm kill"*) echo "$word: $hint" && false ;; esac
  done
}

@test "no guess at a misspelt word leads to what destroys" {
  near_words() { # of a verb: a letter left out, doubled, exchanged, or another one
    python3 - "$1" <<'PY'
import sys
w = sys.argv[1]
near = set()
for i in range(len(w)):
    near |= {w[:i] + w[i + 1:], w[:i] + w[i] + w[i:], w[:i] + "x" + w[i + 1:], w[:i] + "e" + w[i:]}
    if i: near.add(w[:i - 1] + w[i] + w[i - 1] + w[i + 1:])
print("\n".join(sorted(n for n in near if n and n != w)))
PY
  }
  count=0
  for verb in 'vm reset' 'vm rm' 'vm kill' 'image rm' 'image prune'; do
    for word in $(near_words "${verb#* }"); do
      ! has_verb "${verb% *}" "$word" || continue
      expect 2 banger "${verb% *}" "$word" web
      case $stderr in *"did you mean '"*" rm'"* | *"mean '"*"reset'"* | *"mean '"*"kill'"* | *"mean '"*"prune'"*)
        echo "$word: $stderr" && false ;;
      esac
      count=$((count + 1))
    done
  done
  [ "$count" -gt 50 ]
  # Nor do options, and a word that is another word is no misspelt one.
  for option in --cdrom --rn --mr; do
    expect 2 banger vm run $option web
    case $stderr in *"mean '--rm'"*) echo "$option: $stderr" && false ;; esac
  done
  for line in 'vm rm --forse web' 'vm rm --al' 'ssh sync --delet a b:' 'doctor --fixx'; do
    expect 2 banger $line
    case $stderr in *'did you mean'*) echo "$line: $stderr" && false ;; esac
  done
  for word in secret search swarm disks remote; do
    expect 2 banger vm $word web
    case $stderr in *'did you mean'*) echo "$word: $stderr" && false ;; esac
  done
  # Others are guessed at as ever.
  expect 2 banger vm strat web
  errors "did you mean 'banger vm start'?"
}

@test "options of other tools are met with the one here" {
  met() { # OPTION PART
    expect 2 banger vm run "$1" web
    contains "hint at $1" "$(sed -n 's/^hint: //p' <<<"$stderr")" "$2"
    expect 2 banger vm create "$1=x" web
  }
  for option in --mem --ram; do met $option '--memory 1G'; done
  for option in --cpu --vcpus; do met $option '--cpus N'; done
  for option in --port --expose -P; do met $option '--publish HOST:GUEST'; done
  for option in -v --volume --mount; do met $option '--work-disk SIZE'; done
  for option in -e --env; do met $option 'env NAME=VALUE CMD'; done
  for option in -u --user; do met $option 'su - USER'; done
  for option in -d --detach; do met $option '--no-wait'; done
  for option in -it --interactive; do met $option "'banger ssh NAME' is a shell"; done
  met --name 'without an option: NAME'
  met --network '--net user'
  for option in --privileged --cap-add --security-opt; do met $option 'root may do there'; done
  for option in --platform --pull --cdrom --os-variant; do met $option '--image NAME'; done
  met --restart 'not started with the host'
  met --gpus 'devices of the host are not given'
  met --vm-type '--vmm qemu'
  met --verbose '--log-level debug'
  expect 2 banger vm stop -t 10 web
  errors '--timeout 10s'
  expect 255 banger ssh -it web
  errors '--tty gives a command a terminal'
  expect 2 banger vm list -a
  errors 'all VMs are listed'
  # One that the verb does not take is none to hint at.
  expect 2 banger vm stop --mem 1G web
  case $stderr in *--memory*) false ;; esac
  [ ! -e "$BANGER_STATE_DIR" ]
}

@test "options of other tools at the verbs that end, copy and change" {
  told() { # PART VERB OPTION: the verb's name and the option, then the hint
    local part=$1
    shift
    hinted banger "$@" web
    contains "hint at $*" "$hint" "$part"
  }
  local option
  for option in -f --force --signal=KILL -s; do told 'is ended by force' vm stop $option; done
  for option in -9 -s --signal; do told 'nothing to choose' vm kill $option; done
  for option in -a --attach --console; do told "'banger vm console NAME'" vm start $option; done
  for option in -v --volumes --purge; do told 'disks of a VM go with it' vm rm $option; done
  for option in -p -a --preserve --archive; do told 'kept by itself' ssh cp $option; done
  for option in -P -i -o; do told 'are known' ssh cp $option; done
  told 'all below it' ssh sync -a
  for option in -avz -av -rvz; do
    told 'all below it' ssh sync $option
    told 'progress is shown' ssh sync $option
  done
  for option in -n --dry-run; do told 'there is no dry run' ssh sync $option; done
  told 'goes with all that it has' vm rm -rf
  told 'are listed without an option' vm list -la
  told 'are listed without an option' image list -la
  told '--net bridge' vm run --network
  told 'nothing to force' image rm -f
  told 'nothing to choose' vm reset --force
  told 'without an option' image import --name
  told 'keeps its name' vm set --name
  told 'without an option' net publish -p
  told 'no screen' vm run --graphics
  told 'never cut' vm list --no-trunc
}
