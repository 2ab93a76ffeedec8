#include "guest/ssh/forward.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/error.h"
#include "guest/ssh/channel.h"
#include "sys/listen.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::guest {

namespace {

constexpr size_t most_connections = 100, buffer_size = size_t{64} << 10;

class Connection {
public:
  Connection(Session& session, Fd socket, int port)
      : socket_(std::move(socket)), channel_(Channel::connection(session, "127.0.0.1", port)) {
    sys::set_nonblocking(socket_.get());
    sys::send_at_once(socket_.get());
  }

  // One round; true if anything moved. Each way is closed when what came before is through.
  bool move() {
    if (ended_) {
      over_ = channel_.close();
      return false;
    }
    try {
      if (!channel_.advance()) return false;
    } catch (const Error&) {
      reset(); // nothing listens there
      return true;
    }
    bool moved = from_guest();
    moved |= to_guest();
    if (guest_ended_ && incoming_.empty() && here_ended_ && outgoing_.empty() && eof_sent_) {
      ended_ = true;
      socket_.reset();
    }
    return moved;
  }
  bool over() const { return over_; }

  pollfd poll_for() const {
    int events = 0;
    if (channel_.is_open() && !here_ended_ && outgoing_.size() < buffer_size) events |= POLLIN;
    if (!incoming_.empty()) events |= POLLOUT;
    return {events ? socket_.get() : -1, static_cast<short>(events), 0};
  }
  bool wants_session() const { return incoming_.size() < buffer_size; }

private:
  void reset() {
    // A peer that waits shall see that it was refused, not that it ended.
    linger hard{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    socket_.reset();
    ended_ = true;
  }

  bool from_guest() {
    bool moved = false;
    std::array<char, 32768> block;
    if (!guest_ended_ && incoming_.size() < buffer_size) {
      if (size_t n = channel_.read(Channel::Output::out, block)) {
        incoming_.append(block.data(), n);
        moved = true;
      } else if (channel_.ended()) {
        guest_ended_ = true;
      }
    }
    if (!incoming_.empty()) {
      ssize_t n =
          ::send(socket_.get(), incoming_.data(), incoming_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) {
        incoming_.erase(0, static_cast<size_t>(n));
        moved = true;
      } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        // The client here takes no more; its own bytes are no use to the guest then either.
        reset();
        return true;
      }
    }
    if (guest_ended_ && incoming_.empty() && !shut_) {
      shut_ = true;
      ::shutdown(socket_.get(), SHUT_WR);
    }
    return moved;
  }

  bool to_guest() {
    if (ended_) return true;
    bool moved = false;
    std::array<char, 32768> block;
    if (!here_ended_ && outgoing_.size() < buffer_size) {
      ssize_t n = ::recv(socket_.get(), block.data(), block.size(), MSG_DONTWAIT);
      if (n > 0) {
        outgoing_.append(block.data(), static_cast<size_t>(n));
        moved = true;
      } else if (n == 0) {
        here_ended_ = true;
      } else if (errno != EAGAIN && errno != EINTR) {
        reset();
        return true;
      }
    }
    // A guest that has closed altogether takes nothing more.
    if (guest_ended_ && channel_.closed()) {
      outgoing_.clear();
      here_ended_ = eof_sent_ = true;
      return moved;
    }
    if (size_t n = channel_.write(outgoing_)) {
      outgoing_.erase(0, n);
      moved = true;
    }
    if (here_ended_ && outgoing_.empty() && !eof_sent_) eof_sent_ = channel_.send_eof();
    return moved;
  }

  Fd socket_;
  Channel channel_;
  std::string incoming_, outgoing_;               // from the guest, to it
  bool guest_ended_ = false, here_ended_ = false; // nothing more comes from there, from here
  bool shut_ = false, eof_sent_ = false;          // and the other side was told
  bool ended_ = false, over_ = false;
};

} // namespace

void forward_ports(Session& session, std::vector<ForwardedPort>& ports, int signals) {
  Channel idle = Channel::idle(session);
  std::list<Connection> connections;
  for (;;) {
    session.begin_round();
    bool moved = false, reading = connections.empty();
    std::array<char, 512> dropped;
    if (idle.advance()) idle.read(Channel::Output::out, dropped);
    for (auto& c : connections) moved |= c.move();
    session.flush();
    connections.remove_if([](const Connection& c) { return c.over(); });
    moved |= session.heard();
    if (session.gone() && !moved) throw session.lost();
    for (const auto& c : connections) reading |= c.wants_session();

    auto [guest, machine] = session.poll_for(reading);
    std::vector<pollfd> polled{guest, {signals, POLLIN, 0}, machine};
    bool room = connections.size() < most_connections;
    for (const auto& p : ports) polled.push_back({room ? p.listener.get() : -1, POLLIN, 0});
    for (const auto& c : connections) polled.push_back(c.poll_for());
    sys::wait_any(polled, moved ? 0 : -1);
    if (polled[1].revents) return;
    for (size_t i = 0; i < ports.size(); i++)
      if (polled[3 + i].revents)
        if (auto socket = sys::accept_one(ports[i].listener.get()))
          connections.emplace_back(session, std::move(*socket), ports[i].guest_port);
  }
}

} // namespace banger::guest
