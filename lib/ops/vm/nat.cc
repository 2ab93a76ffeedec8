#include "ops/vm/nat.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "ops/net/nature.h"
#include "ops/net/open_place.h"
#include "ops/vm/hold.h"

namespace banger::ops {

Reached set_nat(Context& ctx, const std::string& ref, bool on) {
  HeldVm held = hold_vm(ctx, ref, "change");
  if (!nature_of(held.vm.net_mode).is_host)
    throw conflict("cannot turn NAT {} for '{}': it is on the network '{}', and NAT is bridge's",
                   on ? "on" : "off", held.vm.name, name_of(held.vm.net_mode))
        .subject(held.vm.name)
        .hint(fmt::format("banger vm set --net bridge {}", held.vm.name));
  Reached r{held.vm, held.vm.nat != on};
  if (r.changed)
    ctx.state.transaction([&] {
      r.vm = ctx.state.change_vm(held.vm.id, [&](Vm& v) { v.nat = on; });
      record(ctx, r.vm.name, "vm.changed", {{"nat", on}});
    });
  // Also where the row says so already: an earlier one may have died before this.
  if (is_live(r.vm.state)) open_place(ctx, r.vm.net_mode)->repair(r.vm);
  return r;
}

} // namespace banger::ops
