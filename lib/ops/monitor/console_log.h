// What a guest writes on its serial line, as its monitor reads it from the console's log: the signs
// of a boot and of an end. Keeps the logs of console and VMM from growing without end.
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

  // Makes both files where they are missing; what stands in them already is not read. `on_sign` is
  // called from the loop, or by read().
  ConsoleLog(sys::Loop& loop, std::string console, std::string vmm_log, OnSign on_sign);
  ~ConsoleLog();
  ConsoleLog(const ConsoleLog&) = delete;
  ConsoleLog& operator=(const ConsoleLog&) = delete;

  // Another guest begins: half a line of the one before is forgotten.
  void begin();
  // All that there is now; a guest that goes on writing does not keep this from its end.
  void read();
  // How soon what was written is looked at again, at the most.
  void rest_for(Millis pause) { pause_ = pause; }
  // The end of each, at most 4 KiB.
  std::string console_tail() const;
  std::string vmm_tail() const;
  // For what helpers and the VMM have to say.
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
