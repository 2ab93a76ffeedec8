// A guest's memory as QEMU has it from the guest's balloon driver. The guest is asked when somebody
// asks here, and not between: an idle guest is not woken for it.
//
// QEMU, hw/virtio/virtio-balloon.c: properties guest-stats, guest-stats-polling-interval.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/clock.h"
#include "vmm/driver.h"
#include "vmm/qmp.h"

namespace banger::vmm {

inline constexpr std::string_view balloon_id = "b0"; // of the device

class Balloon {
public:
  // `qmp` outlives this.
  Balloon(sys::Loop& loop, Qmp& qmp) : loop_(loop), qmp_(qmp) {}
  ~Balloon();
  Balloon(const Balloon&) = delete;
  Balloon& operator=(const Balloon&) = delete;

  // Whoever asks while the guest is asked gets the same answer. A guest that did not tell within
  // half a second is not asked again for a minute: then it is an error at once.
  void look(MemoryDone done);

private:
  // The guest is asked every so many seconds, and at once when it was not before; 0: no more.
  void ask_every(int seconds, Qmp::Answer answer);
  void read();
  void settle(std::expected<GuestMemory, Error> how);

  sys::Loop& loop_;
  Qmp& qmp_;
  std::vector<MemoryDone> askers_;
  int64_t asked_at_ = 0; // seconds since 1970, as QEMU counts
  SteadyTime give_up_, mute_until_;
  sys::Loop::Timer timer_ = 0;
};

// The answer to guest-stats: none when it is older than `since`, in seconds, or lacks a part. Pure.
std::optional<GuestMemory> parse_guest_stats(const nlohmann::json& answer, int64_t since);

} // namespace banger::vmm
