#include "guest/service/ready.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

#include "core/error.h"
#include "core/units.h"
#include "guest/ssh/session.h"
#include "guest/ssh/transport.h"
#include "sys/wait.h"

namespace banger::guest {

namespace {

using namespace std::chrono_literals;

constexpr Millis reconnect = 400ms;        // while nothing is known
constexpr Millis reconnect_silent = 3s;    // beside one that a server has probably taken
constexpr Millis reconnect_closed = 100ms; // when the guest's kernel answers: cheap for it
constexpr Millis next_login = 250ms;
constexpr Millis silence = 1s; // after which "no answer" is reported
constexpr size_t most_probes = 8;
// How long one login may take; under emulation a server needs seconds for it.
constexpr Millis login_time = 60s;

// A connection that waits for the first byte of a banner.
struct Probe {
  Fd socket;
  bool connected;
};

class Waiting {
public:
  Waiting(const Endpoint& endpoint, const Deadline& deadline,
          const std::function<void(const StageReport&)>& report, int listener)
      : endpoint_(endpoint), deadline_(deadline), report_(report), listener_(listener),
        start_(steady_now()), next_(start_), heard_(start_), silent_since_(start_) {
    tell(Stage::connecting, {});
  }

  Stage run() {
    while (!deadline_.has_passed() && !unheard_) {
      begin_probes();
      if (auto socket = poll_probes()) try_login(std::move(*socket));
      if (last_ == Stage::ready || last_ == Stage::mismatch) break;
    }
    return last_;
  }

private:
  void tell(Stage stage, const std::string& detail) {
    last_ = stage;
    report_({stage, Seconds(steady_now() - start_).count(), detail});
  }
  // Reports the result of a connection, unless it is the same as the last.
  void outcome(Stage stage, const std::string& detail) {
    heard_ = steady_now();
    if (stage == last_ && detail == last_detail_) return;
    last_detail_ = detail;
    tell(stage, detail);
  }
  // Reports a stage that is passed for the first time.
  void passed(Stage stage, std::string_view detail) {
    if (stage <= furthest_) return;
    furthest_ = stage;
    tell(stage, std::string(detail));
  }

  void begin_probes() {
    auto now = steady_now();
    if (now < next_) return;
    if (probes_.size() == most_probes) probes_.erase(probes_.begin());
    auto [socket, error] = begin_connect(endpoint_.address, endpoint_.port);
    if (error != 0 && error != EINPROGRESS) return lost(error);
    probes_.push_back({std::move(socket), error == 0});
    next_ = now + pause();
  }

  // Until another connection is begun beside those that are silent.
  Millis pause() const {
    // The network drops what is not connected: it costs the guest nothing.
    if (std::ranges::none_of(probes_, &Probe::connected)) return reconnect;
    // What is connected is a slow server's work, also when it is given up. That grows with the
    // logarithm of the time alone, or a server that is slower than we ask would never be done.
    return std::max(answers_ ? reconnect_silent : reconnect,
                    std::chrono::duration_cast<Millis>((steady_now() - silent_since_) / 2));
  }

  // A probe that ended without a banner.
  void lost(int error) {
    if (error == EHOSTUNREACH || error == ENETUNREACH || error == ETIMEDOUT) {
      next_ = steady_now() + reconnect;
      outcome(Stage::no_answer, Error::from_errno(error, "no connection").message());
      return;
    }
    // "Refused" may come from a VMM that takes no connections yet: it tells nothing of the guest.
    bool refused = error == ECONNREFUSED;
    // Older probes were sent before the guest's network was there, or it would have answered them.
    // They only wait for their retransmission, seconds later. Once it answers, a server has those
    // that are silent, and turns others away.
    if (!refused && !answers_) probes_.clear();
    answers_ = answers_ || !refused;
    if (probes_.empty()) silent_since_ = steady_now();
    next_ = steady_now() + (refused || probes_.empty() ? reconnect_closed : pause());
    outcome(Stage::closed,
            refused ? "nothing listens on the port" : "connections are closed at once");
  }

  // Waits for the next event. Returns the socket on which a banner begins, if one does.
  std::optional<Fd> poll_probes() {
    std::vector<pollfd> polled;
    for (const auto& p : probes_)
      polled.push_back({p.socket.get(), static_cast<short>(p.connected ? POLLIN : POLLOUT), 0});
    polled.push_back({listener_, 0, 0}); // hang-ups are always told
    size_t n = sys::wait_any(polled, sleep_ms());
    unheard_ = n > 0 && polled.back().revents != 0;
    polled.pop_back();
    std::optional<Fd> banner;
    std::optional<int> ended;
    for (size_t i = polled.size(); n > 0 && i-- > 0;) {
      if (!polled[i].revents) continue;
      Probe& probe = probes_[i];
      int error = connect_error(probe.socket.get());
      if (!probe.connected && error == 0) {
        probe.connected = true;
        next_ = steady_now() + pause();
        continue;
      }
      char first = 0;
      ssize_t got = error ? -1 : ::recv(probe.socket.get(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
      if (got > 0)
        banner = std::move(probe.socket);
      else
        ended = error ? error : got == 0 ? 0 : errno;
      probes_.erase(probes_.begin() + static_cast<ptrdiff_t>(i));
    }
    if (banner) return banner;
    if (ended) lost(*ended);
    if (steady_now() - heard_ >= silence) outcome(Stage::no_answer, "connections stay silent");
    return {};
  }

  int sleep_ms() const {
    auto sleep = std::clamp(std::chrono::ceil<Millis>(next_ - steady_now()), Millis(0), silence);
    int left = deadline_.poll_ms();
    return left < 0 ? static_cast<int>(sleep.count())
                    : std::min(left, static_cast<int>(sleep.count()));
  }

  void try_login(Fd socket) {
    // Other probes would only burden the guest. A login that the deadline cuts off is not reported.
    probes_.clear();
    answers_ = true;
    int left = deadline_.poll_ms();
    Deadline login(left < 0 ? login_time : std::min(Millis(left), login_time));
    auto session =
        Session::open(std::move(socket), endpoint_, login,
                      [&](Stage stage, std::string_view detail) { passed(stage, detail); });
    if (session) {
      run_command(*session, login);
    } else if (!deadline_.has_passed()) {
      outcome(session.error().stage, session.error().detail);
    }
    silent_since_ = steady_now();
    next_ = silent_since_ + next_login;
  }

  void run_command(Session& session, const Deadline& login) {
    try {
      // Built into every shell: it shows that a login gets a process, and costs no other.
      auto done = session.run(":", {-1, -1, -1, 200}, login);
      if (done.status == 0)
        tell(Stage::ready, {});
      else
        outcome(Stage::refused,
                fmt::format("the guest's shell gave status {}: {}", done.status, done.tail));
    } catch (const Error& e) {
      if (!deadline_.has_passed()) outcome(Stage::refused, e.message());
    }
  }

  const Endpoint& endpoint_;
  const Deadline& deadline_;
  const std::function<void(const StageReport&)>& report_;
  int listener_;
  bool unheard_ = false;
  SteadyTime start_, next_, heard_;
  SteadyTime silent_since_;   // the start, or the last end of a connection that was alone
  std::vector<Probe> probes_; // oldest first
  bool answers_ = false;      // the guest's kernel was heard of on the port
  Stage last_ = Stage::connecting, furthest_ = Stage::closed;
  std::string last_detail_;
};

} // namespace

Stage await_ready(const Endpoint& endpoint, const Deadline& deadline,
                  const std::function<void(const StageReport&)>& report, int listener) {
  return Waiting(endpoint, deadline, report, listener).run();
}

} // namespace banger::guest
