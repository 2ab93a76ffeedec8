#include "ops/monitor/pin.h"

#include "guest/identity/keys.h"
#include "guest/identity/known_hosts.h"
#include "model/zone.h"
#include "ops/common/places.h"
#include "ops/common/zone.h"
#include "ops/ssh/config.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

guest::KnownHost known_host(Context& ctx, const Vm& vm) {
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  auto key = guest::parse_openssh_private(sys::read_file(places.host_key));
  return {full_name(vm.name, zone_of(ctx.state)), vm.reach, vm.ssh_port, guest::public_line(key)};
}

} // namespace

void pin_host(Context& ctx, const Vm& vm) {
  guest::set_known_host(ctx.dirs.keys(), known_host(ctx, vm));
  refresh_ssh_config(ctx);
}

bool try_to_pin_host(Context& ctx, const Vm& vm) {
  if (sys::exists(ssh_config_path(ctx.dirs))) return false;
  return guest::try_set_known_host(ctx.dirs.keys(), known_host(ctx, vm));
}

} // namespace banger::ops
