// Sockets at which questions come in, on a loop: UDP in batches, TCP with pipelining (RFC 7766).
//
// No packet makes the server wait or grow: a connection that is quiet for ten seconds is closed,
// one that takes no answers is not read, and of a hundred the quietest gives way to a new one.
// Where guests of a network ask, each may have few connections, so that none takes the others'.
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
  // Called once for each batch, after its questions have come in, so that the answers hold every
  // change that came before the questions were sent. Null: the answers are not known now.
  using Source = std::function<const Answers*()>;
  // Told why no connection can be taken for a while.
  using OnFault = std::function<void(const Error&)>;

  // Relays a guest's question. True: `give` is called once, later, if the server still lives.
  // False: it is never called, and the guest is answered SERVFAIL.
  using Give = std::function<void(std::string_view answer)>;
  struct Asker {
    Address address;
    bool by_tcp = false;
  };
  using Relay = std::function<bool(const Asker&, std::string_view packet, Give give)>;

  static constexpr size_t most_connections = 100, most_of_a_guest = 8;

  // `idle`: how long a connection may be quiet.
  Server(sys::Loop& loop, Source source, OnFault on_fault, Millis idle = Millis(10'000));
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Where guests of a network ask (GuestNetwork); before any socket is added.
  void relay_by(Relay relay) { relay_ = std::move(relay); }

  void add_udp(Fd socket);
  void add_tcp(Fd listener);

  // All of them; they stay the server's.
  std::vector<int> sockets() const;

  // The first call begins to count questions for names that have `digits` in them, the next one
  // ends that and gives how many there were. A few counts may go on at a time; one more drops all
  // of them.
  std::optional<uint64_t> count_those_with(const std::string& digits);

  // How many were answered.
  uint64_t answered() const { return answered_; }

private:
  struct Connection;
  using Connections = std::list<Connection>; // the connection that was quiet longest comes first

  void on_datagrams(int fd);
  void on_connect(int listener);
  void read(Connection& c);
  void go_on(Connection& c);
  bool answer_all(Connection& c);
  void close(Connection& c);
  void close_quiet();
  void make_room_for(Address peer);
  void answer(const Answers* answers, std::string_view packet, Limits limits, std::string& out);
  // False where the relay answers later, by `give`.
  bool answer_guest(const Answers* answers, std::string_view packet, const Asker& asker,
                    std::string& out, Give give);
  void give(uint64_t connection, std::string_view answer);

  sys::Loop& loop_;
  Source source_;
  OnFault on_fault_;
  Millis idle_;
  Relay relay_;
  std::list<Fd> udp_, tcp_;
  sys::DatagramBatch batch_;
  Connections connections_;
  uint64_t next_connection_ = 1;
  sys::Loop::Timer quiet_ = 0, again_ = 0;
  uint64_t answered_ = 0;
  std::map<std::string, uint64_t> counted_; // by their digits
};

} // namespace banger::dns
