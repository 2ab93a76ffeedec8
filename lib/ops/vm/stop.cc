#include "ops/vm/stop.h"

#include "core/error.h"
#include "ops/common/places.h"
#include "ops/link/client.h"
#include "ops/vm/hold.h"
#include "ops/vm/settle.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

// A monitor that can answer does so at once.
constexpr Millis time_to_answer{5'000}, time_to_die{2'000}, time_to_kill{20'000};
// The time that the kernel may take to end a process after a signal.
constexpr Millis time_to_vanish{10'000};

// With --rm the row has gone, and its last known content is returned.
Vm gone(Vm vm) {
  vm.state = VmState::stopped;
  return vm;
}

// The row of a VM whose monitor said that it has ended. The monitor writes the row; where it could
// not (a full disk, a state that was moved), the row is settled here, or the failure told. The
// caller holds op.lock.
Vm after_end(Context& ctx, const Vm& vm, const char* verb) {
  auto after = ctx.state.find_vm_by_id(vm.id);
  if (!after || after->state == VmState::removing) return gone(vm);
  if (!is_live(after->state)) return *after;
  try {
    after = reconcile_locked(ctx, *after);
  } catch (Error& e) {
    throw std::move(
        e.within(fmt::format("cannot {} '{}': it has ended, and that cannot be recorded", verb,
                             vm.name))
            .default_subject(vm.name));
  }
  if (!after) return gone(vm);
  if (is_live(after->state))
    throw failed("cannot {} '{}': its monitor said that it ended, and it is {}", verb, vm.name,
                 name_of(after->state))
        .subject(vm.name);
  return *after;
}

// Ends a VM whose monitor cannot: both processes, by their identities in the row. The monitor comes
// first; it would take the VMM's end for a crash. The VM's things are given back by the next
// reconcile under op.lock, which finds a stop that was interrupted.
void end_processes(Context& ctx, const Vm& vm) {
  ctx.log.warn("vm.end_processes", {{"vm", std::string_view(vm.name)}});
  auto now = ctx.state.find_vm_by_id(vm.id); // the caller's row may be older than the monitor
  if (!now || !is_live(now->state)) return;
  sys::end_process(now->monitor_process(), time_to_vanish);
  // The monitor may have started the VMM again, or ended, before this; now the row stays as it is.
  now = ctx.state.find_vm_by_id(vm.id);
  if (!now || !is_live(now->state)) return;
  ctx.state.change_vm(vm.id, [](Vm& v) { v.state = VmState::stopping; });
  sys::end_process(now->vmm_process(), time_to_vanish);
}

// Ends a VM whose directory was taken away from under it, and returns its row. It has no locks any
// more, and no disk that is worth a gentle stop. The directory is made again, for the lock of the
// verb that settles the VM.
std::optional<Vm> without_directory(Context& ctx, const std::string& ref, const Places& places) {
  if (sys::exists(places.dir)) return {};
  // A removal takes the row out of its live state first, and the directory away after.
  auto vm = ctx.state.find_vm_by_id(ref);
  if (!vm || !is_live(vm->state)) return {};
  ctx.stage(vm->name, fmt::format("'{}' is gone: ending its processes", places.dir));
  sys::make_dirs(places.dir);
  end_processes(ctx, *vm);
  return vm;
}

// A question to a monitor, with its deadlines: a monitor that does not answer is not waited for.
struct Request {
  const char* verb;
  Millis timeout;  // the guest's
  bool exact;      // as ops/link/link.h has it
  Millis patience; // until it must have ended
};

// Asks the VM's monitor to end it, and returns when the monitor has ended, too. False where that
// does not answer, or does not end the VM in time. Throws Error(unreachable) where there is none.
bool ask_to_end(Context& ctx, const Vm& vm, const Places& places, const Request& r) {
  // A monitor of an earlier build does not tell again of a stop that is under way.
  bool answers_at_once = vm.state != VmState::stopping || r.timeout == Millis(0);
  try {
    ask_monitor(places, vm, {.verb = r.verb, .timeout = r.timeout, .exact = r.exact},
                {r.patience, answers_at_once ? std::optional(time_to_answer) : std::nullopt},
                [&](const Report& report) { ctx.stage(vm.name, report.text); });
    // The monitor answers just before it ends. It is waited for, so that no process of a stopped VM
    // is left when the verb returns.
    sys::await_end(vm.monitor_process(), time_to_die);
    return true;
  } catch (const Error& e) {
    if (e.code() != Code::timeout) throw;
    ctx.stage(vm.name, fmt::format("{}: ending it without its monitor", e.message()));
    return false;
  }
}

// Called after a monitor could not be reached. Its socket goes a moment before it does; a monitor
// that stays has lost its socket, and is ended.
void end_unreachable_monitor(Context& ctx, const Vm& vm) {
  auto now = ctx.state.find_vm_by_id(vm.id);
  if (!now || sys::await_end(now->monitor_process(), time_to_die)) return;
  ctx.stage(vm.name, "its monitor cannot be reached: ending that first");
  sys::end_process(now->monitor_process(), time_to_vanish);
}

Reached end_vm(Context& ctx, const std::string& ref, const char* verb, Millis timeout, bool exact) {
  LogSpan timed(ctx.log, fmt::format("vm.{}", verb), ref);
  Vm row = ctx.state.get_vm(ref);
  timed.about(row.name);
  Places places = places_of(ctx.dirs, ctx.state.tag(), row);
  bool lost = without_directory(ctx, row.id, places).has_value();
  auto [vm, lock] = hold_vm(ctx, row.id, verb);
  // Another command, or the guest, may have ended it while the lock was waited for.
  if (!is_live(vm.state)) return {vm, lost || is_live(row.state)};
  bool gently = timeout > Millis(0);
  Millis patience =
      gently ? scaled(timeout, vm.accel.value_or(Accel::tcg)) * 2 + Millis(30'000) : time_to_kill;
  // A monitor that dies while it is asked leaves the VM to be settled or adopted, and then the new
  // monitor is asked. After a few deaths in a row the VM is ended without one. So it is after one
  // answer that does not come, where the stop need not be gentle.
  for (int deaths = 0; is_live(vm.state); deaths++) {
    if (deaths > 4) throw failed("cannot end '{}': each new monitor of it dies", vm.name);
    try {
      bool answered = ask_to_end(ctx, vm, places, {verb, timeout, exact, patience});
      if (answered) break;
      if (gently && deaths == 0)
        sys::end_process(vm.monitor_process(), time_to_vanish);
      else
        end_processes(ctx, vm);
    } catch (const Error& e) {
      if (e.code() != Code::unreachable) throw;
      end_unreachable_monitor(ctx, vm);
      if (deaths >= 3) end_processes(ctx, vm);
    }
    auto after = ctx.state.find_vm_by_id(vm.id);
    if (after && is_live(after->state)) {
      try {
        after = reconcile_locked(ctx, *after);
      } catch (const Error& e) {
        // It cannot be given a new monitor.
        ctx.log.warn("vm.end.adopt", {{"error", std::string_view(e.message())}});
        end_processes(ctx, *after);
        after = ctx.state.find_vm_by_id(vm.id);
        if (after) after = reconcile_locked(ctx, *after);
      }
    }
    if (!after) break;
    vm = *after;
  }
  return {after_end(ctx, vm, verb), true};
}

enum class Killed { no, by_its_monitor, by_us };

// A kill does not wait for another verb that works on the VM, for example a patient stop: it asks
// the monitor without op.lock.
Killed kill_at_once(Context& ctx, const Vm& vm) {
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  if (!sys::FileLock::is_held(places.op_lock) || !sys::FileLock::is_held(places.run_lock))
    return Killed::no;
  try {
    if (ask_to_end(ctx, vm, places, {"kill", Millis(0), false, time_to_kill}))
      return Killed::by_its_monitor;
    end_processes(ctx, vm);
    return Killed::by_us;
  } catch (const Error& e) {
    if (e.code() != Code::unreachable) throw;
    return Killed::no; // it died; the VM is settled under op.lock
  }
}

} // namespace

Reached stop_vm(Context& ctx, const std::string& ref, std::optional<Millis> timeout) {
  return end_vm(ctx, ref, "stop", timeout.value_or(ctx.settings.vm_stop_timeout),
                timeout.has_value());
}

Reached kill_vm(Context& ctx, const std::string& ref) {
  Vm vm = ctx.state.get_vm(ref);
  switch (kill_at_once(ctx, vm)) {
  case Killed::by_its_monitor:
    if (auto after = ctx.state.find_vm_by_id(vm.id); !after || !is_live(after->state))
      return {after && after->state != VmState::removing ? *after : gone(vm), true};
    [[fallthrough]];
  case Killed::by_us:
    return {hold_vm(ctx, vm.id, "kill").vm, true}; // settled by now, by that verb or by this
  case Killed::no:
    break;
  }
  return end_vm(ctx, vm.id, "kill", Millis(0), false);
}

} // namespace banger::ops
