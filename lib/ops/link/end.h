// Tells when a VM that runs has ended, for a command that follows it without acting on it.
//
// Its monitor says so on its socket; where the monitor is gone, the end of the VMM is what can be
// seen. Nothing is polled.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/handle.h"
#include "ops/common/places.h"
#include "ops/link/client.h"
#include "sys/loop.h"

namespace banger::ops {

class VmEnd {
public:
  // `on_end` is called once, from the loop, and never again; it may destroy this. A VM of which
  // there is nothing left to follow ends at once, from the loop as well. `on_report` gets what the
  // monitor says meanwhile.
  VmEnd(sys::Loop& loop, const Places& places, const Vm& vm, std::function<void()> on_end,
        std::function<void(const Report&)> on_report = {});
  VmEnd(const VmEnd&) = delete;
  VmEnd& operator=(const VmEnd&) = delete;
  ~VmEnd();

private:
  void on_report(const Report& r);
  void follow_process();
  void end();

  sys::Loop& loop_;
  Vm vm_;
  std::function<void()> on_end_;
  std::function<void(const Report&)> on_report_;
  std::optional<Client> monitor_;
  Fd process_; // where there is no monitor
  sys::Loop::Timer timer_ = 0;
};

} // namespace banger::ops
