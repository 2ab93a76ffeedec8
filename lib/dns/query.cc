#include "dns/query.h"

#include <algorithm>

namespace banger::dns {

namespace {

constexpr Type ixfr{251};

// The part of a packet that is not read yet. A read beyond its end gives zeros and sets `broken`.
struct Rest {
  std::string_view bytes;
  bool broken = false;

  std::string_view take(size_t size) {
    if (size > bytes.size()) broken = true;
    if (broken) return {};
    std::string_view taken = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return taken;
  }
  uint8_t byte() {
    std::string_view taken = take(1);
    return taken.empty() ? 0 : static_cast<uint8_t>(taken[0]);
  }
  uint16_t word() {
    uint16_t high = byte();
    return static_cast<uint16_t>(high << 8 | byte());
  }
};

// The name of a question. No name stands before it, so a pointer is a fault. False for a bad name.
bool take_name(Rest& rest, std::array<char, longest_name>& name, size_t& size) {
  size = 0;
  for (;;) {
    uint8_t label = rest.byte();
    if (rest.broken || label > longest_label || size + 1 + label + (label ? 1 : 0) > name.size())
      return false;
    name[size++] = static_cast<char>(label);
    if (label == 0) return true;
    for (char c : rest.take(label)) name[size++] = lower(c);
    if (rest.broken) return false;
  }
}

// The name of a record, whose content does not matter: its end may be a pointer.
void skip_name(Rest& rest) {
  for (;;) {
    uint8_t label = rest.byte();
    if (rest.broken || label == 0) return;
    if (label >= 0xc0) {
      rest.byte();
      return;
    }
    if (label > longest_label) rest.broken = true;
    rest.take(label);
  }
}

bool are_options(std::string_view data) {
  Rest rest{data};
  while (!rest.bytes.empty() && !rest.broken) {
    rest.word();
    rest.take(rest.word());
  }
  return !rest.broken;
}

// Records whose content does not matter.
void skip_records(Rest& rest, int count) {
  for (int i = 0; i < count && !rest.broken; i++) {
    skip_name(rest);
    rest.take(8); // type, class, TTL
    rest.take(rest.word());
  }
}

// The records behind the question; false where they are no valid records.
bool take_additional(Rest& rest, int count, Query& q) {
  for (int i = 0; i < count && !rest.broken; i++) {
    bool at_root = !rest.bytes.empty() && rest.bytes[0] == 0;
    skip_name(rest);
    auto type = static_cast<Type>(rest.word());
    uint16_t size = rest.word();
    uint8_t upper_rcode = rest.byte(), version = rest.byte();
    uint16_t flags = rest.word();
    std::string_view data = rest.take(rest.word());
    if (rest.broken) return false;
    if (type != Type::opt) continue;
    if (q.edns || !at_root || !are_options(data)) return false;
    static_cast<void>(upper_rcode); // of an answer
    q.edns = true;
    q.dnssec_ok = (flags & 0x8000) != 0;
    q.most = std::max<size_t>(size, 512);
    if (version != 0) q.fault = Rcode::badvers;
  }
  return !rest.broken && rest.bytes.empty();
}

} // namespace

std::optional<Query> parse_query(std::string_view packet) {
  if (packet.size() < header_size) return {};
  Rest rest{packet};
  Query q;
  q.id = rest.word();
  uint8_t flags = rest.byte();
  rest.byte();
  if ((flags & 0x80) != 0) return {};
  q.opcode = flags >> 3 & 0x0f;
  q.recursion_desired = (flags & 0x01) != 0;
  if (q.opcode != 0) {
    q.fault = Rcode::notimp;
    return q;
  }
  uint16_t questions = rest.word(), answers = rest.word(), authorities = rest.word(),
           additional = rest.word();
  size_t size = 0;
  auto is_whole = [&] {
    if (questions != 1 || answers != 0) return false;
    if (!take_name(rest, q.name_, size)) return false;
    q.type = static_cast<Type>(rest.word());
    q.klass = static_cast<Class>(rest.word());
    if (rest.broken) return false;
    q.question = packet.substr(header_size, size + 4);
    if (authorities != 0 && q.type != ixfr) return false;
    skip_records(rest, authorities); // whose changes are asked for: RFC 1995
    return take_additional(rest, additional, q);
  };
  if (!is_whole()) {
    q.fault = Rcode::formerr;
    q.edns = false;
  }
  return q;
}

} // namespace banger::dns
