// The network of a VM that is isolated: its VMM's own, with no other VM in it.
#pragma once

#include <string>

#include "ops/net/place.h"

namespace banger::ops {

class Isolated : public NetPlace {
public:
  explicit Isolated(Context& ctx) : ctx_(ctx) {}

  void lease(std::string_view doing, const std::optional<std::string>& ip, Vm& vm) override;
  void attach(Vm& vm) override;
  void bring(const Vm&) override {}
  void repair(const Vm&) override {}
  void leave(const Vm&) override {}
  void tidy() override {}
  // Error(conflict) where a port of UDP is published and there is no way out.
  Attachment attachment(const Vm& vm, bool way_out) override;
  std::string resolver(const Vm& vm) override { return resolver_of_way(vm); }
  std::vector<ProcessId> keepers(const Vm&) override { return {}; }
  // Throw Error(failed): its VMM does it.
  void add_forward(const Vm& vm, const Port& port) override;
  void remove_forward(const Vm& vm, const Port& port) override;

private:
  Context& ctx_;
};

} // namespace banger::ops
