#include "ops/vm/run.h"

#include <csignal>
#include <optional>

#include "core/error.h"
#include "ops/common/places.h"
#include "ops/release/kept_logs.h"
#include "ops/vm/create.h"
#include "ops/vm/exec.h"
#include "ops/vm/remove.h"
#include "sys/proc.h"
#include "sys/signals.h"

namespace banger::ops {

namespace {

// The guest may have ended by itself, and its monitor then removes the VM.
void remove_if_there(Context& ctx, const std::string& id) {
  try {
    remove_vm(ctx, id, true);
  } catch (const Error& e) {
    if (e.code() != Code::not_found) throw;
  }
}

void change_if_there(Context& ctx, const std::string& id, const std::function<void(Vm&)>& change) {
  try {
    ctx.state.change_vm(id, change, outlives_of_runtime(ctx.dirs.runtime));
  } catch (const Error& e) {
    if (e.code() != Code::not_found) throw;
  }
}

// The VM goes on without this process, until it ends by itself or by another command.
void let_go(Context& ctx, const std::string& id) {
  change_if_there(ctx, id, [](Vm& v) {
    if (v.creator == sys::this_process()) v.creator = {};
  });
}

// Removes a VM of --rm that did not come up, and tells why without advice that needs the VM.
Error removed(Context& ctx, const Vm& vm, const Error& e) {
  bool from_its_logs = !e.log().empty();
  if (from_its_logs)
    change_if_there(ctx, vm.id, [&](Vm& v) {
      if (!v.fault) v.fault = VmFault{std::string(name_of(e.code())), e.message(), {}, e.log()};
    });
  remove_if_there(ctx, vm.id);
  if (!from_its_logs) return e;
  std::string log = kept_log(ctx.dirs, vm, e.log());
  std::string hint = "it is removed (--rm)";
  if (!log.empty()) hint += "; its logs are kept for a week";
  if (e.code() == Code::timeout) hint += "; --timeout gives it longer";
  return Error(e.code(), e.message()).subject(e.subject()).hint(hint).log(log);
}

} // namespace

int run_vm(Context& ctx, const RunRequest& request,
           const std::function<void(const Vm&)>& on_ready) {
  bool remove = request.spec.remove_when_stopped;
  CreatePlan plan = plan_create(ctx, request.spec, true);
  std::optional<sys::Signals> signals;
  StartOptions start = request.start;
  if (remove) start.interrupt = signals.emplace({SIGINT, SIGTERM, SIGHUP}).fd();
  Vm vm = create_vm(ctx, std::move(plan));
  try {
    if (request.foreground) { // the signals stop the VM there
      Vm ended = run_foreground(ctx, vm.id, start, on_ready);
      return ended.state == VmState::failed ? exit_status(Code::failed) : 0;
    }
    vm = start_vm(ctx, vm.id, start).vm;
    const bool goes_on = request.command.empty() && !request.work;
    if (remove && goes_on) let_go(ctx, vm.id);
    on_ready(vm);
    if (goes_on) return 0;
    GuestRun ran = request.work ? GuestRun{request.work(vm)}
                                : run_in_guest(ctx, vm, request.command, request.common);
    if (remove) {
      ctx.stage(vm.name, "removing");
      remove_if_there(ctx, vm.id);
    } else if (ran.interrupted) {
      ctx.notice(fmt::format("'{0}' goes on: banger vm stop {0} ends it", vm.name));
    }
    return ran.status;
  } catch (const Error& e) {
    if (!remove) throw;
    throw removed(ctx, vm, e);
  }
}

} // namespace banger::ops
