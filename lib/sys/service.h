// The protocols by which a service manager hands a service its sockets and hears from it: those of
// sd_listen_fds(3) and sd_notify(3), which others speak, too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/handle.h"

namespace banger::sys {

// The sockets that were opened for this process before it was started; empty without any. Taken
// once: the environment forgets them, and they are close-on-exec.
std::vector<Fd> take_service_sockets();

// Says how this service does ("READY=1", "STOPPING=1"). Nothing happens where no manager listens,
// and a message that cannot be sent is lost.
void tell_service_manager(std::string_view how);

// Hears a program say that, for the process that starts the program and waits until it is ready.
class ServiceEar {
public:
  ServiceEar();
  // For the program's environment, as NOTIFY_SOCKET.
  const std::string& name() const { return name_; }
  // Readable when it has said something.
  int fd() const { return fd_.get(); }
  // Whether it has said, by now, that it is ready.
  bool heard_ready();

private:
  Fd fd_;
  std::string name_;
};

} // namespace banger::sys
