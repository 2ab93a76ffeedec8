#include "ops/net/place.h"

#include "core/error.h"
#include "model/subnet.h"

namespace banger::ops {

std::string resolver_of_way(const Vm& vm) {
  return to_text(Subnet::around(vm.address, vm.prefix).resolver());
}

void act_in(NetPlace& place, std::string_view act, Vm& vm) {
  if (act == "attach") return place.attach(vm);
  if (act == "join") return place.bring(vm);
  if (act == "repair") return place.repair(vm);
  if (act == "leave") return place.leave(vm);
  throw usage("unknown request '{}'", act);
}

} // namespace banger::ops
