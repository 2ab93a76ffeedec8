#!/usr/bin/env bats
# banger ssh cp against a real sshd and this machine's own tar.
# shellcheck disable=SC2016,SC2030,SC2031,SC2094,SC2154
load ../lib
load ssh_server

# A tree with what a copy has to keep.
make_tree() {
  mkdir -p "$1/sub/shut" "$1/two words"
  echo a >"$1/a"
  echo dash >"$1/-dash"
  echo new >"$1/two words/new"$'\n'"line"
  ln "$1/a" "$1/hard"
  ln -s a "$1/link"
  ln -s /nowhere "$1/sub/dangling"
  head -c 300000 /dev/urandom >"$1/sub/random"
  truncate -s 100M "$1/sparse"
  printf end | dd of="$1/sparse" bs=1 seek=60000000 conv=notrunc status=none
  chmod 750 "$1/sub"
  chmod 604 "$1/a"
  touch -d '2020-01-02 03:04:05.678' "$1/a" "$1/sub"
}

listing() (
  cd "$1" && find . \( -type d -printf '%p %y %m\n' \) -o -printf '%p %y %m %T@ %l %s %n\n' | sort
)

alike() {
  diff -r --no-dereference "$1" "$2"
  same "$(listing "$2")" "$(listing "$1")"
}

@test "a tree goes into a VM and back as it was" {
  start_vm demo
  mkdir there
  make_tree tree
  expect 0 banger ssh cp -r tree "demo:$PWD/there"
  same "$output$stderr" ''
  alike tree there/tree
  expect 0 banger ssh cp -r "demo:$PWD/there/tree" back
  alike tree back
  [ "$(du -k back/sparse | cut -f1)" -lt 1000 ]
  same "$(find . -name '.*banger*')" ''
}

