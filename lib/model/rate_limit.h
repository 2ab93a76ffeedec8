// The limits of what a VM may move: through its root disk, its work disk and its network, each by
// bytes and by operations a second. Plain values.
//
// A limit is written "root.bandwidth=20M", "net.ops=500"; "none" lifts it. What would have been
// allowed in the second before may come at once; from then on it is the rate.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace banger {

struct RateLimit {
  int64_t bandwidth = 0; // bytes a second; 0: as many as there are
  int64_t ops = 0;       // operations a second; 0: likewise
  bool operator==(const RateLimit&) const = default;
  explicit operator bool() const { return bandwidth || ops; }
};

struct RateLimits {
  RateLimit root; // of each of the files that make up the root disk
  RateLimit work;
  RateLimit net; // of each direction
  bool operator==(const RateLimits&) const = default;
  explicit operator bool() const { return root || work || net; }
};

// One word of a limit, "root.bandwidth=20M".
struct LimitChange {
  RateLimit RateLimits::*of = &RateLimits::root;
  int64_t RateLimit::*kind = &RateLimit::bandwidth;
  int64_t value = 0; // 0: none
};

// Throws Error(usage) for text that is none, and for a rate at which nothing would work.
LimitChange parse_limit(std::string_view text);
// The changes made, in their order.
RateLimits changed_by(RateLimits limits, const std::vector<LimitChange>& changes);

// For people: "root 20M/s, net 1M/s and 500 ops/s"; empty where there is no limit.
std::string to_text(const RateLimits& limits);

// All of them in the form of parse_limit, a space between two, for programs; and back.
std::string to_words(const RateLimits& limits);
RateLimits limits_of_words(std::string_view words);

} // namespace banger
