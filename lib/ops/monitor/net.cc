// The monitor's part in the private network: its VMM runs inside, and it watches over the rest.
#include "core/error.h"
#include "model/port.h"
#include "ops/monitor/monitor.h"

namespace banger::ops {

sys::Child Monitor::spawn_vmm() {
  if (vm_.net_mode != NetMode::user)
    return vmm::start(driver_->launch(prepared_->machine), places_.runtime, vmm_log_.get());
  // Joined anew at each start: the tap that a reboot finds may have gone with its network.
  PrivateNet::Joined joined = net_.join(vm_);
  prepared_->machine.tap_net = vmm::TapNet{joined.tap};
  vmm::Inside inside{request_.libexec_dir + "/banger-enter", joined.where.net.get(),
                     joined.where.user.get()};
  return vmm::start(driver_->launch(prepared_->machine), places_.runtime, vmm_log_.get(), inside);
}

void Monitor::watch_network() {
  if (vm_.net_mode == NetMode::user) net_watch_.begin();
}

void Monitor::leave_network() {
  net_watch_.end();
  if (vm_.net_mode == NetMode::user) net_.leave(vm_);
}

void Monitor::change_port(Client& c, const Ask& ask) {
  auto answer = [&](const Report& r) { sys::send_all(c.fd.get(), to_line(r)); };
  try {
    Port port = parse_port(ask.data);
    if (vm_.net_mode != NetMode::isolated || !control_)
      throw conflict("'{}' has no network of its VMM's own now", vm_.name);
    if (ask.verb == "publish")
      control_->add_forward(port, vm_.address);
    else
      control_->remove_forward(port);
    // The guest's reboot starts the VMM with what is forwarded now.
    if (prepared_ && prepared_->machine.user_net) {
      auto& forwards = prepared_->machine.user_net->forwards;
      std::erase(forwards, port);
      if (ask.verb == "publish") forwards.push_back(port);
    }
    answer({Report::Kind::stage, ask.verb, {}, {}, {}});
  } catch (const Error& e) {
    answer({Report::Kind::failed, {}, {}, e, {}});
  }
}

} // namespace banger::ops
