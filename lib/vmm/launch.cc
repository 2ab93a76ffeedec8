#include "vmm/driver.h"

#include "sys/socket.h"

namespace banger::vmm {

sys::Child start(const Launch& launch, const std::string& runtime_dir, int log_fd) {
  sys::Command command = launch.command;
  command.cwd = runtime_dir;
  command.new_session = true; // a terminal's ^C is not for the VMM
  std::vector<Fd> listeners;
  sys::Stdio stdio{-1, log_fd, log_fd, {}};
  for (const std::string& name : launch.listeners) {
    listeners.push_back(sys::listen_unix(runtime_dir + "/" + name));
    stdio.more.emplace_back(listeners.back().get(), 2 + static_cast<int>(listeners.size()));
  }
  return sys::spawn(command, stdio);
}

} // namespace banger::vmm
