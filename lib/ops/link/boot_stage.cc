#include "ops/link/boot_stage.h"

#include "core/text.h"

namespace banger::ops {

Error not_ready(const std::string& name, const BootStage& stage, Millis waited, BootTime time,
                const std::string& console_tail) {
  std::string tail = last_lines(escape_for_terminal(console_tail), 8);
  std::string scaled;
  if (time.given > time.asked && time.asked > Millis(0))
    scaled = fmt::format(" ({} times the timeout of {}, as it is emulated in software)",
                         time.given / time.asked, format_duration(time.asked));
  std::string message = fmt::format("'{}' is not ready after {}{}: {}", name,
                                    format_duration(waited), scaled, stage.text);
  if (!tail.empty()) message += "\nits console ends with:\n" + tail;
  return Error(Code::timeout, message)
      .subject(name)
      .hint(
          fmt::format("it goes on booting: banger vm logs {} shows its console, banger vm kill {} "
                      "ends it",
                      name, name));
}

} // namespace banger::ops
