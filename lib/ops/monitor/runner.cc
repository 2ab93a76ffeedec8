#include "ops/monitor/runner.h"

#include "core/error.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {
constexpr Millis next_look{1000};
}

Runner::Runner(Context& ctx, sys::Loop& loop, const Vm& vm, std::function<void()> on_death)
    : ctx_(ctx), loop_(loop), vm_(vm.id), on_death_(std::move(on_death)) {
  if (vm.remove_when_stopped) who_ = vm.creator;
  if (!who_) return;
  auto opened = sys::open_process(who_);
  if (!opened) {
    soon_ = loop_.after(Millis(0), [this] { on_end(); });
    return;
  }
  fd_ = std::move(*opened);
  loop_.watch(fd_.get(), [this] { on_end(); });
}

Runner::~Runner() {
  loop_.cancel(soon_);
  if (fd_) loop_.forget(fd_.get());
}

// A runner that lets its VM run on says so in the row before it ends; so does a command that has
// begun to remove the VM.
void Runner::on_end() {
  if (fd_) loop_.forget(fd_.get());
  fd_.reset();
  try {
    auto vm = ctx_.state.find_vm_by_id(vm_);
    if (vm && vm->creator != who_) return;
  } catch (const Error& e) {
    ctx_.log.warn("monitor.runner", e);
    soon_ = loop_.after(next_look, [this] { on_end(); });
    return;
  }
  auto on_death = on_death_; // it may end this object
  on_death();
}

} // namespace banger::ops
