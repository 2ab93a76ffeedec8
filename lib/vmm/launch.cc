#include "vmm/driver.h"

#include <fmt/format.h>

#include "sys/socket.h"

namespace banger::vmm {

sys::Command step_into(const Inside& inside, sys::Command command, int first_fd) {
  std::vector<std::string> step{inside.step, "--net", fmt::format("{}", first_fd)};
  if (inside.user >= 0) {
    step.emplace_back("--user");
    step.push_back(fmt::format("{}", first_fd + 1));
  }
  step.emplace_back("--");
  command.argv.insert(command.argv.begin(), step.begin(), step.end());
  return command;
}

sys::Child start(const Launch& launch, const std::string& runtime_dir, int log_fd,
                 const std::optional<Inside>& inside) {
  sys::Command command = launch.command;
  command.cwd = runtime_dir;
  command.new_session = true; // a terminal's ^C is not for the VMM
  std::vector<Fd> listeners;
  sys::Stdio stdio{-1, log_fd, log_fd, {}};
  for (const std::string& name : launch.listeners) {
    listeners.push_back(sys::listen_unix(runtime_dir + "/" + name));
    stdio.more.emplace_back(listeners.back().get(), 2 + static_cast<int>(listeners.size()));
  }
  if (inside) {
    int first_fd = 3 + static_cast<int>(listeners.size());
    command = step_into(*inside, std::move(command), first_fd);
    stdio.more.emplace_back(inside->net, first_fd);
    if (inside->user >= 0) stdio.more.emplace_back(inside->user, first_fd + 1);
  }
  return sys::spawn(command, stdio);
}

} // namespace banger::vmm
