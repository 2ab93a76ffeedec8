// The addresses of the host: those of its links, and all others that its table `local` says are for
// the host itself (its broadcast addresses; ranges that are routed to it). slirp4netns would take a
// guest's connection to one of them to a program of the host.
//
// The sockets belong to the network namespace that the process is in when this is made, and go on
// telling of that one wherever the process goes.
#pragma once

#include <memory>
#include <vector>

#include "model/subnet.h"

struct nl_sock;

namespace banger::net {

class HostAddresses {
public:
  HostAddresses();
  // Readable when something may have changed.
  int fd() const;
  // Takes what came on fd(). Never waits. Whether an address may have come or gone; true also when
  // so much came that some was lost.
  bool changed();
  // As they are now, merged. Throws Error(failed).
  std::vector<Prefix> read();

private:
  struct Close {
    void operator()(nl_sock* s) const;
  };
  std::unique_ptr<nl_sock, Close> asks_, hears_;
};

} // namespace banger::net
