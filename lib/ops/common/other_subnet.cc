#include "ops/common/other_subnet.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.h"

namespace banger::ops {

std::vector<std::string> holders_of_subnet(state::State& state) {
  std::vector<std::string> names;
  for (const auto& lease : state.leases(NetMode::bridge)) names.push_back(lease.vm);
  std::ranges::sort(names);
  return names;
}

std::string way_to_other_subnet(state::State& state, bool is_up) {
  std::vector<std::string> live, holders;
  for (const auto& lease : state.leases(NetMode::bridge)) {
    holders.push_back(lease.vm);
    if (is_live(lease.state)) live.push_back(lease.vm);
  }
  for (auto* names : {&live, &holders}) std::ranges::sort(*names);
  const std::string all = join(holders, " ");
  std::string way = live.empty() ? "" : fmt::format("banger vm stop {}; ", join(live, " "));
  if (is_up) way += "banger net down; ";
  if (all.empty()) return way + "banger net up";
  return way + fmt::format("banger vm set --net user {0}; banger net up; "
                           "banger vm set --net bridge {0}",
                           all);
}

} // namespace banger::ops
