// Reads a guest's output from the console's log, for the signs of a boot and of an end. Keeps the
// logs of console and VMM from growing without end.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/handle.h"
#include "core/units.h"
#include "guest/boot/console.h"
#include "sys/loop.h"

namespace banger::ops {

class ConsoleLog {
public:
  using OnSign = std::function<void(guest::ConsoleSign, const std::string& text)>;

  // Makes both files where they are missing. Lines that are in them already are not read. `on_sign`
  // is called from the loop, or by read().
  ConsoleLog(sys::Loop& loop, std::string console, std::string vmm_log, OnSign on_sign);
  ~ConsoleLog();
  ConsoleLog(const ConsoleLog&) = delete;
  ConsoleLog& operator=(const ConsoleLog&) = delete;

  // Another guest begins: half a line of the one before is forgotten.
  void begin();
  // Reads all that is in the log now, or its end where that is far ahead. Neither a guest that goes
  // on writing nor a VMM that makes it longer than any disk makes this endless.
  void read();
  // The shortest time between two looks at the log.
  void rest_for(Millis pause) { pause_ = pause; }
  // The end of each, at most 4 KiB.
  std::string console_tail() const;
  std::string vmm_tail() const;
  // The log for the error output of helpers and the VMM.
  int vmm_log() const { return vmm_.get(); }

private:
  void on_change();

  sys::Loop& loop_;
  std::string console_path_, vmm_path_;
  OnSign on_sign_;
  Fd console_, vmm_, watch_;
  int64_t offset_ = 0;
  std::unique_ptr<guest::ConsoleReader> reader_;
  Millis pause_{5};
  sys::Loop::Timer timer_ = 0;
};

} // namespace banger::ops
