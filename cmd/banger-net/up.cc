#include <nlohmann/json.hpp>

#include "banger-net/verbs.h"
#include "cli/app.h"
#include "common/work.h"
#include "core/text.h"
#include "ops/net/bridge.h"

namespace banger::tool {

namespace {

constexpr const char* name_of_network = "bridge";

struct Up : cli::Verb {
  std::optional<Subnet> subnet;

  void declare(cli::Spec& spec) override {
    spec.options = {{.flags = "--subnet",
                     .value = "SUBNET",
                     .help = "its addresses; else its own, or free ones",
                     .target = {cli::As<Subnet::parse>{}, &subnet}}};
  }

  int run(cli::App& app) override {
    Work work(app);
    return work.for_each(app, "up", {name_of_network}, [&](const std::string&) {
      ops::BridgeUp up = ops::net_up(work.ctx, subnet);
      if (up.uplinks.empty())
        app.notice("this host has no default route: its VMs have no way out now");
      cli::Done done("up");
      done.changed = up.changed;
      done.said = fmt::format("{} {}{}", up.bridge, up.subnet.text(),
                              up.uplinks.empty() ? "" : ", out by " + join(up.uplinks, ", "));
      return done;
    });
  }
};

struct Down : cli::Verb {
  void declare(cli::Spec&) override {}

  int run(cli::App& app) override {
    Work work(app);
    return work.for_each(app, "down", {name_of_network}, [&](const std::string&) {
      cli::Done done("down");
      done.changed = ops::net_down(work.ctx);
      return done;
    });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_up() { return std::make_unique<Up>(); }
std::unique_ptr<cli::Verb> make_down() { return std::make_unique<Down>(); }

} // namespace banger::tool
