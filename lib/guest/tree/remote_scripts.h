// The scripts that run in a guest for guest/tree/remote_copy.h: for any POSIX shell.
#pragma once

#include <string_view>

namespace banger::guest::scripts {

// dropbear takes no command of more than 9000 bytes, quotes and paths included.
//
// Before each script: says why not and gives a status that tells what kind of failure it is.
constexpr std::string_view common = R"sh(
say() { printf '%s%s\n' "${shown-}" "$2" >&2; exit "$1"; }
own() { # $1 made a path that no program takes for an option, without slashes at its end
  own=$1 slash=
  case $own in '') own=. ;; esac
  case $own in /*) ;; *) own=./$own ;; esac
  case $own in */ | */. | */..) slash=1 ;; esac
  while :; do
    case $own in ?*/) own=${own%/} ;; *) break ;; esac
  done
}
readable() {
  [ ! -d "$1" ] || say 102 'it is a directory'
  [ -e "$1" ] || say 103 'no such file or directory'
  [ -r "$1" ] || say 1 'permission denied'
}
# TYPE is one of the kernel's own file systems: its files are what the kernel tells.
of_kernel() {
  case $1 in
    proc | sysfs | cgroup | cgroup2 | debugfs | tracefs | securityfs | configfs | bpf | pstore | \
      binfmt_misc | fusectl | selinuxfs | smackfs | resctrl | fuse.lxcfs) return 0 ;;
  esac
  return 1
}
# The working directory is in one of the kernel's own file systems. If it is not, `apart` is those
# that are mounted below it, a line each.
in_kernel() {
  here=$(pwd -P) deepest= of= apart=
  here=${here%/}/
  while read -r from place type rest; do
    case $place in
      *\\012*) continue ;; # a line end in its name
      *\\*)
        place=$(printf '%b.' "$(printf %s "$place" | sed 's/\\/\\0/g')")
        place=${place%.}
        ;;
    esac
    case $here in "${place%/}"/*)
      [ ${#place} -lt ${#deepest} ] || { deepest=$place of=$type; }
      ;;
    esac
    case $place in "$here"?*) ! of_kernel "$type" || apart="$apart${place#"$here"}
" ;; esac
  done 2>/dev/null </proc/mounts
  of_kernel "$of"
}
how=old
quiet='--warning=no-timestamp --warning=no-unknown-keyword' # pax's mark of a name that is no UTF-8
tars() {
  LC_ALL=C # names are bytes
  export LC_ALL
  command -v tar >/dev/null || say 105 'there is no tar in the guest'
  case $(tar --version 2>/dev/null) in *'GNU tar'*) how=gnu ;; esac
}
)sh";

// Before the scripts that write.
constexpr std::string_view placing = R"sh(
free() { # DIRECTORY: its file system's free KiB; nothing where that is not told
  set -- $(df -Pk "$1" 2>/dev/null | tail -n 1)
  case ${4-} in *[!0-9]*) ;; *) printf %s "${4-}" ;; esac
}
# GNU tar calls a full disk a short write.
unpack() { # DIRECTORY OPTIONS
  d=$1
  shift
  tar -x -p -f - -C "$d" "$@" && return
  left=$(free "$d")
  [ "${left:-64}" -ge 64 ] || say 1 'no space left on device'
  exit 1
}
# How a file comes to $1, which is no directory: `way` is fresh where nothing is, keep for a file
# that stays what it is but for its content, and into for what is only written into: a device, a
# FIFO, and a file in which nothing is lost by that, empty or one of /proc or /sys.
look() {
  way=fresh
  [ ! -L "$1" ] || [ -e "$1" ] || say 1 'it is a link that leads nowhere'
  [ -e "$1" ] || return 0
  [ ! -S "$1" ] || say 1 'it is a socket'
  way=into
  [ -f "$1" ] && [ -s "$1" ] || return 0
  set -- $(du -k "$1")
  [ "$1" = 0 ] || way=keep
}
# Gives file NEW the place of file OLD, which keeps its owner, group and permissions; where a rename
# would lose more than that, its other names or its access list, OLD gets the content.
put() { # NEW OLD
  new=$1 old=$2
  set -- $(ls -ldn "$old")
  case $1:$2 in
    *+:*) ;;
    *:1)
      mode=$(printf %s "$1" | sed 's/^.\(...\)\(...\)\(...\).*/u=\1,g=\2,o=\3/
