#include "guest/ssh/group_watch.h"

#include <array>

#include "core/error.h"
#include "core/text.h"

namespace banger::guest {

namespace {

// For any POSIX shell. In /proc/PID/stat after the name: state, parent, group, session. Where a
// command has a process group of its own, that gets signals at once, as from a terminal; dropbear's
// commands are in the group and session of the connection, which the watch is in as well: it knows
// them by itself, even if the connection is gone before it has looked at anything.
//
// A watch that begins when the connection has gone is the child of init, or of another process that
// takes up orphans: that one's children are the services of the guest, and none of the command's.
// Its parent is the connection if that leads its session, as dropbear's does, or has the name of a
// server. A session is the command's if the command leads it, or the connection does or did.
constexpr std::string_view script = R"sh(
p=$PPID s=' '
look() {
  l=
  { read -r l <"/proc/$1/stat"; } 2>/dev/null || return 1
  set -- ${l##*) }
  z=$1 a=$2 g=$3 i=$4
}
kin() {
  k=1
  for d in /proc/[0-9]*; do
    n=${d#/proc/}
    [ "$n" = $$ ] || ! look "$n" || [ "$a" != "$p" ] || [ "$z" = Z ] && continue
    k=0
    [ "$i" != "$n" ] && [ "$i" != "$p" ] || s="$s$i "
  done
  return $k
}
hit() {
  found=1 seen=" $own "
  for d in /proc/[0-9]*; do
    n=${d#/proc/}
    [ "$n" = $$ ] || [ "$n" = "$p" ] || ! look "$n" || [ "$z" = Z ] && continue
    case $s in *" $i "*) ;; *) [ "$a" = "$p" ] || continue ;; esac
    found=0
    if [ "$g" = "$own" ]; then
      kill -"$1" "$n" 2>/dev/null
      continue
    fi
    case $seen in *" $g "*) continue ;; esac
    seen="$seen$g "
    kill -"$1" "-$g" 2>/dev/null
  done
  return $found
}
sweep() {
  t=0
  while [ $t -lt 50 ] && hit KILL; do t=$((t + 1)); done
}
look $$ && own=$g mine=$i
if [ "$p" -gt 1 ] && [ "$mine" = "$p" ]; then
  s="$s$mine "
elif [ "$p" -gt 1 ] && look "$p" && case $l in *'('*ssh*')'* | *'('*dropbear*')'*) ;; *) false ;; esac; then
  :
else
  p=none
  [ "$mine" = $$ ] || [ "$mine" = 0 ] || look "$mine" || s="$s$mine "
fi
kin
while read -r w; do
  case $w in
    leave) exit 0 ;;
    sweep) sweep; exit 0 ;;
    check) kin || sweep ;;
    *) hit "$w" ;;
  esac
done
hit TERM && sleep 1 && hit 0 && sleep 1
sweep
)sh";

} // namespace

std::string GroupWatch::command() { return fmt::format("exec /bin/sh -c {}", shell_quote(script)); }

GroupWatch::GroupWatch(Session& session) : channel_(Channel::command(session, command())) {}

void GroupWatch::advance() {
  if (ended_) return;
  bool open = false;
  try {
    open = !mute_ && channel_->advance();
  } catch (const Error&) {
    mute_ = channel_->is_unanswered(); // it runs and listens
    ended_ = !mute_;                   // a guest that allows one command at a time
  }
  if (!open && !mute_) return;
  unsent_.erase(0, channel_->write(unsent_));
  if (mute_) {
    ended_ = told_ && unsent_.empty();
    return;
  }
  std::array<char, 512> dropped;
  bool some = false;
  for (auto which : {Channel::Output::out, Channel::Output::err})
    some |= channel_->read(which, dropped) > 0;
  if (!some && channel_->closed()) ended_ = true;
}

void GroupWatch::signal(std::string_view name) { unsent_ += fmt::format("{}\n", name); }

void GroupWatch::check() {
  if (unsent_.empty()) unsent_ = "check\n";
}

void GroupWatch::end(bool kill) {
  told_ = true;
  unsent_ += kill ? "sweep\n" : "leave\n";
}

} // namespace banger::guest
