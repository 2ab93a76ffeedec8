#include "ops/net/open_place.h"

#include "core/error.h"
#include "ops/net/bridge_net.h"
#include "ops/net/isolated.h"
#include "ops/net/private_net.h"

namespace banger::ops {

std::unique_ptr<NetPlace> open_place(Context& ctx, NetMode mode) {
  switch (mode) {
  case NetMode::user:
    return std::make_unique<PrivateNet>(ctx);
  case NetMode::isolated:
    return std::make_unique<Isolated>(ctx);
  case NetMode::bridge:
    return std::make_unique<BridgeNet>(ctx);
  }
  throw failed("this build has no network '{}'", name_of(mode));
}

std::vector<std::unique_ptr<NetPlace>> all_places(Context& ctx) {
  std::vector<std::unique_ptr<NetPlace>> all;
  for (NetMode mode : {NetMode::user, NetMode::bridge, NetMode::isolated})
    all.push_back(open_place(ctx, mode));
  return all;
}

} // namespace banger::ops
