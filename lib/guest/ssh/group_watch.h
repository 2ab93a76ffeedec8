// The processes of a command in a guest, signalled from here: libssh2 cannot send signals over the
// command's own channel, so a second one on the same session runs a small watch there.
//
// Both OpenSSH and dropbear give all channels of one connection the same parent, so the watch finds
// the command without any part in it: it looks after the sessions of its parent's other
// children. It sends signals to all processes of those sessions when it is told to, and when the
// connection ends without a word it ends them itself (TERM, two seconds later KILL), so that
// nothing survives the process that started it here, whatever that died of. Not reached: a process
// that called setsid to get away, as daemons do, or that a shell left behind which ended before the
// watch began.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "guest/ssh/channel.h"

namespace banger::guest {

class GroupWatch {
public:
  explicit GroupWatch(Session& session);
  // The watch itself, for a shell: it takes words on its standard input.
  static std::string command();

  // Each round: opens it, sends what it was told, takes what it says.
  void advance();
  // Sends a signal by its name: "INT", "TERM", "KILL".
  void signal(std::string_view name);
  // Kills what is left if the command itself, its first process, has ended.
  void check();
  // Ends the watch: after killing all that is left, or leaving it alone.
  void end(bool kill);
  // It has ended as far as can be told, or the guest would not have it.
  bool ended() const { return ended_; }

private:
  std::optional<Channel> channel_;
  std::string unsent_;
  bool mute_ = false, told_ = false, ended_ = false;
};

} // namespace banger::guest
