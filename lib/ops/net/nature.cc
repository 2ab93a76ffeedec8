#include "ops/net/nature.h"

#include "core/error.h"

namespace banger::ops {

namespace {

constexpr NetNature user{.shared = true, .is_private = true, .guards_host = true, .waits = true};
constexpr NetNature bridge{.shared = true, .is_host = true, .guards_host = true, .waits = true};
constexpr NetNature isolated{.way_out_by_setting = true, .vmm_forwards = true};

} // namespace

const NetNature& nature_of(NetMode mode) {
  switch (mode) {
  case NetMode::user:
    return user;
  case NetMode::isolated:
    return isolated;
  case NetMode::bridge:
    return bridge;
  }
  throw failed("this build has no network '{}'", name_of(mode));
}

NetMode automatic_mode(bool host_network, bool private_network) {
  if (host_network) return NetMode::bridge;
  return private_network ? NetMode::user : NetMode::isolated;
}

} // namespace banger::ops
