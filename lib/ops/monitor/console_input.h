// Brings the keys that people type on a VM's serial line from the monitor to the VMM.
//
// A VMM's console socket takes one connection at a time, so the monitor holds it for all viewers.
// The guest's output arrives on it as well and is dropped: viewers read the console's log.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/handle.h"
#include "sys/loop.h"
#include "sys/outbox.h"
#include "vmm/launch.h"

namespace banger::ops {

class ConsoleInput {
public:
  // `on_room` is called when a send() that was told to pause may go on.
  ConsoleInput(sys::Loop& loop, const vmm::SerialLine& line, const std::string& runtime_dir,
               std::function<void()> on_room);
  ~ConsoleInput();
  ConsoleInput(const ConsoleInput&) = delete;
  ConsoleInput& operator=(const ConsoleInput&) = delete;

  // Takes all of it; false when the guest reads too slowly and the sender shall pause. Bytes that
  // come while there is no VMM are lost, as on a serial line without a machine: viewers stay
  // connected between two boots of the guest.
  bool send(std::string_view bytes);

private:
  bool open();
  void close();
  void look_for_room();

  sys::Loop& loop_;
  vmm::SerialLine::Kind kind_;
  std::string path_;
  std::function<void()> on_room_;
  Fd fd_;
  std::unique_ptr<sys::Outbox> out_;
  bool paused_ = false;
};

} // namespace banger::ops
