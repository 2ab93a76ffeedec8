// A guest that its VMM has stopped: because a verb asked for it, or because a disk of the host is
// full or fails. Tells the reason in words. In the second case it lets the guest go on as soon as
// that can help. Such a guest has lost nothing: its pending writes are then made.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "ops/monitor/vmm.h"
#include "sys/loop.h"

namespace banger::ops {

// For people. `free`: the bytes that are left for the disk, where that is known. Pure.
std::string reason_of(const vmm::Pause& pause, std::optional<int64_t> free,
                      const std::string& place);

class Standstill {
public:
  // `on_change` is called from the loop when the guest stands still, when it does so for another
  // reason, and when it has gone on for a moment.
  Standstill(sys::Loop& loop, Log& log, Vmm& vmm, std::function<void()> on_change);
  ~Standstill();
  Standstill(const Standstill&) = delete;
  Standstill& operator=(const Standstill&) = delete;

  // Takes the VMM's report (vmm::Told::pause); `runtime_dir` has its disks.
  void take(const std::optional<vmm::Pause>& pause, const std::string& runtime_dir);
  // The row's reason, of a VM that another monitor had paused.
  void take_over(const std::string& reason);
  // Stops the guest, which runs, for the reason `why`, or lets it go on. A VMM that does not answer
  // in time may stop it after all; it is let go on then, because its verb was told that it runs.
  // `fault` is called only where the VMM refuses or does not answer; else on_change tells.
  void pause(const std::string& why, std::function<void(const Error&)> fault);
  void resume(std::function<void(const Error&)> fault);
  bool is_asked_for() const { return pause_ && pause_->asked; }
  // Why it stands still; empty while it runs.
  const std::string& reason() const { return reason_; }
  // Grows whenever the guest is let go on, goes on or ends: while it is the same, a guest that
  // stands still has not moved. reason() is some way behind.
  int moves() const { return moves_; }
  // The VMM has ended.
  void end();

private:
  void stand(const vmm::Pause& pause, const std::string& runtime_dir);
  void go_on();
  void look_for_room();
  std::optional<int64_t> room() const;

  sys::Loop& loop_;
  Log& log_;
  Vmm& vmm_;
  std::function<void()> on_change_;
  std::optional<vmm::Pause> pause_; // the reason why it stands still
  std::string asked_why_ = paused_on_request;
  std::string reason_, file_;
  std::optional<int64_t> room_; // that was not enough
  SteadyTime tried_{};
  bool is_unwanted_ = false; // a pause that may come still
  int moves_ = 0;
  sys::Loop::Timer look_ = 0, settled_ = 0;
};

} // namespace banger::ops
