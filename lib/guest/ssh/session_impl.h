// The parts of libssh2 that session.cc and channel.cc share; no other file sees it.
#pragma once

#include <optional>
#include <string>

#include <libssh2.h>

#include "core/units.h"
#include "guest/identity/keys.h"
#include "guest/ssh/session.h"
#include "guest/ssh/transport.h"

namespace banger::guest {

// The data that libssh2's callbacks get.
struct SshContext {
  Transport transport;
  KeyPair key;
  size_t allocated = 0;
};

struct Session::Impl {
  Endpoint endpoint;
  SshContext context;
  LIBSSH2_SESSION* ssh = nullptr;
  Millis login{0};               // how long handshake and login took
  const void* opening = nullptr; // the channel that is being opened: libssh2 opens one at a time

  SessionEnds ends;
  std::optional<SteadyTime> peer_ended; // when that was seen

  Impl(Fd socket, const Endpoint& e, SessionEnds what_ends);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void prefer(int method, const char* names);
  std::string last_error() {
    char* text = nullptr;
    libssh2_session_last_error(ssh, &text, nullptr, 0);
    return text ? text : "unknown error";
  }
  std::string how_gone() const {
    if (peer_ended) return "the VM has ended";
    return context.transport.error()
               ? Error::from_errno(context.transport.error(), "connection lost").message()
               : "the guest closed the connection";
  }
  std::string where() const { return fmt::format("{}:{}", endpoint.address, endpoint.port); }

  void begin_round();
  // False when the deadline passed. Throws Interrupted.
  bool wait(const Deadline& deadline) const;

  enum class Wait { done, gone, late };
  // Calls `step` until it has something to say (not EAGAIN), `seen` after each.
  template <typename Step, typename Seen>
  Wait drive(int& result, const Deadline& deadline, Step step, Seen seen) {
    for (;;) {
      begin_round();
      result = step();
      context.transport.flush();
      seen();
      if (result != LIBSSH2_ERROR_EAGAIN) return Wait::done;
      if (context.transport.gone()) return Wait::gone;
      if (deadline.has_passed() || !wait(deadline)) return Wait::late;
    }
  }
  std::optional<Failure> handshake(const Deadline& deadline, const OnStage& on_stage);
  std::optional<Failure> log_in(const Deadline& deadline);
  Error lost() const {
    return Error(Code::unreachable,
                 fmt::format("lost the connection to {}: {}", where(), how_gone()));
  }
};

} // namespace banger::guest
