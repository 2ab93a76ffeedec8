#include <gtest/gtest.h>

#include "vmm/ending.h"

namespace banger::vmm {

namespace {

constexpr sys::ExitStatus well{true, 0, 0}, failed_itself{true, 1, 0}, killed{false, 0, 9};

ConsoleSigns silent() { return {}; }
ConsoleSigns panicked() { return {"why", false}; }
ConsoleSigns restarting() { return {{}, true}; }

struct Row {
  const char* what;
  std::optional<sys::ExitStatus> status;
  std::vector<VmmEvent> events;
  ConsoleSigns signs;
  Ending wanted;
};

void check(VmmKind kind, const std::vector<Row>& rows) {
  for (const Row& r : rows)
    EXPECT_EQ(ending(kind, r.status, r.events, r.signs), r.wanted) << r.what;
}

} // namespace

TEST(Ending, OfQemuIsWhatItsEventsSay) {
  using enum VmmEvent;
  check(VmmKind::qemu,
        {{"poweroff", well, {guest_shutdown}, silent(), Ending::powered_off},
         {"poweroff after a panic that was made up",
          well,
          {guest_shutdown},
          panicked(),
          Ending::powered_off},
         {"reboot", well, {guest_reset}, restarting(), Ending::rebooted},
         {"reboot that the console does not tell", well, {guest_reset}, silent(), Ending::rebooted},
         {"reboot, not our child", {}, {guest_reset}, silent(), Ending::rebooted},
         {"panic", well, {guest_reset}, panicked(), Ending::panicked},
         {"panic of a VMM that could not be heard", well, {}, panicked(), Ending::panicked},
         {"panic of one that was not our child either", {}, {}, panicked(), Ending::panicked},
         {"SIGTERM", well, {host_quit}, silent(), Ending::died},
         {"SIGTERM after a panic", well, {host_quit}, panicked(), Ending::panicked},
         {"the last event counts", well, {guest_reset, host_quit}, restarting(), Ending::died},
         {"SIGKILL", killed, {}, silent(), Ending::died},
         {"SIGKILL after a panic", killed, {}, panicked(), Ending::panicked},
         {"SIGKILL, and a made-up reboot", killed, {}, restarting(), Ending::died},
         {"it could not start", failed_itself, {}, silent(), Ending::died},
         {"without a word", well, {}, silent(), Ending::died}});
}

TEST(Ending, OfFirecrackerIsWhatTheConsoleSays) {
  check(VmmKind::firecracker,
        {{"reboot", well, {}, restarting(), Ending::rebooted},
         {"reboot, not our child", {}, {}, restarting(), Ending::rebooted},
         {"panic", well, {}, panicked(), Ending::panicked},
         {"without a word", well, {}, silent(), Ending::died},
         {"SIGKILL, and a made-up reboot", killed, {}, restarting(), Ending::died},
         {"SIGKILL after a panic", killed, {}, panicked(), Ending::panicked},
         {"it could not start", failed_itself, {}, restarting(), Ending::died}});
}

} // namespace banger::vmm
