// The helpers that the trials share.
#pragma once

#include <stdexcept>
#include <string>

#include "dns/wire.h"

namespace banger::fuzz {

inline void promise(bool kept, const char* what) {
  if (!kept) throw std::logic_error(what);
}

// A zone with all that one has: names of one letter and of 63, and a literal "*".
const dns::Answers& answers();

inline std::string answer(std::string_view packet, dns::Limits limits) {
  std::string out = "what was there";
  answers().answer(packet, limits, out);
  return out;
}

} // namespace banger::fuzz
