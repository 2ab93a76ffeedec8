// Ends a guest and its VMM when a verb or a signal asks for it, by the steps of stop_plan.h.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/log.h"
#include "ops/link/boot_stage.h"
#include "ops/monitor/helper.h"
#include "ops/monitor/stop_plan.h"
#include "ops/monitor/vmm.h"
#include "sys/loop.h"

namespace banger::ops {

class Stopper {
public:
  struct Acts {
    // Tells verbs that a step is begun.
    std::function<void(const BootStage& step)> tell;
    // Starts poweroff over ssh; none where that cannot be. It has the time of its step.
    std::function<std::unique_ptr<Helper>(Millis time)> power_off;
    // After each step.
    std::function<void()> on_step;
    // Why the guest stands still; empty while it runs.
    std::function<std::string()> still;
  };

  Stopper(sys::Loop& loop, Log& log, Vmm& vmm, Acts acts);
  ~Stopper();
  Stopper(const Stopper&) = delete;
  Stopper& operator=(const Stopper&) = delete;

  // There must be a VMM. A guest that is being stopped is not asked again.
  void ask(const StopFacts& facts);
  // Kills the VMM at once, in any step.
  void kill();
  // The guest goes on: a step that waits for that waits no more.
  void go_on();
  Knock knock() const { return knock_; }
  // The last step that was told.
  const std::optional<BootStage>& told() const { return told_; }
  // The VMM has ended: no more steps are taken.
  void end();

private:
  void next();
  void tell(const char* word, const std::string& text);

  sys::Loop& loop_;
  Log& log_;
  Vmm& vmm_;
  Acts acts_;
  StopFacts facts_;
  Knock knock_ = Knock::none;
  std::optional<BootStage> told_;
  std::unique_ptr<Helper> poweroff_;
  sys::Loop::Timer next_ = 0;
};

} // namespace banger::ops
