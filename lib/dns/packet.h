// Packets' words and flags (RFC 1035, 4.1.1; RFC 6891), for the code that reads and writes packets
// without ldns. Private to dns/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dns/zone.h"

namespace banger::dns {

// The second word of a header.
namespace flag {
inline constexpr unsigned response = 0x8000, opcode = 0x7800, authoritative = 0x0400,
                          truncated = 0x0200, recurse = 0x0100, recursion_available = 0x0080,
                          authentic = 0x0020, unchecked = 0x0010, rcode = 0x000f;
}

inline uint8_t byte_at(std::string_view packet, size_t at) {
  return static_cast<uint8_t>(packet[at]);
}
inline unsigned word_at(std::string_view packet, size_t at) {
  return static_cast<unsigned>(byte_at(packet, at)) << 8 | byte_at(packet, at + 1);
}
inline void put_word(std::string& out, size_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value);
}
inline void set_word(std::string& out, size_t at, size_t value) {
  out[at] = static_cast<char>(value >> 8);
  out[at + 1] = static_cast<char>(value);
}

// An OPT record, of version 0: `most` bytes are taken by UDP.
inline void put_opt(std::string& out, size_t most, unsigned rcode, bool dnssec_ok) {
  out += '\0'; // its name
  put_word(out, static_cast<size_t>(Type::opt));
  put_word(out, most);
  put_word(out, rcode >> 4 << 8); // the rest of the code, and the version
  put_word(out, dnssec_ok ? 0x8000 : 0);
  put_word(out, 0); // no options
}

} // namespace banger::dns
