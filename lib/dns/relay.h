// Relays guests' questions for names that are not the zone's to the host's own name servers, and
// brings back the answers (RFC 5452). Each question has a socket, so that the kernel chooses its
// port, and an id of its own. An answer counts only from the server that was asked, with that id
// and that question. No answer is cached.
//
// The relay writes a new packet for each question. A server sees only the name, the type and the
// flags that the guest asked with, and nothing else of its packet. The question goes by UDP, or by
// TCP where the guest used TCP; a cut answer tells the guest so, which then asks by TCP.
//
// No guest takes another's answers: each has its share of the questions that wait at a time. Where
// there is no room left, the oldest question of the guest that has most gives way. A name server
// that does not answer, or answers that it cannot, gives way to the next.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/handle.h"
#include "core/units.h"
#include "dns/host_servers.h"
#include "dns/wire.h"
#include "sys/loop.h"

namespace banger::dns {

class Relay {
public:
  struct Limits {
    size_t most = 256, of_one = 64; // questions at a time; each has a socket a server
    // For an answer; then the question is sent again, to the next server. Clients give up after
    // five seconds.
    Millis patience{1'500};
    int tries = 3;
  };
  // The name servers, the first first; asked for each question.
  using Servers = std::function<std::vector<NameServer>()>;
  using Give = std::function<void(std::string_view answer)>;

  Relay(sys::Loop& loop, Servers servers, const Limits& limits);
  Relay(sys::Loop& loop, Servers servers) : Relay(loop, std::move(servers), Limits{}) {}
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // `packet` is a question without fault (dns/query.h). `give` is called once, from the loop: with
  // a server's answer, cut to the length that the asker takes, or with SERVFAIL. It is not called
  // once this is destroyed, nor where this returns false: there is no room for more of the asker's.
  bool ask(Address asker, std::string_view packet, bool by_tcp, Give give);

  size_t waiting() const { return questions_.size(); }

private:
  struct Try {
    NameServer server;
    Fd fd;
    std::string in; // of TCP
    bool open = true;
  };
  struct Question {
    Address asker;
    std::string packet, sent; // as it came, as it goes out
    bool by_tcp = false;
    Give give;
    std::vector<NameServer> servers;
    int tried = 0;
    std::list<Try> tries = {}; // one a server
    std::string poor = {};     // an answer that another server may have a better one for
    sys::Loop::Timer timer = 0;
  };
  using Questions = std::list<Question>; // the oldest first

  bool make_room_for(Address asker);
  void go_on(Questions::iterator q);
  bool send(Questions::iterator q, const NameServer& server);
  void watch(Questions::iterator q, Try& t);
  void close(Try& t);
  void on_datagram(Questions::iterator q, Try& t);
  void on_connected(Questions::iterator q, Try& t);
  void on_bytes(Questions::iterator q, Try& t);
  void take(Questions::iterator q, std::string answer);
  void fail(Questions::iterator q);
  void end(Questions::iterator q, const std::string& answer);

  sys::Loop& loop_;
  Servers servers_;
  Limits limits_;
  Questions questions_;
  std::map<Address, size_t> of_one_; // how many each has
};

// The packet that is sent to a server for a guest's `packet`. Pure, as are the following.
std::string relayed_query(std::string_view packet, uint16_t id);
// Whether `answer` is an answer to the packet `sent`.
bool answers(std::string_view answer, std::string_view sent);
// The server's answer as the guest gets it: with the id and the question of the guest's `packet`,
// cut where it is longer than the guest takes.
std::string relayed_answer(std::string answer, std::string_view packet, bool by_tcp);

} // namespace banger::dns
