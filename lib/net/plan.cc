#include "net/plan.h"

#include <fmt/format.h>

namespace banger::net {

NetPlan base_plan(const std::string& tag, const Subnet& subnet) {
  return {.tag = tag, .subnet = subnet, .base = NetPlan::Base::anew};
}

NetPlan kept_plan(const std::string& tag, const Subnet& subnet) {
  return {.tag = tag, .subnet = subnet, .base = NetPlan::Base::kept};
}

NetPlan way_plan(const std::string& tag, int tap) { return {.tag = tag, .ways = {tap}}; }

NetPlan join_plan(const std::string& tag, const Guest& guest) {
  return {.tag = tag, .join = {guest}};
}

NetPlan leave_plan(const std::string& tag, const Guest& guest) {
  return {.tag = tag, .leave = {guest}};
}

std::string bridge_name(std::string_view tag) { return fmt::format("bng-{}", tag); }
std::string shared_way_name(std::string_view tag) { return fmt::format("bng{}-up", tag); }
std::string way_stem(std::string_view tag) { return fmt::format("bng{}-u", tag); }
std::string way_name(std::string_view tag, int tap) {
  return fmt::format("{}{}", way_stem(tag), tap);
}
std::string tap_name(std::string_view tag, int n) { return fmt::format("bng{}-{}", tag, n); }
std::string table_name(std::string_view tag) { return fmt::format("banger_{}", tag); }
std::string drop_set(std::string_view reason) { return fmt::format("dropped_{}", reason); }

std::optional<int> tap_number(std::string_view tag, std::string_view name) {
  std::string start = fmt::format("bng{}-", tag);
  if (!name.starts_with(start)) return {};
  std::string_view number = name.substr(start.size());
  int n = 0;
  for (char c : number) {
    if (c < '0' || c > '9' || n > most_tap) return {};
    n = n * 10 + (c - '0');
  }
  // Not for "bngTTTT-007", which is not ours.
  if (n < 1 || n > most_tap || tap_name(tag, n) != name) return {};
  return n;
}

std::string to_text(const Forward& f) {
  return fmt::format("{}:{}/{} to {}:{}", f.port.host_address, f.port.host, f.port.proto, f.guest,
                     f.port.guest);
}

} // namespace banger::net
