// One channel of a session: a command, a shell, or a connection that the guest makes. Nothing here
// blocks; the owner of channels moves them in rounds (guest/ssh/session.h):
//
//   session.begin_round(); each channel: advance(), read, write; session.flush(); poll
//
// Any number may live on one session; libssh2 opens them one after another. A channel must not
// outlive its session. The channel's window bounds the bytes that a guest may send unread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "guest/ssh/session.h"

namespace banger::guest {

class Channel {
public:
  enum class Output { out, err };

  // A command for the user's shell, or without one the shell itself; on a terminal if one is asked
  // for.
  static Channel command(Session& session, const std::optional<std::string>& command,
                         const std::optional<TerminalRequest>& terminal = {});
  // A connection from the guest to host:port; its window is small, so that there can be many.
  static Channel connection(Session& session, const std::string& host, int port);

  // Only opened, nothing is run: an owner without any other reads from it, so that it hears what
  // the guest says to the session, its end included.
  static Channel idle(Session& session);

  // Goes on with opening; true once it is open. Throws Error(failed) when the guest refuses, or
  // closes the channel without an answer (is_unanswered).
  bool advance();
  bool is_open() const;
  // Whether the guest has been asked to start it: from then on send_eof and write may be called.
  bool is_asked() const;
  // Dropbear before 2024.86 (the version that Debian 12 has) closes a channel in which nothing runs
  // yet when another command of the connection ends. The command asked for then starts all the same
  // and gets its input, and nothing is heard of it.
  bool is_unanswered() const;

  // Bytes that are there now, at most buffer.size(); 0 for none. Throws Error(unreachable).
  size_t read(Output which, std::span<char> buffer);
  // How many of these bytes were taken: none while the guest does not read.
  size_t write(std::string_view bytes);
  // No more input; true once that is said.
  bool send_eof();
  void resize(const TerminalSize& size);

  // The guest sends no more (what it sent before has been read). Ask only when read gave nothing.
  bool ended() const;
  // The guest has closed it. Ask only when read gave nothing.
  bool closed();
  // The status that a closed command ended with: 128+n for signal n.
  int status();
  // Closes this side; true once the guest has, and the channel is gone. Call it each round until
  // then.
  bool close();

  Channel(Channel&&) noexcept;
  Channel& operator=(Channel&&) noexcept;
  ~Channel();

private:
  struct Impl;
  explicit Channel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace banger::guest
