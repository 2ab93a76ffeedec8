// What guests ask that is none of ours, handed on to the host's own name servers, and their answers
// back (RFC 5452): a socket for each question, so that its port is one of the kernel's choice, and
// an id of its own; what comes back counts only from the server that was asked, with that id and
// that question. Nothing is remembered.
//
// A question is asked anew, without whatever else was in the guest's packet: no more of a guest
// reaches a server than the name, the type, and the flags of its question. It goes by UDP, or by
// TCP where the guest asks so; an answer that was cut says so to the guest, which then asks by TCP.
//
// No guest takes another's answers: each has its share of what is asked at a time, and where there
// is no room left, the oldest question of the one that asks most gives way. A name server that says
// nothing, or that it cannot, gives way to the next.
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

  // `packet` is a question without fault (dns/query.h). `give` is called once, from the loop, with
  // what a server answered, as long as the asker takes, or SERVFAIL; not after this has gone.
  // False, and never called: it asks too much at a time.
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

// What goes out for a question that came in as `packet`. Pure, as are the following.
std::string relayed_query(std::string_view packet, uint16_t id);
// Whether `answer` is one to what was sent.
bool answers(std::string_view answer, std::string_view sent);
// As it is given to who sent `packet`: with its id and its question, cut where it is longer than
// that one takes.
std::string relayed_answer(std::string answer, std::string_view packet, bool by_tcp);

} // namespace banger::dns
