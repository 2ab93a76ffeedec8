#include "ops/monitor/await_helper.h"

#include <csignal>

#include "core/error.h"

namespace banger::ops {

namespace {

constexpr Millis time_for_a_key{60'000};
// The verb has the deadline; a slow guest becomes ready all the same.
constexpr double for_ever = 7 * 86400;

sys::Child start(const std::string& libexec_dir, int errors, Fd& link) {
  auto [ours, theirs] = sys::socket_pair();
  link = std::move(ours);
  return sys::spawn({{libexec_dir + "/banger-guest", "await"}, {}, {}, false},
                    {theirs.get(), theirs.get(), errors, {}});
}

} // namespace

AwaitHelper::AwaitHelper(const std::string& libexec_dir, int errors)
    : child_(start(libexec_dir, errors, link_)), lines_(link_.get()) {}

AwaitHelper::~AwaitHelper() {
  try {
    child_.kill(SIGKILL);
    child_.wait();
  } catch (const Error&) {
    // It ends by itself when nobody listens any more.
  }
}

void AwaitHelper::ask_host_key() {
  sys::send_all(link_.get(), guest::to_line(guest::HostKeyRequest{}) + "\n");
  asked_ = true;
}

guest::KeyPair AwaitHelper::host_key() {
  if (!asked_) ask_host_key();
  asked_ = false;
  auto line = lines_.next(time_for_a_key);
  if (!line)
    throw failed("cannot make an ssh host key: banger-guest {}",
                 lines_.ended() ? "died" : "said nothing");
  return guest::parse_host_key(*line);
}

void AwaitHelper::begin(const guest::Endpoint& endpoint) {
  sys::send_all(link_.get(), guest::to_line(guest::AwaitRequest{endpoint, for_ever}) + "\n");
}

std::optional<guest::StageReport> AwaitHelper::buffered() {
  auto line = lines_.buffered();
  if (!line) return {};
  return guest::parse_stage_report(*line);
}

} // namespace banger::ops
