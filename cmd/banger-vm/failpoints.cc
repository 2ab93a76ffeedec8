#include "banger-vm/verbs.h"
#include "cli/app.h"
#include "core/failpoint.h"

namespace banger::tool {

namespace {

struct Failpoints : cli::Verb {
  void declare(cli::Spec&) override {}
  int run(cli::App& app) override {
    if (!failpoints_built_in) throw failed("this build has no failpoints");
    for (const PointName& p : failpoint_names) app.out.line(p.name);
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_failpoints() { return std::make_unique<Failpoints>(); }

} // namespace banger::tool
