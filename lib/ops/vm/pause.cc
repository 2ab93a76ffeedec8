#include "ops/vm/pause.h"

#include "core/error.h"
#include "model/words.h"
#include "ops/common/places.h"
#include "ops/link/client.h"
#include "ops/vm/hold.h"

namespace banger::ops {

namespace {

// Longer than the monitor's own patience with its VMM.
constexpr Millis time_to_answer{20'000};

Error cannot(const char* verb, const Vm& vm, const std::string& why) {
  return conflict("cannot {} '{}': {}", verb, vm.name, why).subject(vm.name);
}

Reached change(Context& ctx, const std::string& ref, const char* verb, VmState wanted) {
  LogSpan timed(ctx.log, fmt::format("vm.{}", verb), ref);
  auto [vm, lock] = hold_vm(ctx, ref, verb);
  timed.about(vm.name);
  bool for_snapshot = vm.state == VmState::paused && vm.reason == paused_for_snapshot;
  bool goes_on_first = for_snapshot && wanted == VmState::running;
  if (vm.state == VmState::paused && vm.reason != paused_on_request && !goes_on_first)
    throw cannot(verb, vm, fmt::format("it is paused: {}", vm.reason))
        .hint("it goes on by itself when that is over" +
              (for_snapshot ? fmt::format("; banger vm resume {} gives the snapshot up", vm.name)
                            : std::string()));
  if (vm.state == wanted) return {vm, false};
  if (vm.state != VmState::running && vm.state != VmState::paused)
    throw cannot(verb, vm, is_now(vm.state))
        .hint(fmt::format("banger vm start {} starts it", vm.name));
  try {
    ask_monitor(places_of(ctx.dirs, ctx.state.tag(), vm), vm, {verb, Millis(0)}, {time_to_answer},
                [&](const Report& r) { ctx.stage(vm.name, r.text); });
  } catch (Error& e) {
    throw std::move(
        e.within(fmt::format("cannot {} '{}'", verb, vm.name)).default_subject(vm.name));
  }
  auto now = ctx.state.find_vm_by_id(vm.id);
  if (!now) throw cannot(verb, vm, "it was removed meanwhile");
  bool otherwise = now->state == VmState::paused && now->reason != paused_on_request;
  if (now->state != wanted || otherwise)
    throw cannot(verb, vm,
                 now->state == VmState::paused ? fmt::format("it is paused: {}", now->reason)
                                               : is_now(now->state));
  return {*now, true};
}

} // namespace

Reached pause_vm(Context& ctx, const std::string& ref) {
  return change(ctx, ref, "pause", VmState::paused);
}

Reached resume_vm(Context& ctx, const std::string& ref) {
  return change(ctx, ref, "resume", VmState::running);
}

} // namespace banger::ops
