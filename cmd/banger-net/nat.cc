#include "ops/vm/nat.h"
#include "banger-net/verbs.h"
#include "cli/app.h"
#include "common/work.h"

namespace banger::tool {

namespace {

struct Nat : cli::Verb {
  explicit Nat(bool on_or_off) : on(on_or_off) {}

  const bool on;
  std::vector<std::string> names;

  void declare(cli::Spec& spec) override {
    spec.operands = {{.name = "NAME",
                      .help = on ? "VM that gets a way out" : "VM that has none any more",
                      .complete = cli::Complete::vms,
                      .target = &names}};
  }

  int run(cli::App& app) override {
    Work work(app);
    return work.for_each(app, on ? "nat up" : "nat down", names, [&](const std::string& name) {
      ops::Reached r = ops::set_nat(work.ctx, name, on);
      cli::Done done{name_of(r.vm.state), r.changed};
      done.said = on ? "has a way out" : "has no way out";
      return done;
    });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_nat_up() { return std::make_unique<Nat>(true); }
std::unique_ptr<cli::Verb> make_nat_down() { return std::make_unique<Nat>(false); }

} // namespace banger::tool
