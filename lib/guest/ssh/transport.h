// One TCP connection to a guest, never blocking: arriving bytes are taken in portions, sent ones
// are taken whole and go out as the peer reads. libssh2 stands on it (guest/ssh/session.cc),
// because its own sends, cut short by a slow peer, must be finished before anything else is asked
// of it; here none is ever cut short.
//
// Bounds: one round (begin_round) hands out at most 256 KiB, so that a guest that never stops
// sending cannot keep the caller; the caller sends only while pending() is small.
#pragma once

#include <string>

#include <sys/types.h>

#include "core/clock.h"
#include "core/handle.h"

namespace banger::guest {

// A socket on its way to address:port: `error` is 0 when it is there already, EINPROGRESS, or why
// it failed at once. Once poll says writable, connect_error has the outcome, 0 or an errno. Throws
// Error(usage) for an address that is none, Error(failed) where the host has no socket left.
struct Connecting {
  Fd socket;
  int error = 0;
};
Connecting begin_connect(const std::string& address, int port);
int connect_error(int socket);

class Transport {
public:
  // Takes a connected socket.
  explicit Transport(Fd socket);

  void begin_round() { budget_ = round_size; }
  // Whether something came in this round.
  bool heard() const { return budget_ != round_size; }
  // Bytes, or -EAGAIN: nothing there, the round is over, or the peer is gone (gone() tells).
  ssize_t receive(void* buffer, size_t size);
  // Takes all of it.
  ssize_t send(const void* data, size_t size);
  // Sends what the socket takes now.
  void flush();
  size_t pending() const { return outgoing_.size() - sent_; }

  // The peer closed or broke the connection; all that came before has been handed out.
  bool gone() const { return gone_; }
  // The errno that broke it; 0 where it was closed in order.
  int error() const { return error_; }
  // From now on nothing is sent or received: for tearing down what stands on it.
  void abandon();
  // The peer has gone, though nothing came that says so.
  void cut() { gone_ = true; }

  uint64_t received() const { return received_; }
  // The first line that came: the ssh banner, at most 255 bytes, as the peer wrote it.
  std::string first_line() const;
  int fd() const { return socket_.get(); }
  // The events to poll for.
  short events(bool reading) const;
  // Waits for the socket alone. False when the deadline passed.
  bool wait(const Deadline& deadline);

private:
  static constexpr size_t round_size = size_t{256} << 10;
  Fd socket_;
  std::string outgoing_, first_;
  size_t sent_ = 0, budget_ = round_size;
  uint64_t received_ = 0;
  bool gone_ = false, abandoned_ = false;
  int error_ = 0;
};

} // namespace banger::guest