@test "names come out as with cp -r" {
  start_vm demo
  mkdir there d
  echo one >f
  echo two >d/g
  expect 0 banger ssh cp f "demo:$PWD/there/new"     # a name of its own
  expect 0 banger ssh cp f "demo:$PWD/there"         # into a directory
  expect 0 banger ssh cp -r d "demo:$PWD/there/"     # the same, a tree
  expect 0 banger ssh cp -r d/ "demo:$PWD/there/e"   # a tree under a new name
  expect 0 banger ssh cp -r d/. "demo:$PWD/there"    # its content
  same "$(cd there && find . -type f | sort)" $'./d/g\n./e/g\n./f\n./g\n./new'
  rm -r there/*
  mkdir back
  expect 0 banger ssh cp "demo:$PWD/f" back/new
  expect 0 banger ssh cp "demo:$PWD/f" back
  expect 0 banger ssh cp -r "demo:$PWD/d" back/
  expect 0 banger ssh cp -r "demo:$PWD/d/" back/e
  expect 0 banger ssh cp -r "demo:$PWD/d/." back
  same "$(cd back && find . -type f | sort)" $'./d/g\n./e/g\n./f\n./g\n./new'
  expect 0 banger ssh cp f d/g "demo:$PWD/there"     # several
  same "$(ls there)" $'f\ng'
}

@test "two sources of one name are refused before anything is written" {
  start_vm demo
  mkdir there back d
  echo one >s
  echo two >d/s
  expect 2 banger ssh cp s d/s "demo:$PWD/there/"
  errors "'s' and 'd/s' would both become 's'"
  errors 'hint: nothing was copied'
  expect 2 banger ssh cp --json "demo:$PWD/s" "demo:$PWD/d/s" back
  error_schema
  same "$(error_field .message)" "'demo:$PWD/s' and 'demo:$PWD/d/s' would both become 's'"
  expect 2 banger ssh cp -r d "demo:$PWD/d/" back
  same "$(ls there back)" $'back:\n\nthere:'
  expect 0 banger ssh cp -r s d/. d "demo:$PWD/there" # their contents have no name
}

@test "a tree is added to one that is there" {
  start_vm demo
  mkdir -p there/tree/sub new/tree
  echo old >there/tree/a
  echo kept >there/tree/kept
  make_tree tree
  expect 0 banger ssh cp -r tree "demo:$PWD/there"
  same "$(cat there/tree/a there/tree/kept)" $'a\nkept'
  cmp tree/sub/random there/tree/sub/random
  echo old >new/tree/a
  echo kept >new/tree/kept
  expect 0 banger ssh cp -r "demo:$PWD/tree" new
  same "$(cat new/tree/a new/tree/kept)" $'a\nkept'
  cmp tree/sub/random new/tree/sub/random
}

@test "standard input and output" {
  start_vm demo
  head -c 3000000 /dev/urandom >in
  expect 0 banger ssh cp - "demo:$PWD/there" <in
  cmp in there
  same "$(stat -c %a there)" 644
  banger ssh cp "demo:$PWD/there" - >out
  cmp in out
  expect 0 banger ssh cp - "demo:$PWD/empty" </dev/null
  [ -e empty ] && [ ! -s empty ]
  ln -s there link
  expect 0 banger ssh cp - "demo:$PWD/link" <<<'through it'
  same "$(cat there)" 'through it'
  [ -L link ]
}

@test "what is read to its end comes as cat shows it: FIFOs, pipes, devices" {
  start_vm demo
  mkfifo fifo
  echo bytes >fifo 3>&- &
  expect 0 banger ssh cp fifo "demo:$PWD/there"
  same "$(cat there)" bytes
  [ -p fifo ]
  expect 0 banger ssh cp <(echo of a shell) "demo:$PWD/there"
  same "$(cat there)" 'of a shell'
  echo piped | expect 0 banger ssh cp /dev/stdin "demo:$PWD/there"
  same "$(cat there)" piped
  expect 0 banger ssh cp /dev/null "demo:$PWD/there"
  [ ! -s there ]
  # In a tree it is what it is.
  expect 1 banger ssh cp -r fifo "demo:$PWD/there"
  errors 'it is no regular file'
  # A signal ends one whose writer never comes.
  banger ssh cp fifo "demo:$PWD/there" 3>&- &
  local client=$!
  await 10 at_a_fifo $client
  kill -TERM $client
  expect 143 wait $client
}
at_a_fifo() { grep -q fifo "/proc/$1/wchan" || [ "$(cat "/proc/$1/syscall" | cut -d' ' -f1)" = 257 ]; }

@test "a VM as scp calls it: with its user, and its zone" {
  start_vm demo
  echo new >f
  expect 0 banger ssh cp f "root@demo:$PWD/there"
  expect 0 banger ssh cp "demo.vm:$PWD/there" back
  same "$(cat back)" new
  expect 2 banger ssh cp f "joe@demo:$PWD/there"
  errors "cannot get into 'demo' as 'joe'"
}

@test "at a terminal a copy that takes its time tells how far it is, and leaves no trace of that" {
  start_vm demo
  # The rest comes when 2M were shown.
  "$BANGER_SOURCE/tests/on-terminal" '2M=\n' -- bash -c '
    stty -echo
    { head -c 2M /dev/zero; read -r <&3; head -c 1M /dev/zero; } 3<&0 |
      banger ssh cp - "demo:$0/there"
    stty echo' "$PWD" >shown
  same "$(stat -c %s there)" $((3 << 20))
  grep -aq '2M' shown
  same "$(sed "s/.*\r\x1b\[K//" shown | tr -d '\r\n')" ''
}

@test "odd names" {
  start_vm demo
  mkdir there
  local name
  for name in '-r' 'two words' $'new\nline' "quo'te" '$HOME' '*' 'a:b' $'\xff\xfe'; do
    printf '%s' "$name" >"./$name"
    expect 0 banger ssh cp "./$name" "demo:$PWD/there/"
    expect 0 banger ssh cp "demo:$PWD/there/$name" got
    same "$(cat got)" "$name"
    rm got
  done
  expect 0 banger ssh cp -- -r "demo:$PWD/there/-x"
  same "$(cat there/-x)" -r
}

@test "a link is followed, with -r it is copied" {
  start_vm demo
  echo x >f
  ln -s f l
  expect 0 banger ssh cp l "demo:$PWD/l2"
  [ ! -L l2 ]
  expect 0 banger ssh cp "demo:$PWD/l" l3
  [ ! -L l3 ]
  expect 0 banger ssh cp -r l "demo:$PWD/l4"
  same "$(readlink l4)" f
  expect 0 banger ssh cp -r "demo:$PWD/l" l5
  same "$(readlink l5)" f
}

@test "what is not there, or does not fit" {
  start_vm demo
  mkdir d
  echo x >f
  expect 3 banger ssh cp nosuch demo:
  expect 3 banger ssh cp "demo:$PWD/nosuch" .
  errors 'no such file or directory'
  expect 3 banger ssh cp f "demo:$PWD/no/such"
  expect 3 banger ssh cp "demo:$PWD/f" no/such
  expect 3 banger ssh cp f nosuch:
  expect 1 banger ssh cp d "demo:$PWD/x"
  errors 'directories are copied with -r'
  expect 1 banger ssh cp "demo:$PWD/d" x
  errors 'directories are copied with -r'
  expect 1 banger ssh cp -r d "demo:$PWD/f"
  expect 1 banger ssh cp -r "demo:$PWD/d" f
  expect 1 banger ssh cp f "demo:$PWD/f/"
  expect 1 banger ssh cp f "demo:$PWD/new/"
  expect 1 banger ssh cp "demo:$PWD/f" new/
  mkdir -p t/f
  expect 1 banger ssh cp f "demo:$PWD/t"
  expect 1 banger ssh cp "demo:$PWD/f" t
  expect 1 banger ssh cp - "demo:$PWD/d" </dev/null
  expect 1 banger ssh cp "demo:$PWD/d" -
  expect 1 banger ssh cp -r "demo:$PWD/d" - # where -r is no help
  errors "hint: as a tar: banger ssh demo -- tar c $PWD/d"
  expect 1 banger ssh cp demo: "$PWD/there"
  errors "'~' in the guest: it is a directory"
  expect 7 banger ssh cp f d/nosuch "demo:$PWD/f"
  expect 2 banger ssh cp f g
  expect 2 banger ssh cp f
  expect 2 banger ssh cp - -
  expect 2 banger ssh cp demo:f demo:g -
  same "$(ls)" $'d\nf\nt'
}

@test "one that fails stops no other; --json tells of each" {
  start_vm demo
  mkdir there
  echo x >f
  expect 3 banger ssh cp --json f nosuch "demo:$PWD/there"
  schema result
  same "$(field .ok)" $'true\nfalse'
  same "$(error_field .code)" not_found
  same "$(ls there)" f
}

@test "a copy that is cut short leaves nothing" {
  start_vm demo
  mkdir there
  mkfifo never
  # Input that never ends, and then the client is gone.
  (sleep 60 >never) & local holder=$!
  banger-ssh cp - "demo:$PWD/there/f" <never & local client=$!
  await 20 temporary there
  kill -KILL $client
  await 20 empty there
  banger-ssh cp - "demo:$PWD/there/f" <never & client=$!
  await 20 temporary there
  kill -TERM $client
  status=0
  wait $client || status=$?
  same "$status" 143
  await 20 empty there
  kill $holder
}
temporary() { [ -n "$(ls -A "$1")" ]; }
empty() { [ -z "$(ls -A "$1")" ]; }

@test "a guest that dies meanwhile leaves nothing here" {
  start_vm demo
  mkdir there
  head -c 500000000 /dev/zero >zeros
  banger-ssh --json cp "demo:$PWD/zeros" there 2>err >out & local client=$!
  await 20 temporary there
  kill -STOP $client
  cut_off "$server"
  kill -CONT $client
  status=0
  wait $client || status=$?
  same "$status" 1
  same "$(jq -r .code err)" unreachable
  empty there
}

# VMs a and b with a server of their own each; that of b is $target, a's is $server.
two_vms() {
  start_vm b
  target=$server
  start_vm a
}

# Ends the connections of server $1 at once: one process for root, two for a plain user.
cut_off() {
  local priv
  priv=$(pgrep -P "$1")
  # shellcheck disable=SC2046 # none or one word
  kill -KILL "$priv" $(pgrep -P "$priv" -f '^sshd')
}

@test "from one VM to another" {
  two_vms
  mkdir there
  make_tree tree
  expect 0 banger ssh cp "a:$PWD/tree/a" "b:$PWD/there/file"
  cmp tree/a there/file
  same "$(stat -c '%a %y' there/file)" "$(stat -c '%a %y' tree/a)"
  expect 0 banger ssh cp -r "a:$PWD/tree" "b:$PWD/there"
  same "$output$stderr" ''
  alike tree there/tree
  [ "$(du -k there/tree/sparse | cut -f1)" -lt 1000 ]
  same "$(find . -name '.*banger*')" ''
}

# The tar in VM $1, whose server is the last, fails when the other side has most of `tree`.
break_tar() {
  mkdir bin tree
  head -c 3000000 /dev/zero >tree/zeros
  tar -c -f half tree
  truncate -s 2M half
  printf '#!/bin/sh\ncase $1 in --version) exit ;; esac\ncat %q\necho broken >&2\nexit 1\n' \
    "$PWD/half" >bin/tar
  chmod +x bin/tar
  stop_server
  server_env "PATH=$PWD/bin:$PATH"
  begin_server
  set_vm "$1" running
}

@test "from one VM to another: what fails is named, and leaves nothing" {
  two_vms
  mkdir there
  echo x >f
  expect 3 banger ssh cp --json "a:$PWD/nosuch" "b:$PWD/there"
  same "$(error_field .subject)" a
  expect 3 banger ssh cp --json "a:$PWD/f" "b:$PWD/no/such"
  same "$(error_field .subject)" b
  mkdir there/f
  expect 1 banger ssh cp --json "a:$PWD/f" "b:$PWD/there"
  same "$(error_field .subject)" b
  rmdir there/f
  set_vm a stopped
  expect 4 banger ssh cp --json "a:$PWD/f" "b:$PWD/there"
  same "$(error_field .subject)" a
  break_tar a
  expect 1 banger ssh cp --json -r "a:$PWD/tree" "b:$PWD/there"
  same "$(error_field .subject)" a
  errors broken
  empty there
}

# bats test_tags=once
@test "a copy that fails on this side has left nothing in the guest when it ends, also where that takes a while" {
  start_vm b
  mkdir slow there
  printf '#!/bin/sh\nsleep 1\nexec %q "$@"\n' "$(command -v rm)" >slow/rm
  chmod +x slow/rm
  stop_server
  server_env "PATH=$PWD/slow:$PATH"
  begin_server
  set_vm b running
  # Standard input that cannot be read.
  expect 1 banger ssh cp - "b:$PWD/there/f" <slow
  errors 'directory'
  empty there
  # A VM whose tar fails.
  start_vm a
  break_tar a
  expect 1 banger ssh cp --json -r "a:$PWD/tree" "b:$PWD/there"
  same "$(error_field .subject)" a
  empty there
}

@test "from one VM to another: either dies meanwhile" {
  two_vms
  mkdir there
  head -c 500000000 /dev/zero >zeros
  local dies
  for dies in a b; do
    banger-ssh --json cp "a:$PWD/zeros" "b:$PWD/there" 2>err >out & local client=$!
    await 20 temporary there
    kill -STOP $client
    if [ $dies = a ]; then cut_off "$server"; else cut_off "$target"; fi
    kill -CONT $client
    status=0
    wait $client || status=$?
    same "$status" 1
    same "$(jq -r '.code, .subject' err)" "unreachable"$'\n'"$dies"
    await 20 empty there
  done
}

@test "a full disk, on either side" {
  start_vm demo
  [ "$(id -u)" = 0 ] || skip "mounts a small file system"
  mkdir full
  head -c 3000000 /dev/urandom >big
  # Where only this test and the server see it.
  expect 0 unshare -m sh -ec "
    mount -t tmpfs -o size=1M none full
    status=0
    banger-ssh cp demo:$PWD/big full/big 2>err || status=\$?
    [ \$status = 1 ] && grep -qi 'no space left' err
    [ -z \"\$(ls -A full)\" ]"
  nsenter -t "$server" -m mount -t tmpfs -o size=1M none "$PWD/full"
  expect 1 banger ssh cp big "demo:$PWD/full/big"
  errors 'no space left on device'
  same "$(wc -l <<<"$stderr")" 1
  expect 1 banger ssh cp --json big "demo:$PWD/full/big"
  same "$(error_field .message)" "VM 'demo': cannot write '$PWD/full/big' in the guest: no space left on device"
  expect 1 banger ssh cp - "demo:$PWD/full/big" <big
  errors 'No space left on device'
  expect 0 banger ssh demo -- ls -A "$PWD/full"
  same "$output" ''
  nsenter -t "$server" -m mount -o remount,ro "$PWD/full"
  expect 1 banger ssh cp big "demo:$PWD/full/big"
  same "$stderr" "banger-ssh: VM 'demo': cannot write '$PWD/full/big' in the guest: $PWD/full/: Read-only file system"
  expect 1 banger ssh cp - "demo:$PWD/full/big" <big
  same "$stderr" "banger-ssh: VM 'demo': cannot write '$PWD/full/big' in the guest: $PWD/full/: Read-only file system"
}

@test "a hostile tar writes nothing outside of the target" {
  start_vm demo
  mkdir bin src to
  stop_server
  server_env "PATH=$PWD/bin:$PATH"
  begin_server
  set_vm demo running
  # The tar in the guest gives the file `evil`, whatever it is asked for.
  local real
  real=$(command -v tar)
  printf '#!/bin/sh\ncase $1 in --version) exit ;; esac\nexec cat %q\n' "$PWD/evil" >bin/tar
  chmod +x bin/tar
  mkdir outside t
  # A link that leads out, and a file through it.
  (cd t && ln -s "../../outside" l && "$real" -c -f ../1 . && rm l && mkdir l && echo x >l/x && "$real" -c -f ../2 ./l/x)
  head -c 1024 1 >evil
  cat 2 >>evil
  expect 1 banger ssh cp -r "demo:$PWD/src" to
  errors 'is not a directory of its own'
  same "$(ls -A to outside)" $'outside:\n\nto:'
  # Names that lead out.
  "$real" -c -f evil -P ../home/t/l/x
  expect 1 banger ssh cp -r "demo:$PWD/src" to
  errors 'leads out of it'
  # Names that speak to the terminal.
  python3 -c 'import tarfile
tarfile.open("evil", "w").addfile(tarfile.TarInfo("../\33]0;evil\7"))'
  expect 1 banger ssh cp -r "demo:$PWD/src" to
  errors '\x1b]0;evil\x07'
  same "$(tr -cd '\033\007' <<<"$stderr")" ''
  "$real" -c -f evil -P "$PWD/t/l/x"
  expect 1 banger ssh cp -r "demo:$PWD/src" to
  # One file was asked for.
  "$real" -c -f evil t/l
  echo f >f
  expect 1 banger ssh cp "demo:$PWD/f" to
  # No link in its place, through which the next copy would write; nor in that of a tree.
  ln -s "$PWD/outside/x" lone
  "$real" -c -f evil lone
  for deep in '' -r; do
    expect 1 banger ssh cp $deep "demo:$PWD/f" to # none or one word
    errors 'something else came than was asked for'
  done
  "$real" -c -f evil --transform='s,^lone$,.,' lone
  expect 1 banger ssh cp -r "demo:$PWD/src" to
  errors 'something else came than was asked for'
  # Nothing at all, and what is no tar, with what a terminal would take for a command.
  : >evil
  expect 1 banger ssh cp "demo:$PWD/f" to
  printf '\033[31mred\033[0m%2000s' x >evil
  expect 1 banger ssh cp "demo:$PWD/f" to
  printf '#!/bin/sh\ncase $1 in --version) exit ;; esac\nprintf "\\033[31mred" >&2; exit 1\n' >bin/tar
  expect 1 banger ssh cp "demo:$PWD/f" to
  errors '\x1b[31mred'
  same "$(ls -A to outside)" $'outside:\n\nto:'
}

@test "a guest that says that it sends something else than what was asked for" {
  start_vm demo
  mkdir to tree links
  echo mine >victim
  echo theirs >tree/r.json
  ln -s "$PWD/victim" links/r.json
  tar -c -f file -C tree r.json
  tar -c -f directory -C tree .
  tar -c -f link -C links r.json
  # The guest answers with the words in `kind`, and sends the file `evil`, whatever it is asked.
  cat >answer <<END
mark=\$(printf %s "\$SSH_ORIGINAL_COMMAND" | grep -o 'banger-[0-9a-f]\{24\}' | tail -n 1)
printf '\n%s gnu %s\n' "\$mark" "\$(cat $PWD/kind)"
cat $PWD/evil
END
  sends() { # KIND TAR
    echo "$1" >kind
    cat "$2" >evil
  }
  stop_server
  echo "ForceCommand sh $PWD/answer" >>"$config"
  begin_server
  set_vm demo running
  sends file file
  expect 0 banger ssh cp demo:r.json to
  same "$(cat to/r.json)" theirs
  rm to/r.json
  local says path
  for says in file link directory socket; do
    sends $says link
    expect 1 banger ssh cp demo:r.json to
    errors 'something else came than was asked for'
  done
  sends directory directory
  expect 1 banger ssh cp demo:r.json to
  errors 'something else came than was asked for'
  # A path that ends as a directory is no link.
  for path in '' . .. / d/ d/. d/..; do
    sends link link
    expect 1 banger ssh cp -r "demo:$path" to
    errors 'something else came than was asked for'
  done
  same "$(ls -A to)" ''
  # With -r it may be a link: the next time that is no way to what it points to.
  sends link link
  expect 0 banger ssh cp -r demo:r.json to
  same "$(readlink to/r.json)" "$PWD/victim"
  sends file file
  expect 0 banger ssh cp -r demo:r.json to
  [ ! -L to/r.json ]
  same "$(cat to/r.json victim)" $'theirs\nmine'
}

@test "a guest whose list of its /proc leads elsewhere" {
  start_vm demo
  mkdir victim
  # The guest says that it is one of the kernel's, lists what is in `list`, and has one content for all.
  cat >answer <<END
mark=\$(printf %s "\$SSH_ORIGINAL_COMMAND" | grep -o 'banger-[0-9a-f]\{24\}' | tail -n 1)
case \$SSH_ORIGINAL_COMMAND in
  *'why=\$(timeout'*)
    printf '\n%s old files\n' "\$mark"
    while read -r word && read -r n && read -r p; do printf 'theirs\n\n%s \n' "\$word"; done ;;
  *) printf '\n%s kernel directory\n' "\$mark" && cat $PWD/list ;;
esac
END
  stop_server
  echo "ForceCommand sh $PWD/answer" >>"$config"
  begin_server
  set_vm demo running
  printf '%s\n' 'd 755 1 .' 'd 755 1 ./a' 'f 644 1 ./a/f' >list
  expect 0 banger ssh cp -r demo:/proc out
  same "$(cat out/a/f)" theirs
  rm -r out
  local line
  for line in 'f 644 1 ../victim/f' 'f 644 1 /tmp/f' 'f 644 1 .' 'l 777 1 .' 'd 755 1 .' 'f 644 1 ./a/../../victim/f' \
    'x 644 1 ./f' 'f rw 1 ./f' 'f 644 now ./f' 'f 644' '' "f 644 1 ./$(printf '%5000s' '' | tr ' ' x)"; do
    printf '%s\n' 'd 755 1 .' "$line" >list
    expect 1 banger ssh cp -r demo:/proc out
    errors 'the guest says something else'
    [ ! -e out ]
  done
  printf '%s\n' 'f 644 1 ./f' >list
  expect 1 banger ssh cp -r demo:/proc out
  : >list
  expect 1 banger ssh cp -r demo:/proc out
  errors 'it is not listed'
  # Through a link that it sent before, at once or the last time.
  printf '%s\n' 'd 755 1 .' 'l 777 1 ./a' "./a -> $PWD/victim" 'f 644 1 ./a/f' >list
  expect 1 banger ssh cp -r demo:/proc out
  [ ! -e out ]
  printf '%s\n' 'd 755 1 .' 'l 777 1 ./a' "./a -> $PWD/victim" >list
  expect 0 banger ssh cp -r demo:/proc out
  printf '%s\n' 'd 755 1 .' 'f 644 1 ./a/f' >list
  expect 1 banger ssh cp -r demo:/proc/. out
  errors "'a' is not a directory of its own"
  same "$(ls -A victim)" ''
}

@test "a signal ends a copy that goes on and on, and one that nobody reads" {
  start_vm demo
  truncate -s 1T endless
  mkfifo out
  exec 8<>out
  banger-ssh cp "demo:$PWD/endless" - >out 3>&- 8>&- & local client=$!
  head -c 1 <&8 >/dev/null
  sleep 0.5 # nothing tells when the pipe is full
  kill -TERM $client
  ended_by 143 $client
  (head -c 10000000 >/dev/null && touch flows && exec cat >/dev/null) <&8 3>&- & local reader=$!
  banger-ssh cp "demo:$PWD/endless" - >out 3>&- 8>&- & client=$!
  await 20 test -e flows
  kill -TERM $client
  ended_by 143 $client
  kill $reader
  exec 8>&-
}

@test "a guest without tar: preflight" {
  start_vm demo
  mkdir bin
  echo x >f
  stop_server
  server_env "PATH=$PWD/bin"
  begin_server
  set_vm demo running
  for tool in sh printf mktemp; do ln -s "$(command -v $tool)" "bin/$tool"; done
  expect 5 banger ssh cp "demo:$PWD/f" got
  errors 'there is no tar in the guest'
  expect 5 banger ssh cp f "demo:$PWD/got"
}

@test "what /proc and /sys tell comes as cat shows it, whatever their sizes say" {
  start_vm demo
  mkdir there
  local f
  # No size; a size of 4096 and no blocks; one that cannot be read from the middle on.
  for f in /proc/version /proc/filesystems /sys/kernel/mm/transparent_hugepage/enabled; do
    [ -e $f ] || continue
    cat $f >shown
    expect 0 banger ssh cp "demo:$f" got
    cmp got shown
    expect 0 banger ssh cp -r "demo:$f" got # a file, for all that
    cmp got shown
    expect 0 banger ssh cp "$f" "demo:$PWD/there/got"
    cmp there/got shown
    expect 0 banger ssh cp "demo:$f" "demo:$PWD/there/got"
    cmp there/got shown
    expect 0 banger ssh cp "demo:$f" -
    same "$output" "$(cat shown)"
    rm got there/got
  done
  # An empty file is empty, with its time.
  touch -d '2020-01-02 03:04:05.678' empty
  expect 0 banger ssh cp "demo:$PWD/empty" got
  same "$(stat -c '%s %y' got)" "$(stat -c '%s %y' empty)"
  # A file that cannot be read is an error, not an empty file.
  expect 1 banger ssh cp demo:/proc/self/mem mem
  [ ! -e mem ]
}

@test "trees of /proc and /sys, too" {
  start_vm demo
  local tree f
  for tree in /proc/sys/fs /sys/kernel/mm/transparent_hugepage; do
    # Where some may not be read, that is an error, as it should be.
    [ -d $tree ] && [ -z "$(find $tree -type f ! -readable)" ] || continue
    # One command reads them all: a login for each took minutes.
    : >"$config.log"
    expect 0 banger ssh cp -r "demo:$tree" out
    [ "$(grep -c 'Starting session: command' "$config.log")" -le 3 ]
    expect 0 banger ssh cp -r "$tree" "demo:$PWD/in"
    expect 0 banger ssh cp -r "demo:$tree" "demo:$PWD/across"
    # Those that stay as they are.
    (cd $tree && find . -maxdepth 1 -type f ! -name '*-nr' ! -name '*-state') >files
    [ -s files ]
    while read -r f; do
      cmp "$tree/$f" "out/$f"
      cmp "$tree/$f" "in/$f"
      cmp "$tree/$f" "across/$f"
    done <files
    chmod -R u+w out in across # as the directories there are
    rm -rf out in across
  done
  # Many empty files, and some with odd names that only seem so.
  mkdir tree
  (cd tree && touch -- {1..200} 'two words' $'new\nline' '-n' 'back\slash')
  expect 0 banger ssh cp -r "demo:$PWD/tree" back
  same "$(ls -A back | sort)" "$(ls -A tree | sort)"
  same "$(find back -size +0 -type f)" ''
}

@test "what of /proc and /sys cannot be read is named, and all else is there" {
  [ -e /proc/sys/vm/drop_caches ] || skip "no /proc/sys/vm/drop_caches here"
  start_vm demo
  local names f way
  names=$(ls /proc/sys/vm)
  for way in "demo:/proc/sys/vm out" "/proc/sys/vm demo:$PWD/out" "demo:/proc/sys/vm demo:$PWD/out"; do
    # shellcheck disable=SC2086
    expect 1 banger ssh cp -r $way
    errors "cannot read all of '/proc/sys/vm'"
    errors "'drop_caches': "
    errors 'hint: what can be read has been copied'
    for f in $names; do
      if [ -d "/proc/sys/vm/$f" ]; then continue; fi
      if cat "/proc/sys/vm/$f" >shown 2>/dev/null; then cmp "out/$f" shown; else [ ! -e "out/$f" ]; fi
    done
    chmod -R u+w out
    rm -rf out
  done
}

@test "what a kernel tells in a tree that is none of its own is left out, on either side" {
  unshare -rm true || skip "this user cannot mount"
  start_vm demo
  mkdir -p tree/proc tree/sub/proc "tree/two [w]*"
  echo kept >tree/sub/file
  # Each side's own look: what is mounted is seen by those that run there alone.
  cat >mounted <<'END'
for place in tree/proc tree/sub/proc 'tree/two [w]*'; do mount --rbind /proc "$place" || exit; done
END
  run_here() { unshare -rm sh -c '. ./mounted; exec "$@"' sh "$@"; }
  expect 0 run_here banger ssh cp -r tree "demo:$PWD/in"
  errors "'tree': left out what a kernel tells in proc, sub/proc, two [w]*"
  same "$(find in -type f)" in/sub/file
  same "$(find in -type d | sort)" $'in\nin/proc\nin/sub\nin/sub/proc\nin/two [w]*'
  stop_server
  echo "ForceCommand cd $PWD && unshare -rm sh -c '. ./mounted; eval \"\$SSH_ORIGINAL_COMMAND\"'" >>"$config"
  begin_server
  set_vm demo running
  expect 0 banger ssh cp -r "demo:$PWD/tree" out
  errors "'demo:$PWD/tree': left out what a kernel tells in proc, sub/proc, two [w]*"
  same "$(find out -type f)" out/sub/file
  same "$(find out -type d | sort)" $'out\nout/proc\nout/sub\nout/sub/proc\nout/two [w]*'
  # The kernel's own is what was asked for here.
  expect 0 banger ssh cp "demo:$PWD/tree/proc/version" version
  cmp version /proc/version
}

@test "a file that grows while a tree is copied is no error" {
  start_vm demo
  mkdir tree
  head -c 30M /dev/zero | tr '\0' x >tree/log
  touch grows
  while [ -e grows ]; do echo more >>tree/log; done 3>&- &
  status=0
  banger ssh cp -r "demo:$PWD/tree" back || status=$?
  rm grows # also where that failed: the loop would keep its files
  wait $!
  same $status 0
  [ "$(stat -c %s back/log)" -ge 30000000 ]
  cmp -n "$(stat -c %s back/log)" tree/log back/log
}

@test "out of a VM comes no permission that the umask takes; what is there keeps its own" {
  start_vm demo
  mkdir -p tree/open/deep
  echo x >tree/open/file
  echo x >tree/script
  chmod 777 tree tree/open tree/open/deep tree/script
  chmod 666 tree/open/file
  echo old >kept
  mkdir merged
  chmod 777 kept merged
  modes() (cd "$1" && find . -printf '%m %p\n' | sort -k2)
  for mask in 022 027 077 000; do
    rm -rf back file
    umask $mask
    expect 0 banger ssh cp -r "demo:$PWD/tree" back
    expect 0 banger ssh cp "demo:$PWD/tree/open/file" file
    expect 0 banger ssh cp "demo:$PWD/tree/open/file" kept
    expect 0 banger ssh cp -r "demo:$PWD/tree/." merged
    umask 022
    x=$(printf %o $((0777 & ~0$mask))) w=$(printf %o $((0666 & ~0$mask)))
    same "$(stat -c %a file)" "$w"
    same "$(modes back)" "$x .
$x ./open
$x ./open/deep
$w ./open/file
$x ./script"
    same "$(stat -c '%a' kept merged | xargs)" '777 777'
    same "$(stat -c %a merged/open/deep)" "$x"
    rm -r merged/*
  done
}

@test "a file that was there keeps owner, permissions, names and links" {
  start_vm demo
  mkdir there here
  echo new >f
  local dir target
  for dir in there here; do
    target=$PWD/$dir/
    [ $dir = here ] || target=demo:$PWD/there/
    echo a much longer content >$dir/keeps
    chmod 640 $dir/keeps
    [ "$(id -u)" != 0 ] || chown 33:33 $dir/keeps
    stat -c '%u:%g %a' $dir/keeps >before
    if [ $dir = there ]; then expect 0 banger ssh cp f ${target}keeps; else expect 0 banger ssh cp "demo:$PWD/f" ${target}keeps; fi
    same "$(cat $dir/keeps)" new
    same "$(stat -c '%u:%g %a' $dir/keeps)" "$(cat before)"
    echo a much longer content >$dir/one
    ln $dir/one $dir/two
    ln -s one $dir/link
    if [ $dir = there ]; then expect 0 banger ssh cp f ${target}link; else expect 0 banger ssh cp "demo:$PWD/f" ${target}link; fi
    [ -L $dir/link ]
    same "$(cat $dir/two)" new
    [ $dir/one -ef $dir/two ]
    echo old and longer >$dir/keeps
    expect 0 banger ssh cp - "demo:$PWD/$dir/keeps" <f
    same "$(cat $dir/keeps) $(stat -c '%u:%g %a' $dir/keeps)" "new $(cat before)"
    ln -s nowhere $dir/dangling
    if [ $dir = there ]; then expect 1 banger ssh cp f ${target}dangling; else expect 1 banger ssh cp "demo:$PWD/f" ${target}dangling; fi
    [ -L $dir/dangling ] && [ ! -e $dir/dangling ]
  done
  # In a tree, too.
  mkdir -p tree/sub
  cp f tree/keeps
  cp f tree/link
  cp f tree/plain
  cp f tree/one
  cp f tree/sub/keeps
  cp f tree/sub/.fresh
  touch -d 2020-01-02 tree/keeps tree/one
  for dir in there here; do
    mkdir $dir/sub
    chmod 711 $dir/sub
    echo old | tee $dir/keeps $dir/sub/keeps $dir/one >$dir/plain
    chmod 640 $dir/sub/keeps
    [ "$(id -u)" != 0 ] || chown 33:33 $dir/sub $dir/sub/keeps
    stat -c '%u:%g %a' $dir/sub >before-sub
    if [ $dir = there ]; then expect 0 banger ssh cp -r tree/. "demo:$PWD/there"; else expect 0 banger ssh cp -r "demo:$PWD/tree/." here; fi
    for target in keeps sub/keeps; do
      same "$(cat $dir/$target) $(stat -c '%u:%g %a' $dir/$target)" "new $(cat before)"
    done
    same "$(stat -c %Y $dir/keeps $dir/one)" "$(stat -c %Y tree/keeps tree/one)"
    same "$(cat $dir/one $dir/plain $dir/sub/.fresh)" $'new\nnew\nnew'
    [ -L $dir/link ] && [ $dir/one -ef $dir/two ]
    same "$(stat -c '%u:%g %a' $dir/sub)" "$(cat before-sub)"
  done
  # Many, of which one is not like the others.
  mkdir many
  touch many/{1..150}
  rm -rf there here
  cp -r many there
  chmod 600 there/70
  ln there/80 other
  for f in many/*; do echo "$f" >"$f"; done
  expect 0 banger ssh cp -r many/. "demo:$PWD/there"
  diff -r many there
  same "$(stat -c %a there/70)" 600
  [ there/80 -ef other ]
  # A name that cannot be copied is told, and a copy that is cut short changes nothing.
  rm many/90 there/91
  mkdir many/90 there/91
  expect 1 banger ssh cp -r many/. "demo:$PWD/there"
  errors "'90': it is not a directory"
  rmdir many/90
  expect 1 banger ssh cp -r many/. "demo:$PWD/there"
  errors "'91': it is a directory"
  same "$(find . -name '.*banger*')" ''
}

@test "what is no regular file is written into, on both sides" {
  start_vm demo
  echo new >f
  mkfifo fifo
  ln -s fifo link
  local to
  for to in fifo link; do
    cat fifo >got 3>&- & local reader=$!
    expect 0 banger ssh cp "demo:$PWD/f" $to
    wait $reader
    same "$(cat got)" new
    cat fifo >got 3>&- & reader=$!
    expect 0 banger ssh cp f "demo:$PWD/$to"
    wait $reader
    same "$(cat got)" new
    cat fifo >got 3>&- & reader=$!
    expect 0 banger ssh cp - "demo:$PWD/$to" <f
    wait $reader
    same "$(cat got)" new
  done
  [ -p fifo ] && [ -L link ]
  { banger ssh cp "demo:$PWD/f" /dev/stdout && echo more; } >out
  same "$(cat out)" $'new\nmore'
  # A tree has no say in it, and takes no such place.
  mkdir tree
  cp f tree/fifo
  expect 1 banger ssh cp -r "demo:$PWD/tree/." .
  errors 'it is no regular file'
  expect 1 banger ssh cp -r tree/. "demo:$PWD"
  errors "'fifo': it is no regular file"
  [ -p fifo ]
  [ "$(id -u)" = 0 ] || return 0
  mknod full c 1 7
  mknod null c 1 3
  expect 1 banger ssh cp "demo:$PWD/f" full
  errors 'no space left on device'
  expect 1 banger ssh cp f "demo:$PWD/full"
  expect 0 banger ssh cp "demo:$PWD/f" null
  expect 0 banger ssh cp f "demo:$PWD/null"
  expect 0 banger ssh cp - "demo:$PWD/null" <f
  [ -c full ] && [ -c null ]
  cat /proc/sys/kernel/panic >panic
  expect 0 banger ssh cp panic demo:/proc/sys/kernel/panic
  expect 0 banger ssh cp "demo:$PWD/panic" /proc/sys/kernel/panic
  cmp panic /proc/sys/kernel/panic
}

@test "nested directories take time for what they are, and a signal ends a copy at once" {
  start_vm demo
  python3 -c '
import os
os.mkdir("deep"); os.chdir("deep")
for i in range(1500): os.mkdir("d"); os.chdir("d")'
  local began=$EPOCHREALTIME
  expect 0 banger ssh cp -r "demo:$PWD/deep" back
  took_at_most 8 "$began"
  began=$EPOCHREALTIME
  expect 0 banger ssh cp -r back "demo:$PWD/there"
  took_at_most 8 "$began"
  same "$(find back | wc -l)" 1501
}