s/s/xs/g;s/S/s/g;s/t/xt/g;s/T/t/g;s/-//g')
      chown "$3:$4" "$new" && chmod "$mode" "$new" && mv -f "$new" "$old" 2>/dev/null && return
      ;;
  esac
  set -- $(du -k "$new")
  left=$(free "$old")
  [ "$1" -le "${left:-$1}" ] || say 1 'no space left on device'
  cat "$new" >"$old" && touch -r "$new" "$old"
}
# Brings what is in the working directory into directory $1, as cp -r would: a directory that is
# there stays as it is, and a file that is there what it is, but for its content. A tree writes into
# nothing that is no file.
merge() { # DIRECTORY BELOW: BELOW is where in the tree this is
  into=$1 below=$2
  set --
  for f in * .[!.]* ..?*; do
    there=$into/$f shown="'$below$f': "
    if [ ! -e "$there" ] && [ ! -L "$there" ]; then
      [ -e "$f" ] || [ -L "$f" ] || continue
      set -- "$@" "./$f"
      if [ $# -ge 128 ]; then mv -f "$@" "$into/" || exit 1; set --; fi
    elif [ -d "$f" ] && [ ! -L "$f" ]; then
      [ -d "$there" ] || say 1 'it is not a directory'
      (cd "./$f" && merge "$there" "$below$f/") || exit
    elif [ -d "$there" ] && { [ ! -L "$there" ] || [ ! -L "$f" ]; }; then
      say 1 'it is a directory'
    elif [ -e "$there" ] && [ ! -f "$there" ] && [ ! -d "$there" ]; then
      say 1 'it is no regular file'
    fi
  done
  shown=
  [ $# = 0 ] || mv -f "$@" "$into/" || exit 1
  set --
  for f in * .[!.]* ..?*; do # those that are in both
    [ -e "$f" ] || [ -L "$f" ] || continue
    [ -L "$f" ] || [ ! -d "$f" ] || continue
    set -- "$@" "./$f"
    if [ $# -ge 16 ]; then settle "$@"; set --; fi
  done
  [ $# = 0 ] || settle "$@"
}
same() { # NAME...: a rename loses nothing of any of them
  facts=$(stat -c '%h %f %u %g' "$@" 2>/dev/null) || return
  [ "$facts" = "$(cd "$into" && stat -c '%h %f %u %g' "$@")" ] || return
  case "
$facts" in *'
'[!1]* | *'
1'[!\ ]*) return 1 ;; esac
  case $(cd "$into" && ls -ldn "$@") in *+\ *) return 1 ;; esac # an access list
}
settle() { # NAME...
  if same "$@"; then mv -f "$@" "$into/" || exit 1; return; fi
  for f; do
    there=$into/${f#./}
    if [ -L "$f" ]; then mv -f "$f" "$into/" || exit 1; continue; fi
    shown="'$below${f#./}': "
    look "$there"
    [ ! -L "$there" ] || way=into
    case $way in
      keep) put "$f" "$there" || exit 1 ;;
      into) cat "$f" >"$there" || exit 1; touch -r "$f" "$there" 2>/dev/null ;;
    esac
    shown=
  done
}
)sh";

// PATH DEEP MARK
constexpr std::string_view send = R"sh(
# Its size may not be what can be read of it, so that tar would give something else: it has none, or
# no blocks, and is no large file of holes; and it is not truly empty.
doubted() {
  if [ -s "$1" ]; then
    set -- "$1" $(du -kL "$1")
    [ "${2:-1}" = 0 ] && [ -n "$(find "$1" -follow -size -16777217c)" ]
  else
    [ "$({ cat "$1" 2>/dev/null && printf .; } | wc -c)" -ne 1 ]
  fi
}
# All below the working directory, as guest/tree/kernel_tree.h takes it; in the end what was said.
list() {
  LC_ALL=C QUOTING_STYLE=literal
  export LC_ALL QUOTING_STYLE
  exec 3>&1
  why=$({
    find . -type d -exec stat -c 'd %a %Y %n' {} +
    find . -type l -exec stat -c 'l 777 %Y %n
%N' {} +
    find . -type f -exec stat -c 'f %a %Y %n' {} +
  } 2>&1 >&3)
  [ -z "$why" ] || printf '%s\n' "$why" | sed 's/^/e /'
}
own "$1"
if [ -L "$own" ] && [ -n "$2" ] && [ -z "$slash" ]; then kind=link
elif [ -d "$own" ]; then kind=directory
  [ -n "$2" ] || say 101 'it is a directory'
elif [ -f "$own" ]; then kind=file
  [ -z "$slash" ] || say 1 'not a directory'
elif [ -e "$own" ]; then say 1 'it is no regular file'
else say 103 'no such file or directory'
fi
if [ $kind = directory ]; then
  cd "$own" || exit 1
  if in_kernel; then
    printf '\n%s kernel directory\n' "$3"
    list
    exit
  fi
fi
tars
if [ $kind = directory ]; then
  name=. follow=
else
  cd "${own%/*}/" || exit 1
  name=./${own##*/} follow=
  [ $kind = link ] || follow=-h
fi
if [ $kind = file ] && doubted "$name"; then
  set -- "$3" $(stat -L -c '%a %Y' "$name" 2>/dev/null)
  printf '\n%s cat:%s:%s file\n' "$1" "${2:-644}" "${3:-0}"
  exec cat "$name"
fi
shape=$how
[ -z "${apart-}" ] || shape=$how:$(printf %s "$apart" | grep -c '')
printf '\n%s %s %s\n%s' "$3" $shape $kind "${apart-}"
if [ $how = gnu ]; then
  # What is excluded are patterns. The directories themselves come.
  exec tar -c -f - --format=posix --sparse --sparse-version=1.0 \
    --pax-option=delete=atime,delete=ctime --warning=no-file-changed --warning=no-file-removed \
    $follow -X - -- "$name" <<END
$(printf %s "${apart-}" | sed 's/[][*?\\]/\\&/g; s,.*,./&/*,')
END
fi
[ -n "${apart-}" ] || exec tar -c -f - $follow "$name"
# busybox's tar excludes nothing. So first come the directories that have such a place in them, the
# places, and then all else, as one tar: without the two blocks of zeros that end the first.
line='
' places=$line ways=$line.$line
while IFS= read -r place; do
  up=$place inside=
  while case $up in */*) ;; *) false ;; esac; do
    up=${up%/*}
    case $places in *"$line./$up$line"*) inside=1 ;; esac
  done
  [ -z "$inside" ] || continue
  places=$places./$place$line up=$place
  while case $up in */*) ;; *) false ;; esac; do
    up=${up%/*}
    case $ways in *"$line./$up$line"*) ;; *) ways=$ways./$up$line ;; esac
  done
done <<END
${apart%"$line"}
END
set -f
IFS=$line
set -- $ways $places
set +f
unset IFS
bare() { tar -c -f - --no-recursion "$@"; }
size=$(bare "$@" | wc -c)
bare "$@" | head -c $((size - 1024)) || exit
set --
ways=${ways%"$line"}
while IFS= read -r way; do
  for f in "$way"/* "$way"/.[!.]* "$way"/..?*; do
    case $places$ways$line in *"$line$f$line"*) continue ;; esac
    [ ! -e "$f" ] && [ ! -L "$f" ] || set -- "$@" "$f"
  done
done <<END
${ways#"$line"}
END
if [ $# -gt 0 ]; then exec tar -c -f - "$@"; fi
head -c 1024 /dev/zero
)sh";

// PATH KIND NAME INTO MARK
constexpr std::string_view receive = R"sh(
own "$1"
to=$own
if [ -d "$own" ]; then
  [ "$3" = . ] || to=${own%/}/$3
else
  [ -z "$4" ] || say 1 'not a directory'
  [ -z "$slash" ] || [ "$2" = directory ] || say 1 'not a directory'
fi
if [ -L "$to" ] && [ -f "$to" ] && [ "$2" = file ]; then to=$(readlink -f "$to"); fi
tars
way=fresh
if [ ! -d "$to" ] && [ "$2" = file ]; then look "$to"
elif [ "$2" = link ] && [ -e "$to" ] && [ ! -L "$to" ] && [ ! -f "$to" ] && [ ! -d "$to" ]; then
  say 1 'it is no regular file'
fi
if [ $way = into ]; then
  printf '\n%s old into\n' "$5"
  tar -x -O -f - data >"$to" && exit
  [ ! -f "$to" ] || : >"$to"
  exit 1
fi
if [ -d "$to" ]; then
  [ "$2" = directory ] || say 1 'it is a directory'
  way=merge
  to=$(cd "$to" && pwd && printf .) || exit 1
  to=${to%??}
fi
[ "$2" != directory ] || [ -d "$to" ] || [ ! -e "$to" ] || say 1 'it is not a directory'
dir=${to%/*}/
[ $way != merge ] || dir=${to%/}/
[ -d "$dir" ] || say 103 'no such directory'
tmp=$(mktemp -d "$dir.banger-XXXXXX" 2>&1) || say 1 "$dir: ${tmp##*: }"
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT PIPE TERM
printf '\n%s %s fresh\n' "$5" $how
if [ $how = gnu ]; then
  unpack "$tmp" --numeric-owner $quiet
else
  unpack "$tmp"
fi
[ -e "$tmp/end" ] || say 1 'the copy was cut short'
case $way in
  merge) cd "$tmp/data" && merge "${to%/}" '' ;;
  keep) put "$tmp/data" "$to" ;;
  *) mv -f "$tmp/data" "$to" ;;
esac
)sh";

// PATH MARK; the input ends with MARK, which no connection that is cut leaves behind; but not for a
// target that is no file, where all is written at once.
constexpr std::string_view write = R"sh(
own "$1"
to=$own
[ ! -d "$to" ] || say 1 'it is a directory'
[ -z "$slash" ] || say 1 'not a directory'
[ ! -L "$to" ] || [ ! -f "$to" ] || to=$(readlink -f "$to")
dir=${to%/*}/
[ -d "$dir" ] || say 103 'no such directory'
look "$to"
if [ $way = into ] && [ ! -f "$to" ]; then
  printf '\n%s old into\n' "$2"
  exec cat >"$to"
fi
beside=$dir.banger-
[ $way != into ] || beside=${TMPDIR:-/tmp}/tmp.
tmp=$(mktemp "${beside}XXXXXX" 2>&1) || say 1 "${beside%/*}/: ${tmp##*: }"
trap 'rm -f "$tmp"' EXIT
trap 'exit 1' HUP INT PIPE TERM
printf '\n%s old fresh\n' "$2"
cat >"$tmp" || exit 1
size=$(wc -c <"$tmp")
[ "$(tail -c ${#2} "$tmp")" = "$2" ] || say 1 'the copy was cut short'
dd of="$tmp" bs=1 seek=$((size - ${#2})) count=0 2>/dev/null </dev/null || exit 1
case $way in
  into) cat "$tmp" >"$to" ;;
  keep) put "$tmp" "$to" ;;
  *) chmod "$(printf %03o $((0666 & ~0$(umask))))" "$tmp" && mv -f "$tmp" "$to" ;;
esac
)sh";

// PATH MARK; each line of what comes is the path of a file below PATH, as printf's %b takes it,
// that tar gave as if nothing were in it. The script answers at the end with the numbers (from 0
// on) of those that have something, or cannot be read.
constexpr std::string_view check = R"sh(
own "$1"
cd "$own" || exit 1
printf '\n%s old list\n' "$2"
first=0 bad=
silent() { [ "$({ cat "$@" 2>/dev/null && printf .; } | wc -c)" -eq 1 ]; }
look() {
  [ $# -gt 0 ] || return
  if silent "$@"; then
    first=$((first + $#))
  else
    for p; do
      silent "$p" || bad="$bad $first"
      first=$((first + 1))
    done
  fi
}
set --
while IFS= read -r p; do
  case $p in *\\*) p=$(printf '%b.' "$p") p=${p%.} ;; esac
  set -- "$@" "./$p"
  [ $# -lt 64 ] || { look "$@" && set --; }
done
look "$@"
for n in $bad; do
  printf '%s\n' "$n"
done
)sh";

// PATH MARK; the input is pairs of lines: a word, and the path of a file below PATH, as printf's %b
// takes it. The output is the file's content and then the word, between line ends. A word that
// comes so stands in no file of /proc, as one on a command line does.
constexpr std::string_view read_below = R"sh(
own "$1"
cd "$own" || exit 1
printf '\n%s old files\n' "$2"
while IFS= read -r word && IFS= read -r p; do
  case $p in *\\*) p=$(printf '%b.' "$p") p=${p%.} ;; esac
  readable "./$p"
  cat "./$p" || exit
  printf '\n%s\n' "$word"
done
)sh";

// PATH MARK MOST; the input is a word, a number, and so many paths below PATH, each on a line, and
// again. The output is what can be read of those files, at most MOST of each, as head tells several
// apart, and then the word, and why not all could be read: "waits" where nothing comes of one.
constexpr std::string_view read_kernel = R"sh(
own "$1"
most=$3
cd "$own" || exit 1
LC_ALL=C
export LC_ALL
printf '\n%s old files\n' "$2"
exec 3>&1
while IFS= read -r word && IFS= read -r n; do
  set --
  while [ $# -lt "$n" ] && IFS= read -r p; do set -- "$@" "./$p"; done
  patience=2
  [ "$n" = 1 ] || patience=5
  why=$(timeout $patience head -c "$most" "$@" 2>&1 >&3 3>&- </dev/null)
  case $?:$why in
    0:*) why= ;;
    124:* | 143:*) why=waits ;;
    *:?*) why=$(printf %s "$why" | tr '\n' ' ') ;;
    *) why='it cannot be read' ;;
  esac
  printf '\n%s %s\n' "$word" "$why"
done
)sh";

// PATH MARK
constexpr std::string_view read = R"sh(
own "$1"
[ -d "$own" ] || [ ! -e "$own" ] || [ -z "$slash" ] || say 1 'not a directory'
readable "$own"
printf '\n%s old file\n' "$2"
exec cat "$own"
)sh";

} // namespace banger::guest::scripts
