// An ssh session with a guest. libssh2 is seen by guest/ssh/session_impl.h alone and by what
// includes it: session.cc and channel.cc.
//
// Guarantees: the server must own the pinned host key, there is no trust on first use; the user is
// authenticated by the state's ed25519 key; nothing blocks beyond its deadline; memory is bounded
// whatever the guest sends (32 MiB for the protocol, 64 KiB for each stream).
// Not guaranteed: a guest that closes a command's channel without any status counts as 0 (libssh2
// does not tell the difference; servers do send one).
//
// Order: open (or connect), then run one command, or move channels (guest/ssh/channel.h); destroy.
// Not thread safe.
#pragma once

#include <array>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <poll.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/handle.h"
#include "core/units.h"
#include "guest/boot/protocol.h"
#include "guest/identity/endpoint.h"

namespace banger::guest {

// A signal came (sys/signals.h): to be unwound to where the signals are let go, where it takes
// effect.
struct Interrupted : Error {
  Interrupted() : Error(Code::failed, "interrupted") {}
};

struct TerminalSize {
  int columns = 80, rows = 24;
  bool operator==(const TerminalSize&) const = default;
};

struct TerminalRequest {
  std::string type; // TERM
  TerminalSize size;
};

// Descriptors on this side; -1: no input, output dropped. They stay the caller's.
struct Streams {
  int in = -1, out = -1, err = -1;
  size_t keep = 0;  // of each output stream the last bytes in Outcome::tail
  int signals = -1; // of sys/signals.h: a signal there is for the command
  // A terminal there for the one that `in` is here (made raw by the caller).
  std::optional<TerminalRequest> terminal = {};
};

struct Outcome {
  int status = 0;   // the command's exit status; 128+n where signal n ended it
  std::string tail; // standard output, then standard error
};

// Other ends of a session than the connection's: no packet says that a machine was killed.
struct SessionEnds {
  // A descriptor that becomes readable when the guest's machine has gone (a pidfd of its VMM).
  // Output from before can still be read; the session is lost within a second.
  Fd peer = {};
  // A signal there (sys/signals.h) throws Interrupted while the session is being made.
  int signals = -1;
};

// Throws Error(failed) for a command that is too long to be run on a terminal (Session::run).
void check_terminal_command(const std::string& command);

class Session {
public:
  // Why a session did not come about: how far it got, and the rest for people.
  struct Failure {
    Stage stage = Stage::connecting;
    std::string detail;
    // unreachable for a guest that may yet come, failed for refused and mismatch.
    Error error(const Endpoint& endpoint) const;
  };
  // Called when the banner came (with it) and when the host key was found to be the pinned one.
  using OnStage = std::function<void(Stage stage, std::string_view detail)>;

  // On a connected socket. Throws Error only for a fault on this side (the key file).
  static std::expected<Session, Failure> open(Fd socket, const Endpoint& endpoint,
                                              const Deadline& deadline,
                                              const OnStage& on_stage = {}, SessionEnds ends = {});
  // Throws the Failure as an Error. Servers turn connections away while many are logging in
  // (dropbear from the sixth of one address, OpenSSH by MaxStartups): one that is closed before the
  // handshake was done is begun anew for as long as `patience`.
  // `ends` is for the whole of the session's life.
  static Session connect(const Endpoint& endpoint, const Deadline& deadline,
                         Millis patience = Millis(0), SessionEnds ends = {});

  // Runs `command` in the user's shell there and moves all three streams, in both directions at
  // once, until the guest closes. Standard input is closed there when it ends here; input that a
  // command does not read is dropped. Throws Error(unreachable) when the connection is lost,
  // Error(timeout) at the deadline, Error(failed) when this side's output cannot be written.
  //
  // A signal goes to the command's processes (guest/ssh/group_watch.h); when they have not
  // ended 5 s later, or at a second one, they are killed, and nothing of them stays behind when
  // this returns. A guest that does not answer even then, or says nothing within a second (a
  // slow one up to three), is left: the status is then 128+n. With a terminal WINCH tells the
  // guest the new size, and any other signal ends the connection at once, which hangs the
  // command up; "~." at the beginning of a line leaves with status 255. Without a command it is
  // the user's shell.
  //
  // A command of more than 8000 bytes, which servers refuse, goes to a shell there through its
  // input, before what `streams` has. Error(failed) for one on a terminal, and for one of more than
  // 131,000 bytes, which Linux takes for no argument.
  Outcome run(const std::optional<std::string>& command, const Streams& streams,
              const Deadline& deadline);

  // For loops that move channels: begin_round; the channels' turns; flush; poll on poll_for.
  // In any channel's turn libssh2 takes bytes for all of them: when heard() says that something
  // came in this round, it may be for one whose turn was over, and poll knows nothing of it. Then
  // another round is due at once.
  void begin_round();
  void flush();
  bool heard() const;
  // The descriptors to wait for: the connection, and the end of the guest's machine. They are -1
  // once there is nothing to wait for.
  std::array<pollfd, 2> poll_for(bool reading) const;
  // Asks the guest's server for any answer; heard_bytes() grows when it gives one.
  void ask_for_answer();
  uint64_t heard_bytes() const;
  bool gone() const;
  Error lost() const; // what to throw then: Error(unreachable)
  std::string where() const;
  // How long handshake and login took: a measure of how slow the guest is.
  std::chrono::milliseconds login_time() const;
  // Says goodbye; nothing may be asked of it after that.
  void leave();

  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

private:
  friend class Channel;
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace banger::guest
