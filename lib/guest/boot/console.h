// Reads the signs of a guest's boot and end from its console, line by line. Pure.
//
// The guest writes the console, and a hostile one can claim any of these signs. So they only decide
// what banger tells about that guest. Memory is bounded for any input.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace banger::guest {

enum class ConsoleSign {
  first_byte,
  init_stage,  // "banger-init: STAGE SECONDS" of the bundle's init; text is the stage
  init_failed, // "banger-init: failed at STAGE: why"; text is "STAGE: why"
  panic,       // "Kernel panic - not syncing: why"; text is why
  restarting,  // "reboot: Restarting system"
  power_down,  // "reboot: Power down"
  halted       // "reboot: System halted": some VMMs go on for ever
};

class ConsoleReader {
public:
  using Callback = std::function<void(ConsoleSign sign, const std::string& text)>;
  explicit ConsoleReader(Callback callback) : callback_(std::move(callback)) {}
  void feed(std::string_view bytes);

private:
  void line(std::string_view text);

  Callback callback_;
  bool any_ = false;
  std::string partial_; // at most one line of 4 KiB; a longer one is cut
};

} // namespace banger::guest
