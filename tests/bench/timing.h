// How long something takes, for the programs of the bench.
#pragma once

#include <algorithm>
#include <vector>

#include "core/clock.h"

namespace banger::bench {

inline double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

template <typename F>
double seconds_of(F&& f) {
  auto began = steady_now();
  f();
  return Seconds(steady_now() - began).count();
}

} // namespace banger::bench
