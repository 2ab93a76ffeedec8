#include "ops/monitor/forwards.h"

#include <variant>
#include <vector>

#include "model/port.h"
#include "ops/net/nature.h"

namespace banger::ops {

void change_forward(const Ask& ask, const Vm& vm, Vmm& vmm, std::optional<Prepared>& prepared,
                    const std::function<void(const Report&)>& answer) {
  auto refuse = [answer](const Error& e) { answer({Report::Kind::failed, {}, {}, e, {}}); };
  try {
    Port port = parse_port(ask.data);
    auto* net = nature_of(vm.net_mode).vmm_forwards && vmm ? vmm.running().user_net() : nullptr;
    if (!net) throw conflict("'{}' has no network of its VMM's own now", vm.name);
    bool add = ask.verb == "publish";
    auto done = [&prepared, answer, refuse, port, add,
                 verb = ask.verb](std::optional<Error> fault) {
      if (fault) return refuse(*fault);
      if (auto* own = prepared ? std::get_if<vmm::UserNet>(&prepared->machine.net) : nullptr) {
        std::erase(own->forwards, port);
        if (add) own->forwards.push_back(port);
      }
      answer({Report::Kind::stage, verb, {}, {}, {}});
    };
    if (add)
      net->add_forward(port, vm.address, done);
    else
      net->remove_forward(port, done);
  } catch (const Error& e) {
    refuse(e);
  }
}

} // namespace banger::ops
