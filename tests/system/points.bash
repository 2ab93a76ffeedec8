# shellcheck shell=bash disable=SC2034,SC2154 # what the tests and ../lib have in common
# Helpers of the tests that walk failpoints (lib/core/failpoint.h): load after ../lib and vm.

needs_failpoints() {
  banger vm failpoints >/dev/null 2>&1 || skip 'this build has no failpoints'
}

# The set-up that most files need; the others have their own.
setup() {
  vm_root
  needs_failpoints
}

# sampled N ALL: whether a walk that tells less than all of ALL passes of a name takes the Nth. With
# BANGER_TEST_EVERY_POINT it takes each.
sampled() {
  [ -n "${BANGER_TEST_EVERY_POINT:-}" ] || [ "$1" = 1 ] || [ "$1" = "$2" ]
}

# walk PROGRAM PREPARE ACT CHECK LEAST [ends]: a trace of the points that PROGRAM passes in ACT, then
# ACT killed at each of them. PREPARE makes ready for an ACT; CHECK looks at what it left, and is told
# the point; ACT's status is in $status. LEAST points at the least; with `ends` only the first and the
# last of each name. $action is what happens at a point (kill), $only an expression that names match.
walk() {
  local program=$1 prepare=$2 act=$3 check=$4 name point count=0
  rm -f "$root/trace"
  # Once before the trace: what is made only the first time would be points that are not passed again.
  $prepare
  $act
  status=0
  $check whole
  $prepare
  BANGER_FAILPOINT_IN=$program BANGER_FAILPOINT_TRACE=$root/trace $act
  $check whole
  local -A seen=()
  local names
  mapfile -t names <"$root/trace"
  for name in "${names[@]}"; do
    seen[$name]=$((${seen[$name]:-0} + 1))
    point="$name#${seen[$name]}"
    [[ $name =~ ^(${only:-.*})$ ]] || continue
    if [ "${6:-}" = ends ]; then
      sampled "${seen[$name]}" "$(grep -cx "$name" "$root/trace")" || continue
    fi
    echo "$program at $point" # shown when the test fails
    $prepare
    status=0
    BANGER_FAILPOINT_IN=$program BANGER_FAILPOINT="$point:${action:-kill}" \
      $act >"$root/out" 2>&1 || status=$?
    # A verb is what ACT ran; of another program only CHECK can tell.
    case ${action:-kill}:$program in
      kill:banger-monitor | kill:banger-place | kill:banger-helper) ;;
      kill:*) same "$status" 137 ;;
    esac
    $check "$point"
    count=$((count + 1))
  done
  [ "$count" -ge "$5" ]
}

# The calls that change something, and those that tell which process is what.
mutating=execve,mkdir,mkdirat,rename,renameat,renameat2,open,openat,link,linkat,symlink,symlinkat
mutating+=,unlink,unlinkat,rmdir,truncate,ftruncate,fallocate,chmod,fchmod,fchmodat,bind,setsockopt
mutating+=,kill,pidfd_send_signal,clone,clone3,fork,vfork,ioctl,chown,fchown,lchown,fchownat
mutating+=,prctl # by which a keeper (lib/sys/keeper.h) is told: it is another program's process

# walked PROGRAM... -- COMMAND: of each PROGRAM that COMMAND runs, the mutating system calls that strace
# sees are as many as the points it passes. The log and the trace are not walked, nor what SQLite
# opens (it alone does so with those flags): SQLite is atomic by itself. Programs of others (mke2fs, a VMM) have no points.
walked() {
  local programs=() program
  while [ "$1" != -- ]; do programs+=("$1") && shift; done
  shift
  rm -rf "$root/calls" "$root/points"
  mkdir "$root/calls" "$root/points"
  BANGER_FAILPOINT_TRACE=$root/points expect 0 strace -ff -qq -y --seccomp-bpf --pidns-translation \
    -o "$root/calls/of" -e trace="$mutating" -e signal=none "$@"
  by_program
  for program in "${programs[@]}"; do
    echo "$program of $*" # shown when the test fails
    [ -s "$root/calls/$program" ]
    compare_points "$program"
  done
}

# A file a process becomes a file a program. One that executes nothing is a thread, or a child that went
# on as what its parent was.
by_program() {
  local file name parent
  for file in "$root"/calls/of.*; do
    name=$(grep -oE '^execve\("[^"]+"' "$file" | tail -1) || true
    ! grep -q '^prctl(PR_SET_NAME, "banger-keeper")' "$file" || name='"keeper'
    parent=$file
    while [ -z "$name" ]; do
      # In a cell a VMM knows its threads by other numbers.
      parent=$(grep -lE "^(clone3?|v?fork)\(.* = (${parent##*.}|[0-9]+ /\* ${parent##*.} in .*)$" "$root"/calls/of.*)
      name=$(grep -oE '^execve\("[^"]+"' "$parent" | tail -1) || true
    done
    name=${name%\"}
    cat "$file" >>"$root/calls/${name##*/}"
  done
  rm "$root"/calls/of.*
}

compare_points() {
  local log=$root/calls/$1 points=$root/points/$1
  touch "$points" # one that changes nothing passes none
  count() { grep -cx "$1" "$points" 2>/dev/null || true; }
  calls() { # calls CALL [BUT [WITH]]
    grep -E "^($1)\(.*${3:-}" "$log" |
      grep -vE 'state\.db("|>|-wal|-shm)|-journal[">]|O_RDWR\|O_CREAT\|(O_EXCL\|)?O_NOFOLLOW|banger\.jsonl|lifecycle\.jsonl|/points/|state/log[">]' |
      grep -cvE "${2:-^\$}" || true
  }
  same "mkdir $(calls 'mkdir(at)?' EEXIST)" "mkdir $(count sys.mkdir)"
  same "rename $(calls 'rename(at2?|at)?')" "rename $(count sys.rename)"
  same "create $(calls 'open(at)?' 'ENOENT|EEXIST' O_CREAT)" "create $(count sys.create)"
  same "link $(calls '(sym)?link(at)?')" "link $(count sys.link)"
  same "unlink $(calls 'unlink(at)?' AT_REMOVEDIR)" "unlink $(count sys.unlink)"
  same "rmdir $(($(calls rmdir) + $(calls unlinkat '' AT_REMOVEDIR)))" "rmdir $(count sys.rmdir)"
  same "truncate $(calls 'ftruncate|fallocate|truncate')" "truncate $(count sys.truncate)"
  same "chmod $(calls 'f?ch(mod|own)(at)?' '<socket:')" "chmod $(count sys.chmod)"
  # A look whether a port is free binds too, and lets go at once: what stays is a socket with a name,
  # one for datagrams that asks where they came to, and those at port 53 of the bridge.
  same "bind $(($(calls bind '' AF_UNIX) + $(calls setsockopt '' IP_PKTINFO) + $(calls bind '' 'htons\(53\)')))" \
    "bind $(count sys.bind)"
  same "kill $(calls 'pidfd_send_signal|kill')" "kill $(count sys.kill)"
  same "spawn $(calls 'clone3?|v?fork' CLONE_THREAD)" "spawn $(count sys.spawn)"
  same "tap $(calls ioctl '' TUNSETIFF)" "tap $(count sys.tap)"
}
