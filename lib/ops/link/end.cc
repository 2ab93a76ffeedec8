#include "ops/link/end.h"

#include "core/error.h"
#include "sys/proc.h"

namespace banger::ops {

VmEnd::VmEnd(sys::Loop& loop, const Places& places, const Vm& vm, std::function<void()> on_end,
             std::function<void(const Report&)> on_report)
    : loop_(loop), vm_(vm), on_end_(std::move(on_end)), on_report_(std::move(on_report)) {
  try {
    fd_ = sys::connect_unix(places.monitor_socket);
    lines_.emplace(fd_.get());
    loop_.watch(fd_.get(), [this] { on_link(); });
  } catch (const Error& e) {
    if (e.code() != Code::unreachable) throw;
    follow_process();
  }
}

VmEnd::~VmEnd() {
  if (fd_) loop_.forget(fd_.get());
  loop_.cancel(timer_);
}

void VmEnd::follow_process() {
  for (const ProcessId& id : {vm_.vmm_process(), vm_.monitor_process()}) {
    auto process = sys::open_process(id);
    if (!process) continue;
    fd_ = std::move(*process);
    loop_.watch(fd_.get(), [this] { end(); });
    return;
  }
  timer_ = loop_.after(Millis(0), [this] { end(); });
}

void VmEnd::on_link() {
  bool more = lines_->fill();
  while (auto line = lines_->buffered()) {
    Report r = parse_report(*line);
    if (r.kind == Report::Kind::ended || r.kind == Report::Kind::failed) return end();
    if (on_report_) on_report_(r);
  }
  if (more) return;
  // The monitor died; its VM may go on.
  loop_.forget(fd_.get());
  lines_.reset();
  fd_.reset();
  follow_process();
}

void VmEnd::end() {
  if (fd_) loop_.forget(fd_.get());
  fd_.reset();
  auto tell = std::move(on_end_);
  if (tell) tell();
}

} // namespace banger::ops
