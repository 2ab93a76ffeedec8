#include "vmm/launch.h"

#include <fcntl.h>

#include <fmt/format.h>

#include "sys/file.h"
#include "sys/socket.h"
#include "vmm/machine.h"

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

Started start(const Launch& launch, const std::string& runtime_dir, int log_fd,
              const std::optional<Inside>& inside) {
  sys::Command command = launch.command;
  command.cwd = runtime_dir;
  command.new_session = true; // a terminal's ^C is not for the VMM
  sys::Stdio stdio{-1, log_fd, log_fd, {}};
  Fd typed, console, log;
  if (!launch.log.empty()) {
    std::string fifo = runtime_dir + "/" + launch.log;
    sys::remove_file(fifo); // unread lines of an earlier VMM are not this one's
    sys::make_fifo(fifo);
    log = sys::open_file(fifo, O_RDWR | O_NONBLOCK);
  }
  if (launch.serial.kind == SerialLine::Kind::stdio) {
    std::string fifo = runtime_dir + "/" + launch.serial.file;
    sys::make_fifo(fifo);
    // Open for writing too: the VMM sees no end of its input when a writer closes the FIFO.
    typed = sys::open_file(fifo, O_RDWR);
    console = sys::open_file(runtime_dir + "/" + console_file, O_WRONLY | O_APPEND);
    stdio.in = typed.get();
    stdio.out = console.get();
  }
  for (const std::string& name : launch.made) sys::remove_file(runtime_dir + "/" + name);
  std::vector<Fd> listeners;
  for (const std::string& name : launch.handed) {
    listeners.push_back(sys::listen_unix(runtime_dir + "/" + name));
    stdio.more.emplace_back(listeners.back().get(), 2 + static_cast<int>(listeners.size()));
  }
  if (inside) {
    int first_fd = 3 + static_cast<int>(listeners.size());
    command = step_into(*inside, std::move(command), first_fd);
    stdio.more.emplace_back(inside->net, first_fd);
    if (inside->user >= 0) stdio.more.emplace_back(inside->user, first_fd + 1);
  }
  return {sys::spawn(command, stdio), std::move(log)};
}

} // namespace banger::vmm
