#include "dns/server.h"

#include <algorithm>

#include <netinet/in.h>

#include "core/clock.h"
#include "sys/listen.h"
#include "sys/socket.h"

namespace banger::dns {

namespace {

constexpr size_t most_waiting = size_t{64} << 10; // of answers that are not taken
constexpr size_t read_at_once = size_t{16} << 10;
constexpr Millis next_try{1'000};

void put_frame(std::string& out, std::string_view packet) {
  out += static_cast<char>(packet.size() >> 8);
  out += static_cast<char>(packet.size());
  out += packet;
}

} // namespace

struct Server::Connection {
  Connection(Server& server, Fd taken)
      : fd(std::move(taken)),
        out(server.loop_, fd.get(), [this, &server] { server.go_on(*this); }) {}
  Fd fd;
  sys::Outbox out;
  Address peer;
  uint64_t number = 0;
  size_t relayed = 0; // questions that the relay has not answered yet
  std::string in;
  SteadyTime quiet_since = steady_now(); // since the last whole question
  bool ended = false;                    // no more comes in
  std::list<Connection>::iterator self;
};

Server::Server(sys::Loop& loop, Source source, OnFault on_fault, Millis idle)
    : loop_(loop), source_(std::move(source)), on_fault_(std::move(on_fault)), idle_(idle) {}

Server::~Server() {
  loop_.cancel(quiet_);
  loop_.cancel(again_);
  for (const Fd& fd : udp_) loop_.forget(fd.get());
  for (const Fd& fd : tcp_) loop_.forget(fd.get());
  for (const Connection& c : connections_) loop_.forget(c.fd.get());
}

void Server::add_udp(Fd socket) {
  int fd = udp_.emplace_back(std::move(socket)).get();
  loop_.watch(fd, [this, fd] { on_datagrams(fd); });
}

void Server::add_tcp(Fd listener) {
  int fd = tcp_.emplace_back(std::move(listener)).get();
  loop_.watch(fd, [this, fd] { on_connect(fd); });
}

std::vector<int> Server::sockets() const {
  std::vector<int> all;
  for (const auto* some : {&udp_, &tcp_})
    for (const Fd& fd : *some) all.push_back(fd.get());
  return all;
}

void Server::answer(const Answers* answers, std::string_view packet, Limits limits,
                    std::string& out) {
  if (answers)
    answers->answer(packet, limits, out);
  else
    answer_failure(packet, out);
  if (!out.empty()) answered_++;
  for (auto& [digits, count] : counted_)
    if (packet.find(digits) != std::string_view::npos) count++;
}

std::optional<uint64_t> Server::count_those_with(const std::string& digits) {
  constexpr size_t most = 16; // each is looked for in all that comes in
  auto there = counted_.find(digits);
  if (there == counted_.end()) {
    if (counted_.size() == most) counted_.clear();
    counted_.emplace(digits, 0);
    return {};
  }
  uint64_t count = there->second;
  counted_.erase(there);
  return count;
}

bool Server::answer_guest(const Answers* answers, std::string_view packet, const Asker& asker,
                          std::string& out, Give give) {
  Limits limits = asker.by_tcp ? tcp_limits : udp_limits;
  bool ours = answers && answers->answer(packet, limits, out, asker.address);
  if (answers && !ours && relay_(asker, packet, std::move(give))) return false;
  if (!ours) answer_failure(packet, out);
  if (!out.empty()) answered_++;
  return true;
}

void Server::on_datagrams(int fd) {
  size_t count = batch_.receive(fd);
  if (count == 0) return;
  const Answers* answers = source_();
  for (size_t i = 0; i < count; i++) {
    std::string_view packet = batch_.datagram(i);
    // A part of a question is none.
    if (batch_.is_cut(i)) packet = packet.substr(0, header_size);
    if (!relay_) {
      answer(answers, packet, udp_limits, batch_.answer(i));
      continue;
    }
    sys::UdpPeer peer = batch_.peer(i);
    answer_guest(answers, packet, {{ntohl(peer.address)}, false}, batch_.answer(i),
                 [this, fd, peer](std::string_view given) {
                   sys::send_datagram(fd, given, &peer);
                   answered_++;
                 });
  }
  batch_.send(fd);
}

void Server::on_connect(int listener) {
  try {
    while (auto fd = sys::accept_one(listener)) {
      Address peer = relay_ ? sys::peer_of(fd->get()).address : Address{};
      make_room_for(peer);
      sys::set_nonblocking(fd->get());
      sys::send_at_once(fd->get());
      Connection& c = connections_.emplace_back(*this, std::move(*fd));
      c.peer = peer;
      c.number = next_connection_++;
      c.self = std::prev(connections_.end());
      loop_.watch(c.fd.get(), [this, &c] { read(c); });
      if (connections_.size() == 1) close_quiet();
    }
  } catch (const Error& e) {
    // The descriptors are used up: a later try may find room.
    on_fault_(e);
    loop_.forget(listener);
    loop_.cancel(again_);
    again_ = loop_.after(next_try, [this] {
      for (const Fd& fd : tcp_) loop_.watch(fd.get(), [this, at = fd.get()] { on_connect(at); });
    });
  }
}

// The quietest gives way: of its own where one guest has many, and of all where there are many.
void Server::make_room_for(Address peer) {
  auto is_peers = [&](const Connection& c) { return c.peer == peer; };
  if (relay_ && std::ranges::count_if(connections_, is_peers) == most_of_a_guest)
    close(*std::ranges::find_if(connections_, is_peers));
  if (connections_.size() == most_connections) close(connections_.front());
}

void Server::read(Connection& c) {
  std::string came = sys::read_some(c.fd.get(), read_at_once);
  c.ended = came.empty();
  c.in += came;
  go_on(c);
}

void Server::go_on(Connection& c) {
  if (!answer_all(c)) return close(c);
  bool full = c.out.waiting() > most_waiting / 2;
  if (c.ended && c.out.waiting() == 0 && c.relayed == 0) return close(c);
  // No bytes are read while the connection's answers wait to be taken.
  if (c.ended || full)
    loop_.forget(c.fd.get());
  else
    loop_.watch(c.fd.get(), [this, &c] { read(c); });
}

// The questions that are here whole, in their order. False where the connection is of no use.
bool Server::answer_all(Connection& c) {
  const Answers* answers = nullptr;
  std::string out, frames;
  size_t at = 0;
  for (;;) {
    std::string_view rest = std::string_view(c.in).substr(at);
    if (rest.size() < 2 || c.out.waiting() + frames.size() > most_waiting) break;
    size_t size =
        static_cast<size_t>(static_cast<uint8_t>(rest[0])) << 8 | static_cast<uint8_t>(rest[1]);
    if (rest.size() - 2 < size) break;
    if (at == 0) answers = source_();
    std::string_view packet = rest.substr(2, size);
    at += 2 + size;
    if (!relay_) {
      answer(answers, packet, tcp_limits, out);
    } else if (!answer_guest(
                   answers, packet, {c.peer, true}, out,
                   [this, number = c.number](std::string_view given) { give(number, given); })) {
      c.relayed++;
      continue;
    }
    if (out.empty()) return false; // no question
    put_frame(frames, out);
  }
  if (at == 0) return true;
  c.in.erase(0, at);
  c.quiet_since = steady_now();
  connections_.splice(connections_.end(), connections_, c.self);
  return c.out.send(frames);
}

// Answers are given in the order in which they come (RFC 7766).
void Server::give(uint64_t connection, std::string_view answer) {
  auto c = std::ranges::find(connections_, connection, &Connection::number);
  if (c == connections_.end()) return; // the connection was closed meanwhile
  c->relayed--;
  answered_++;
  std::string frame;
  put_frame(frame, answer);
  if (!c->out.send(frame) || (c->ended && c->relayed == 0 && c->out.waiting() == 0)) close(*c);
}

void Server::close(Connection& c) {
  loop_.forget(c.fd.get());
  connections_.erase(c.self);
}

void Server::close_quiet() {
  loop_.cancel(quiet_);
  SteadyTime now = steady_now();
  while (!connections_.empty() && connections_.front().quiet_since + idle_ <= now)
    close(connections_.front());
  if (connections_.empty()) return;
  quiet_ = loop_.at(connections_.front().quiet_since + idle_, [this] { close_quiet(); });
}

} // namespace banger::dns
