#include "ops/monitor/stopper.h"

#include <csignal>

namespace banger::ops {

Stopper::Stopper(sys::Loop& loop, Log& log, Vmm& vmm, Acts acts)
    : loop_(loop), log_(log), vmm_(vmm), acts_(std::move(acts)) {}

Stopper::~Stopper() { end(); }

void Stopper::end() {
  loop_.cancel(next_);
  poweroff_.reset();
}

void Stopper::ask(const StopFacts& facts) {
  if (knock_ != Knock::none) return; // under way
  facts_ = facts;
  next();
}

void Stopper::go_on() {
  if (knock_ == Knock::room) next();
}

void Stopper::kill() {
  knock_ = Knock::term;
  next();
}

void Stopper::tell(const char* word, const std::string& text) {
  told_ = {word, text};
  acts_.tell(*told_);
}

void Stopper::next() {
  loop_.cancel(next_);
  std::string still = acts_.still();
  facts_.is_still = !still.empty();
  StopStep step = next_step(knock_, facts_);
  knock_ = step.knock;
  log_.info("vm.stop.step", {{"step", name_of(knock_)}});
  switch (knock_) {
  case Knock::none:
    break;
  case Knock::room:
    tell("paused", fmt::format("it is paused, {}: waiting until it goes on", still));
    break;
  case Knock::keys:
    tell("asking", "asking the guest to stop");
    vmm_.running().knock([this](std::optional<Error> fault) {
      // A VMM that cannot be spoken to hears no key; the others have the time of the step.
      if (fault && knock_ == Knock::keys) next();
    });
    break;
  case Knock::ssh:
    tell("ssh", "asking the guest to power off over ssh");
    poweroff_ = acts_.power_off(facts_.timeout);
    break;
  case Knock::term:
    tell("term", "ending the VMM");
    vmm_.signal(SIGTERM);
    break;
  case Knock::kill:
    vmm_.signal(SIGKILL);
    break;
  }
  if (step.wait) next_ = loop_.after(*step.wait, [this] { next(); });
  // After the knock: a state that cannot be written (a full disk) must not keep a VM from ending.
  acts_.on_step();
}

} // namespace banger::ops
