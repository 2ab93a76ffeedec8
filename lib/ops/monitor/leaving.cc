#include "ops/monitor/leaving.h"

#include <algorithm>

#include "core/error.h"
#include "ops/monitor/place_helper.h"
#include "ops/release/mapping.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

// Other VMs may wait for net.lock before this one.
constexpr Millis patience{30'000};
// The time of all steps of a VM that is killed, and the least that each step has.
constexpr Millis time_in_haste{1'200}, least{300};
// Of a disk's device in haste, too: nobody else can keep it, and it would be the next command's.
constexpr Millis time_to_unmap{5'000};

} // namespace

Leaving::Leaving(Context& ctx, sys::Loop& loop, Run run, bool in_haste, Done done)
    : ctx_(ctx), loop_(loop), run_(run), done_(std::move(done)) {
  if (in_haste) haste_.emplace(time_in_haste);
  run_.vmm.end([this](std::optional<Error> left) {
    if (left) return finish(std::move(left));
    unmap();
  });
}

void Leaving::unmap() {
  step_ = Step::mapping;
  try {
    if (!has_mapping(ctx_.state, run_.row.vm().id)) return leave_network();
    unmapper_ =
        ask_place(ctx_, loop_, {"unmap", run_.row.vm().id}, run_.places.runtime, run_.errors,
                  std::max(time_left(), time_to_unmap), [this](std::optional<Error> fault) {
                    unmapper_.reset();
                    if (fault) ctx_.log.warn("disk.left_behind", *fault);
                    leave_network();
                  });
  } catch (const Error& e) {
    finish(e);
  }
}

void Leaving::hurry() {
  if (haste_) return;
  haste_.emplace(time_in_haste);
  if (step_ == Step::mapping) return unmap();
  if (step_ == Step::network) return leave_network();
  if (step_ == Step::removal) return remove();
}

Millis Leaving::time_left() const {
  return haste_ ? std::max(least, Millis(haste_->poll_ms())) : patience;
}

void Leaving::leave_network() {
  step_ = Step::network;
  if (!run_.network) return on_left_network({});
  run_.network->leave(time_left(),
                      [this](std::optional<Error> fault) { on_left_network(std::move(fault)); });
}

void Leaving::on_left_network(std::optional<Error> fault) {
  if (fault && fault->code() != Code::timeout) return finish(std::move(fault));
  if (fault) ctx_.log.warn("net.left_behind", *fault);
  try {
    sys::remove_tree(run_.places.runtime);
    run_.row.ended(run_.outcome, run_.timings);
  } catch (const Error& e) {
    return finish(e);
  }
  if (!run_.row.vm().remove_when_stopped) return finish({});
  remove();
}

// A helper removes it: others may hold the locks of the network, known hosts and ssh config.
void Leaving::remove() {
  step_ = Step::removal;
  try {
    remover_ = ask_place(ctx_, loop_, {"remove", run_.row.vm().id}, {}, run_.errors, time_left(),
                         [this](std::optional<Error> fault) {
                           remover_.reset();
                           // The row says that it is being removed and has no monitor: the
                           // next command finishes that.
                           if (fault && fault->code() == Code::timeout) {
                             ctx_.log.warn("vm.left_behind", *fault);
                             fault.reset();
                           }
                           finish(std::move(fault));
                         });
  } catch (const Error& e) {
    finish(e);
  }
}

void Leaving::finish(std::optional<Error> left) {
  if (auto done = std::exchange(done_, {})) done(std::move(left));
}

} // namespace banger::ops
