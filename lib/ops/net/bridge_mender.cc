#include "ops/net/bridge_mender.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "helper/client.h"
#include "net/rule_changes.h"
#include "ops/common/rights.h"

namespace banger::ops {

namespace {

// A firewall that is reloaded takes all away and puts its own back in several steps.
constexpr Millis settling{200};
constexpr Millis shortest{1'000}, longest{60'000};

} // namespace

BridgeMender::BridgeMender(sys::Loop& loop, Log& log, const Dirs& dirs, std::string tag, int link,
                           Fd changes)
    : loop_(loop), log_(log), dirs_(dirs), tag_(std::move(tag)), link_(link),
      changes_(std::move(changes)), pause_(shortest) {
  loop_.watch(changes_.get(), [this] { on_change(); });
}

BridgeMender::~BridgeMender() { loop_.forget(changes_.get()); }

// Nothing wakes it meanwhile, however many there are.
void BridgeMender::on_change() {
  loop_.forget(changes_.get());
  loop_.at(std::max(steady_now() + settling, next_), [this] { mend(); });
}

void BridgeMender::mend() {
  const SteadyTime now = steady_now();
  pause_ = now - next_ > pause_ ? shortest : std::min(2 * pause_, longest);
  next_ = now + pause_;
  net::hear_changes(changes_.get()); // before the look: what comes after it is news again
  try {
    sys::Command command = helper_command(dirs_);
    command.cwd = "/"; // who works in the network's directory ends with the network
    helper::Client::Mended mended = helper::Client(command).mend(tag_);
    if (!mended.faults.empty())
      log_.warn("net.mended", {{"bridge", tag_}, {"faults", join(mended.faults, "; ")}});
    if (mended.link != link_) return loop_.stop();
  } catch (const Error& e) {
    if (e.code() != Code::not_found) log_.warn("net.not_mended", e, {{"bridge", tag_}});
  }
  loop_.watch(changes_.get(), [this] { on_change(); });
}

} // namespace banger::ops
