// Sockets at which questions come in, on a loop: UDP in batches, TCP with pipelining (RFC 7766).
//
// Nothing that comes in makes it wait or grow: a connection that is quiet for ten seconds, or takes
// no answers, is closed, and of a hundred connections the quietest gives way to another one.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/handle.h"
#include "core/units.h"
#include "dns/wire.h"
#include "sys/datagram_batch.h"
#include "sys/loop.h"
#include "sys/outbox.h"

namespace banger::dns {

class Server {
public:
  // Called once for each batch, after its questions have come in: whatever was true before one of
  // them was sent is in the answers. Null: nobody knows now.
  using Source = std::function<const Answers*()>;
  // Told why no connection can be taken for a while.
  using OnFault = std::function<void(const Error&)>;

  static constexpr size_t most_connections = 100;

  // `idle`: how long a connection may be quiet.
  Server(sys::Loop& loop, Source source, OnFault on_fault, Millis idle = Millis(10'000));
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void add_udp(Fd socket);
  void add_tcp(Fd listener);

  // All of them; they stay the server's.
  std::vector<int> sockets() const;

  // The first call begins to count questions for names that have `digits` in them, the next one
  // ends that and gives how many there were. Of many that are counted at once the rest is
  // forgotten.
  std::optional<uint64_t> count_those_with(const std::string& digits);

  // How many were answered.
  uint64_t answered() const { return answered_; }

private:
  struct Connection;
  using Connections = std::list<Connection>; // the one that was quiet longest first

  void on_datagrams(int fd);
  void on_connect(int listener);
  void read(Connection& c);
  void go_on(Connection& c);
  bool answer_all(Connection& c);
  void close(Connection& c);
  void close_quiet();
  void answer(const Answers* answers, std::string_view packet, Limits limits, std::string& out);

  sys::Loop& loop_;
  Source source_;
  OnFault on_fault_;
  Millis idle_;
  std::list<Fd> udp_, tcp_;
  sys::DatagramBatch batch_;
  Connections connections_;
  sys::Loop::Timer quiet_ = 0, again_ = 0;
  uint64_t answered_ = 0;
  std::map<std::string, uint64_t> counted_; // by their digits
};

} // namespace banger::dns
