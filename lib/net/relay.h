// Datagrams between a port of the host and one of a guest (`--publish HOST:GUEST/udp` on `user`).
//
//   host's socket   bound in the host's network namespace, only used here
//   a client each   one that sent to it: a socket of this process's namespace, connected to the
//                   guest; so the guest's answer tells by itself whom it is for
//
// slirp4netns would do the way in, but throws away what a guest answers to a client on the host's
// own loopback, which is closed to guests.
//
// Datagrams may be lost, as everywhere: nothing waits for a reader, and no error ends the relay. A
// client that has been silent for a while is forgotten, the longest silent one where there are too
// many; if its guest answers after all, the answer is lost. A flood takes its turn with all else
// that the loop has to do.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <string>

#include "core/handle.h"
#include "core/units.h"
#include "net/plan.h"
#include "sys/datagram.h"
#include "sys/loop.h"

namespace banger::net {

class Relay {
public:
  struct Limits {
    size_t clients = 512;
    Millis idle{60'000};
    int burst = 16; // datagrams of one socket in one round of the loop
  };

  // `host` as from sys::bind_udp. The loop must outlive the relay.
  Relay(sys::Loop& loop, Fd host, Forward forward, const Limits& limits);
  Relay(sys::Loop& loop, Fd host, Forward forward) : Relay(loop, std::move(host), forward, {}) {}
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  const Forward& forward() const { return forward_; }
  size_t clients() const { return clients_.size(); }
  // From the next new client on.
  void limit_clients(size_t most) { limits_.clients = most; }

private:
  struct Client {
    sys::UdpPeer peer;
    Fd fd;
    SteadyTime used;
  };
  using Clients = std::list<Client>;

  void from_host();
  void from_guest(Clients::iterator client);
  // Null: none can be made now.
  Client* client_of(const sys::UdpPeer& peer);
  void touch(Clients::iterator client);
  void close(Clients::iterator client);
  void close_idle();

  sys::Loop& loop_;
  Fd host_;
  Forward forward_;
  Limits limits_;
  Clients clients_; // the longest silent first
  std::map<sys::UdpPeer, Clients::iterator> by_peer_;
  std::optional<sys::Loop::Timer> timer_; // while there are clients
};

} // namespace banger::net
