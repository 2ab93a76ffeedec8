// An ssh session with a guest. guest/session.cc is the only file that sees libssh2.
//
// Guarantees: the server must own the pinned host key, there is no trust on first use; the user is
// authenticated by the state's ed25519 key; nothing blocks beyond its deadline; memory is bounded
// whatever the guest sends (32 MiB for the protocol, 64 KiB for each stream).
// Not guaranteed: a guest that closes a command's channel without any status counts as 0 (libssh2
// does not tell the difference; servers do send one).
//
// Order: open (or connect), run one command, destroy. Not thread safe.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/error.h"
#include "core/handle.h"
#include "guest/endpoint.h"
#include "guest/protocol.h"

namespace banger::guest {

// Descriptors on this side; -1: no input, output dropped. They stay the caller's.
struct Streams {
  int in = -1, out = -1, err = -1;
  size_t keep = 0; // of each output stream the last bytes in Outcome::tail
};

struct Outcome {
  int status = 0;   // the command's exit status; 128+n where signal n ended it
  std::string tail; // standard output, then standard error
};

class Session {
public:
  // Why a session did not come about: how far it got, and the rest for people.
  struct Failure {
    Stage stage = Stage::connecting;
    std::string detail;
    // unreachable for what may yet come, failed for refused and mismatch.
    Error error(const Endpoint& endpoint) const;
  };
  // Called when the banner came (with it) and when the host key was found to be the pinned one.
  using OnStage = std::function<void(Stage stage, std::string_view detail)>;

  // On a connected socket. Throws Error only for what is wrong on this side (the key file).
  static std::expected<Session, Failure>
  open(Fd socket, const Endpoint& endpoint, const Deadline& deadline, const OnStage& on_stage = {});
  // Connects once. Throws the Failure as an Error.
  static Session connect(const Endpoint& endpoint, const Deadline& deadline);

  // Runs `command` in the user's shell there and moves all three streams, in both directions at
  // once, until the guest closes. Standard input is closed there when it ends here; what a command
  // does not read is dropped. Throws Error(unreachable) when the connection is lost, Error(timeout)
  // at the deadline, Error(failed) when this side's output cannot be written.
  Outcome run(const std::string& command, const Streams& streams, const Deadline& deadline);

  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace banger::guest
