#include "ops/monitor/forwards.h"

#include <variant>
#include <vector>

#include "model/port.h"
#include "ops/net/nature.h"

namespace banger::ops {

void change_forward(const Ask& ask, const Vm& vm, Vmm& vmm, std::optional<Prepared>& prepared,
                    const Reply& reply) {
  try {
    Port port = parse_port(ask.data);
    auto* net = nature_of(vm.net_mode).vmm_forwards && vmm ? vmm.running().user_net() : nullptr;
    if (!net) throw conflict("'{}' has no network of its VMM's own now", vm.name);
    bool add = ask.verb == "publish";
    auto done = [&prepared, reply, port, add](std::optional<Error> fault) {
      if (fault) return reply.refuse(*fault);
      if (auto* own = prepared ? std::get_if<vmm::UserNet>(&prepared->machine.net) : nullptr) {
        std::erase(own->forwards, port);
        if (add) own->forwards.push_back(port);
      }
      reply.done();
    };
    if (add)
      net->add_forward(port, vm.address, done);
    else
      net->remove_forward(port, done);
  } catch (const Error& e) {
    reply.refuse(e);
  }
}

} // namespace banger::ops
