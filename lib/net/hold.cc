#include "core/error.h"
#include "core/text.h"
#include "net/helpers.h"
#include "net/holder.h"
#include "net/links.h"
#include "net/render.h"
#include "net/rules.h"
#include "sys/namespace.h"

namespace banger::net {

namespace {

constexpr int listener_fd = 3, net_fd = 4, user_fd = 5;

// As much as a first VM needs; it goes with this process.
void try_all() {
  sys::make_network_namespace();
  NetPlan plan = base_plan("0000", Subnet::parse("10.0.2.0/24"));
  plan.join = {{1, "52:54:00:00:00:00", "10.0.2.4"}};
  Rendered trial = render(plan);
  Links links;
  for (const Link& link : trial.present) links.ensure(link);
  Rules().apply(trial.rules);
}

} // namespace

void hold_network(const std::vector<std::string>& words) {
  HostAddresses host; // of the namespace that is left now
  std::string verb = words.empty() ? "" : words[0];
  if (verb == "try" && words.size() == 1) return try_all();
  if (verb == "new" && words.size() == 1)
    sys::make_network_namespace();
  else if (verb == "enter" && words.size() == 1)
    sys::enter(net_fd, -1);
  else if (verb == "enter" && words.size() == 2 && words[1] == "with-user")
    sys::enter(net_fd, user_fd);
  else
    throw usage("unknown request '{}'", join(words, " "));
  serve_holder(Fd(listener_fd), std::move(host));
}

} // namespace banger::net
