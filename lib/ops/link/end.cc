#include "ops/link/end.h"

#include "core/error.h"
#include "sys/proc.h"

namespace banger::ops {

VmEnd::VmEnd(sys::Loop& loop, const Places& places, const Vm& vm, std::function<void()> on_end,
             std::function<void(const Report&)> on_report)
    : loop_(loop), vm_(vm), on_end_(std::move(on_end)), on_report_(std::move(on_report)) {
  try {
    monitor_.emplace(loop_, connect_monitor(places, vm),
                     Client::Told{[this](const Report& r) { this->on_report(r); },
                                  // Its VM may go on.
                                  [this](const Error&) { follow_process(); }});
  } catch (const Error& e) {
    if (e.code() != Code::unreachable) throw;
    follow_process();
  }
}

VmEnd::~VmEnd() {
  if (process_) loop_.forget(process_.get());
  loop_.cancel(timer_);
}

void VmEnd::on_report(const Report& r) {
  if (r.kind == Report::Kind::ended || r.kind == Report::Kind::failed) return end();
  if (on_report_) on_report_(r);
}

void VmEnd::follow_process() {
  for (const ProcessId& id : {vm_.vmm_process(), vm_.monitor_process()}) {
    auto process = sys::open_process(id);
    if (!process) continue;
    process_ = std::move(*process);
    loop_.watch(process_.get(), [this] { end(); });
    return;
  }
  timer_ = loop_.after(Millis(0), [this] { end(); });
}

void VmEnd::end() {
  if (process_) loop_.forget(process_.get());
  process_.reset();
  monitor_.reset();
  auto tell = std::move(on_end_);
  if (tell) tell();
}

} // namespace banger::ops
