#include "ops/query/probe_ask.h"

#include <cerrno>

#include <unistd.h>

#include "core/error.h"
#include "sys/file.h"
#include "sys/inet.h"
#include "sys/proc.h"
#include "sys/wait.h"

namespace banger::ops {

namespace {

constexpr Millis connect_patience{3'000}, run_patience{75'000};

} // namespace

ProbeAsk::ProbeAsk(const Vm& vm) : vm_(vm) {
  if (!vm.vmm_process()) return;
  vmm_ = sys::open_process(vm.vmm_process());
  if (!vmm_) vmm_ = Fd(); // it has ended
}

void ProbeAsk::require_vm() const {
  if (!vmm_ || (*vmm_ && !sys::is_readable(vmm_->get()))) return;
  throw conflict("cannot probe '{}': it has ended meanwhile", vm_.name)
      .subject(vm_.name)
      .hint(fmt::format("banger vm start {}", vm_.name));
}

Heard ProbeAsk::connect(const std::string& address, int port) const {
  int err = sys::try_connect_tcp(address, port, connect_patience, vmm_ ? vmm_->get() : -1);
  require_vm();
  switch (err) {
  case 0:
    return Heard::yes;
  case ECONNREFUSED:
    return Heard::no;
  case ETIMEDOUT:
    return Heard::silence;
  default:
    return Heard::fault;
  }
}

std::string ProbeAsk::run(const sys::Command& command, const std::string& input) const {
  sys::Pipe in = sys::make_pipe(), out = sys::make_pipe();
  sys::Child child = sys::spawn(command, {in.read.get(), out.write.get(), -1, {}});
  in.read.reset();
  out.write.reset();
  try {
    sys::write_all(in.write.get(), input); // it reads all of it before it does anything
  } catch (const Error&) {                 // it has ended, and says nothing
  }
  in.write.reset();
  std::string printed;
  const Deadline until(run_patience);
  for (;;) {
    pollfd fds[2] = {{out.read.get(), POLLIN, 0}, {vmm_ ? vmm_->get() : -1, POLLIN, 0}};
    if (sys::wait_any(fds, until) == 0) return printed;
    if (fds[0].revents) {
      char buffer[65536];
      ssize_t n = ::read(out.read.get(), buffer, sizeof buffer);
      if (n > 0) {
        printed.append(buffer, static_cast<size_t>(n));
        continue;
      }
      if (n < 0 && errno == EINTR) continue;
      require_vm();
      return printed;
    }
    require_vm();
  }
}

} // namespace banger::ops
