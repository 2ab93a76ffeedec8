// The trials of the fuzzer (tests/fuzz), on its seeds, and on each with its end cut off.
#include <gtest/gtest.h>

#include "fuzz/try.h"

namespace banger::fuzz {

namespace {

std::string shown(std::string_view bytes) {
  std::string out;
  for (char c : bytes)
    out += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4], out += "0123456789abcdef"[c & 15];
  return out;
}

} // namespace

TEST(Fuzz, SeedsOfPackets) {
  for (const std::string& seed : packet_seeds())
    for (size_t size = 0; size <= seed.size(); size++)
      EXPECT_NO_THROW(try_packet(seed.substr(0, size))) << shown(seed.substr(0, size));
}

TEST(Fuzz, SeedsOfStreams) {
  for (const std::string& seed : stream_seeds())
    for (size_t size : {seed.size(), seed.size() - 1, seed.size() / 2, size_t{1}})
      EXPECT_NO_THROW(try_stream(seed.substr(0, size))) << shown(seed.substr(0, size));
}

} // namespace banger::fuzz
