// Reads a packet that asks a question. Pure, and safe for packets of any content: no byte beyond
// the end is read, no pointer is followed, and the work is bounded by the packet's length.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dns/zone.h"

namespace banger::dns {

inline constexpr size_t header_size = 12;

struct Query {
  uint16_t id = 0;
  uint8_t opcode = 0;
  bool recursion_desired = false;
  // The fault of the packet: NOERROR, FORMERR, NOTIMP or BADVERS. The fields below are set unless
  // it is FORMERR or NOTIMP.
  Rcode fault = Rcode::noerror;

  std::string_view question; // as it stands in the packet: name, type, class
  Type type{};
  Class klass{};
  bool edns = false, dnssec_ok = false;
  size_t most = 512; // bytes that the asker takes by UDP; at least 512

  // As in dns/name.h. The name of `question` in lower case.
  std::string_view name() const { return {name_.data(), question.size() - 4}; }

private:
  friend std::optional<Query> parse_query(std::string_view packet);
  std::array<char, longest_name> name_;
};

// None where no answer is due: the packet has no whole header, or is an answer itself. The result
// points into the packet.
std::optional<Query> parse_query(std::string_view packet);

} // namespace banger::dns
