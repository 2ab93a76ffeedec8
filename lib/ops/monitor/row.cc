#include "ops/monitor/row.h"

#include <nlohmann/json.hpp>

#include "ops/common/places.h"
#include "ops/net/nature.h"
#include "ops/release/release.h"
#include "sys/proc.h"

namespace banger::ops {

// How long a commit about the VM's processes must last.
Outlives Row::outlives() const { return outlives_of_runtime(ctx_.dirs.runtime); }

void Row::read(const std::string& id) { vm_ = ctx_.state.get_vm(id); }

void Row::claim(const MonitorRequest& request, const std::string& runtime_dir) {
  Vm now;
  ctx_.state.transaction(
      [&] {
        now = ctx_.state.get_vm(vm_.id);
        bool awaited = request.adopt ? now.state == VmState::running || now.state == VmState::paused
                                     : now.state == VmState::starting;
        if (!awaited)
          throw conflict("'{}' needs no monitor now: it is {}", now.name, name_of(now.state));
        now = ctx_.state.change_vm(vm_.id, [&](Vm& v) {
          if (!v.run) v.run.emplace();
          v.run->monitor = sys::this_process();
          v.run->runtime_dir = runtime_dir;
        });
      },
      outlives());
  vm_ = std::move(now);
}

void Row::started(const MonitorRequest& request, const ProcessId& vmm,
                  const std::string& api_socket, const std::string& confinement,
                  const BootTimings& timings) {
  vm_ = ctx_.state.change_vm(
      vm_.id,
      [&](Vm& v) {
        v.run->vmm = vmm;
        v.vmm = request.vmm;
        v.accel = request.accel;
        v.confinement = confinement;
        v.run->outbound_open =
            nature_of(v.net_mode).way_out_by_setting && request.settings.net_isolated_outbound;
        v.run->vmm_api_socket = api_socket;
        v.timings = timings;
      },
      outlives());
}

void Row::restored(const std::string& snapshot_dir) {
  ctx_.state.transaction([&] {
    if (auto before = ctx_.state.before_restore(vm_.id)) ctx_.state.remove_snapshot(before->id);
    for (const Snapshot& s : ctx_.state.snapshots(vm_.id))
      if (snapshot_dir.ends_with("/" + s.id))
        record(ctx_, vm_.name, "vm.restored", {{"snapshot", s.name}});
  });
}

void Row::ready(const std::string& still, const BootTimings& timings,
                const std::string& vmm_version, const std::string& small) {
  Vm now;
  ctx_.state.transaction([&] {
    now = ctx_.state.change_vm(vm_.id, [&](Vm& v) {
      v.state = still.empty() ? VmState::running : VmState::paused;
      v.reason = still;
      v.timings = timings;
      if (!vmm_version.empty()) v.vmm_version = vmm_version;
    });
    const BootTimings& t = timings;
    record(ctx_, vm_.name, "vm.ready",
           {{"prepare", t.prepare.value_or(0)},
            {"vmm", t.vmm.value_or(0)},
            {"kernel", t.kernel.value_or(0)},
            {"userland", t.userland.value_or(0)},
            {"ready", t.ready.value_or(0)}});
    if (!small.empty()) record(ctx_, vm_.name, "vm.not_grown", {{"why", small}});
  });
  vm_ = std::move(now);
}

void Row::stands(VmState state, const std::string& reason) {
  bool was_still = vm_.state == VmState::paused || !vm_.reason.empty();
  if (vm_.state == state && vm_.reason == reason) return;
  if (reason.empty() && !was_still) return;
  Vm now;
  ctx_.state.transaction(
      [&] {
        now = ctx_.state.change_vm(vm_.id, [&](Vm& v) {
          v.state = state;
          v.reason = reason;
        });
        if (reason.empty())
          record(ctx_, vm_.name, "vm.resumed");
        else
          record(ctx_, vm_.name, "vm.paused", {{"reason", reason}});
      },
      outlives());
  vm_ = std::move(now); // only after the commit: a change that was not written is tried again
}

void Row::limited(const RateLimits& limits) {
  Vm now;
  ctx_.state.transaction([&] {
    now = ctx_.state.change_vm(vm_.id, [&](Vm& v) { v.limits = limits; });
    record(ctx_, vm_.name, "vm.limited", {{"limits", to_text(limits)}});
  });
  vm_ = std::move(now);
}

void Row::stopping() {
  if (vm_.state == VmState::stopping) return;
  vm_ = ctx_.state.change_vm(
      vm_.id, [](Vm& v) { v.state = VmState::stopping; }, outlives());
}

void Row::ended(const Outcome& outcome, const BootTimings& timings) {
  const auto& [state, reason, fault] = outcome;
  ctx_.state.transaction([&] {
    ctx_.state.change_vm(vm_.id, [&](Vm& v) {
      end_run(v, v.remove_when_stopped ? VmState::removing : state, reason);
      if (v.remove_when_stopped) v.creator = {};
      v.timings = timings;
      if (fault)
        v.fault = VmFault{std::string(name_of(fault->code())), fault->message(), fault->hint(),
                          fault->log()};
    });
    record(ctx_, vm_.name, state == VmState::failed ? "vm.failed" : "vm.stopped",
           {{"reason", reason}});
  });
}

void Row::note(const std::string& type) { note(type, Json::object()); }

void Row::note(const std::string& type, const Json& detail) {
  try {
    record(ctx_, vm_.name, type, detail);
  } catch (const Error& e) {
    ctx_.log.warn(type, e);
  }
}

} // namespace banger::ops
