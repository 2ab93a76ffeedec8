#include "sys/line_server.h"

#include <algorithm>

#include "core/error.h"
#include "core/units.h"
#include "sys/socket.h"

namespace banger::sys {

namespace {

constexpr Millis next_try{1000};
constexpr size_t most_waiting = size_t{64} << 10; // for a client that does not listen

} // namespace

LineServer::Client::Client(Loop& loop, Fd fd)
    : fd_(std::move(fd)), lines_(fd_.get()), out_(loop, fd_.get()) {
  set_nonblocking(fd_.get());
}

void LineServer::Client::send(std::string_view line) {
  if (deaf_) return;
  deaf_ = !out_.send(line) || out_.waiting() > most_waiting;
}

void LineServer::Client::send_with(std::string_view line, int descriptor) {
  if (deaf_ || out_.waiting() > 0)
    throw Error(Code::unreachable, "a client does not take what it asked for");
  send_with_descriptor(fd_.get(), line, descriptor);
}

LineServer::LineServer(Loop& loop, Handlers handlers)
    : loop_(loop), handlers_(std::move(handlers)) {}

void LineServer::listen(Fd listener) {
  listener_ = std::move(listener);
  loop_.watch(listener_.get(), [this] { accept(); });
}

LineServer::~LineServer() {
  loop_.cancel(again_);
  if (listener_) loop_.forget(listener_.get());
  for (const auto& client : clients_) loop_.forget(client->fd_.get());
}

void LineServer::accept() {
  try {
    while (auto fd = accept_one(listener_.get())) {
      if (handlers_.admits && !handlers_.admits(maker_of(fd->get()))) continue;
      auto client = add(std::move(*fd)).lock();
      if (handlers_.on_join) handlers_.on_join(client);
    }
  } catch (const Error& e) {
    // Of descriptors that are used up: the next one may find room.
    handlers_.on_fault(e);
    loop_.forget(listener_.get());
    again_ = loop_.after(next_try, [this] { loop_.watch(listener_.get(), [this] { accept(); }); });
  }
}

LineServer::Peer LineServer::add(Fd fd) {
  auto client = std::make_shared<Client>(loop_, std::move(fd));
  clients_.push_back(client);
  loop_.watch(client->fd_.get(), [this, client] { read(client); });
  return client;
}

void LineServer::read(const std::shared_ptr<Client>& client) {
  try {
    bool more = client->lines_.fill(&client->came);
    while (!client->paused_) {
      auto line = client->lines_.buffered();
      if (!line) break;
      handlers_.on_line(client, *line);
    }
    if (client->paused_) return loop_.forget(client->fd_.get());
    if (more) return;
  } catch (const Error& e) {
    // A peer that sends rubbish, or speaks a newer version, loses its connection and nothing else.
    client->send(handlers_.on_fault(e));
  } catch (const std::exception& e) {
    client->send(handlers_.on_fault(failed("{}", e.what())));
  }
  forget(client);
}

void LineServer::forget(const std::shared_ptr<Client>& client) {
  loop_.forget(client->fd_.get());
  std::erase(clients_, client);
  if (handlers_.on_leave) handlers_.on_leave(client);
}

void LineServer::send(std::string_view line) {
  for (const auto& client : clients_) client->send(line);
}

void LineServer::resume() {
  for (const auto& client : clients_) {
    if (!client->paused_) continue;
    client->paused_ = false;
    // Lines that it sent already wait in its reader; and this may be called while it is read.
    loop_.after(Millis(0), [this, peer = Peer(client)] {
      if (auto here = peer.lock()) {
        loop_.watch(here->fd_.get(), [this, here] { read(here); });
        read(here);
      }
    });
  }
}

} // namespace banger::sys
