// Answers as packets, encoded by ldns; no other file sees ldns.
//
// A zone's records are encoded once. To answer is then to copy: the question as it was asked, and
// the records behind it, in which names of the zone are pointers into the question.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dns/query.h"
#include "dns/zone.h"

namespace banger::dns {

// How many bytes an answer may have: without EDNS, and at most with it, where the asker's own
// limit counts too.
struct Limits {
  size_t plain, edns;
};
inline constexpr Limits udp_limits{512, 1232}, tcp_limits{65535, 65535};

class Answers {
public:
  // Throws Error(failed) for a record that cannot be encoded.
  explicit Answers(Zone zone);

  // Puts the answer to `packet` into `out`; empty where none is due. A packet that is no question
  // gets its header alone back, which is never more than its sender sent. An answer that is too
  // long is left out, and TC is set. `asker` counts where guests of a network ask. False: the
  // question is to be relayed to other servers, and `out` is empty.
  bool answer(std::string_view packet, Limits limits, std::string& out, Address asker = {}) const;

  const Zone& zone() const { return zone_; }

private:
  struct Encoded {
    std::string bytes;   // type, class, TTL, length, data; behind the owner
    bool points = false; // its data begins with a pointer to its owner, at `pointer_at`
  };
  const Encoded& encoded(const Record& record) const;

  Zone zone_;
  std::vector<Encoded> encoded_; // beside the zone's records
};

// The answer while the zone is not known: SERVFAIL to a question, else as above.
void answer_failure(std::string_view packet, std::string& out);

// A question for `name`, recursion not desired, with EDNS.
std::string encode_query(uint16_t id, const Name& name, Type type);

// An answer, read.
struct Reply {
  Rcode rcode = Rcode::noerror;
  bool authoritative = false, truncated = false;
  struct Record {
    std::string name, type;
    uint32_t ttl = 0;
    std::string data; // "127.31.4.1", "demo.vm"
  };
  std::vector<Record> answer;
};
// Reads the answer `packet` to the question `query`. Throws Error(failed) for a packet that cannot
// be read, or that answers another question.
Reply decode_reply(std::string_view packet, std::string_view query);

} // namespace banger::dns
