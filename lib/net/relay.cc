#include "net/relay.h"

#include "core/error.h"
#include "sys/datagram.h"

namespace banger::net {

Relay::Relay(sys::Loop& loop, Fd host, Forward forward, const Limits& limits)
    : loop_(loop), host_(std::move(host)), forward_(std::move(forward)), limits_(limits) {
  loop_.watch(host_.get(), [this] { from_host(); });
}

Relay::~Relay() {
  loop_.forget(host_.get());
  while (!clients_.empty()) close(clients_.begin());
  if (timer_) loop_.cancel(*timer_);
}

void Relay::from_host() {
  char data[sys::most_datagram];
  for (int i = 0; i < limits_.burst; i++) {
    sys::UdpPeer peer;
    auto size = sys::receive_datagram(host_.get(), data, sizeof data, &peer);
    if (!size) return;
    if (Client* c = client_of(peer)) sys::send_datagram(c->fd.get(), {data, *size});
  }
}

void Relay::from_guest(Clients::iterator client) {
  char data[sys::most_datagram];
  for (int i = 0; i < limits_.burst; i++) {
    auto size = sys::receive_datagram(client->fd.get(), data, sizeof data);
    if (!size) return;
    touch(client);
    sys::send_datagram(host_.get(), {data, *size}, &client->peer);
  }
}

Relay::Client* Relay::client_of(const sys::UdpPeer& peer) {
  if (auto found = by_peer_.find(peer); found != by_peer_.end()) {
    touch(found->second);
    return &*found->second;
  }
  while (!clients_.empty() && clients_.size() >= limits_.clients) close(clients_.begin());
  Fd fd;
  try {
    fd = sys::connect_udp(forward_.guest, forward_.port.guest);
  } catch (const Error&) {
    return nullptr; // no descriptor is left, or the guest's link is just going
  }
  auto client = clients_.insert(clients_.end(), {peer, std::move(fd), steady_now()});
  by_peer_[peer] = client;
  loop_.watch(client->fd.get(), [this, client] { from_guest(client); });
  if (!timer_) timer_ = loop_.after(limits_.idle, [this] { close_idle(); });
  return &*client;
}

void Relay::touch(Clients::iterator client) {
  client->used = steady_now();
  clients_.splice(clients_.end(), clients_, client);
}

void Relay::close(Clients::iterator client) {
  loop_.forget(client->fd.get());
  by_peer_.erase(client->peer);
  clients_.erase(client);
}

// One timer for all: it looks again when the one that is silent longest now would be due.
void Relay::close_idle() {
  timer_.reset();
  SteadyTime silent_since = steady_now() - limits_.idle;
  while (!clients_.empty() && clients_.front().used <= silent_since) close(clients_.begin());
  if (clients_.empty()) return;
  timer_ = loop_.at(clients_.front().used + limits_.idle, [this] { close_idle(); });
}

} // namespace banger::net
