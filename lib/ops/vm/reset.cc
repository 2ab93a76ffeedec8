#include "ops/vm/reset.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/undo.h"
#include "disk/ext4.h"
#include "disk/root.h"
#include "ops/common/places.h"
#include "ops/host/checks.h"
#include "ops/image/from_bundle.h"
#include "ops/release/reset.h"
#include "ops/vm/hold.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

Image image_of(Context& ctx, const Vm& vm, const std::optional<std::string>& wanted) {
  return wanted ? image_for(ctx, *wanted) : ctx.state.get_image(vm.image_id);
}

disk::RootPlan plan_reset(Context& ctx, const Vm& vm, const Image& image, const Places& places) {
  std::string from = ctx.dirs.image_root(image.id);
  disk::RootFacts facts;
  facts.image_size = disk::ext4_size(from);
  facts.image_allocated = sys::find_info(from)->allocated;
  facts.can_clone = vm.root_way == RootWay::reflink; // as it could when the VM was made
  // An upper layer need not be as large as the image below it.
  int64_t least = vm.root_way == RootWay::overlay ? 0 : facts.image_size;
  auto plan = disk::plan_root(vm.root_way, std::max(vm.root_size, least), facts, from,
                              half_made_root(places));
  plan.blanks = ctx.dirs.state + "/blank";
  require_space(places.dir, plan.needs);
  return plan;
}

} // namespace

Vm reset_vm(Context& ctx, const std::string& ref, const std::optional<std::string>& image) {
  LogSpan timed(ctx.log, "vm.reset", ref);
  auto [vm, lock] = hold_stopped_vm(ctx, ref, "reset");
  timed.about(vm.name);
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  Image from = image_of(ctx, vm, image);
  std::string ready = whole_root(places, from.id);
  Undo undo(ctx.log);
  ctx.stage(vm.name, "making a fresh root disk");
  int64_t size;
  try {
    disk::RootPlan plan = plan_reset(ctx, vm, from, places);
    size = plan.size;
    undo.push("remove the new root", [&] { sys::remove_file(half_made_root(places)); });
    disk::make_root(plan);
    sys::sync_file(plan.to);
    sys::rename(half_made_root(places), ready);
    undo.push("remove the new root", [&] { sys::remove_file(ready); });
    sys::sync_dir(places.dir);
    ctx.state.transaction([&] {
      vm = ctx.state.change_vm(vm.id, [&](Vm& v) {
        v.image_id = from.id;
        v.image_name = from.name;
        v.root_size = size;
        v.state = VmState::stopped;
        v.reason.clear();
        v.fault.reset();
      });
      record(ctx, vm.name, "vm.reset", {{"image", from.name}});
    });
  } catch (Error& e) {
    throw std::move(e.within(fmt::format("cannot reset '{}'", vm.name)).default_subject(vm.name));
  }
  undo.dismiss();
  settle_reset(places_of(ctx.dirs, ctx.state.tag(), vm), vm);
  return vm;
}

} // namespace banger::ops
