#include "cli/guard.h"

#include <array>
#include <csignal>

#include <fcntl.h>

#include "sys/wait.h"

namespace banger::cli {

namespace {

// A write that cannot be done is an error to be told and undone, not the end of the process: there
// is no reader (SIGPIPE), or the file would be larger than `ulimit -f` allows (SIGXFSZ).
class IgnoredSignals {
public:
  IgnoredSignals() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    for (size_t i = 0; i < which.size(); i++) ::sigaction(which[i], &ignore, &before_[i]);
  }
  ~IgnoredSignals() {
    for (size_t i = 0; i < which.size(); i++) ::sigaction(which[i], &before_[i], nullptr);
  }
  IgnoredSignals(const IgnoredSignals&) = delete;
  IgnoredSignals& operator=(const IgnoredSignals&) = delete;

private:
  static constexpr std::array which{SIGPIPE, SIGXFSZ};
  std::array<struct sigaction, which.size()> before_{};
};

// The status of the error that `body` threw, printed; `closed` is set instead for OutputClosed.
int caught(std::string_view tool, bool json, const std::function<int()>& body, bool& closed) {
  IgnoredSignals ignored;
  try {
    return body();
  } catch (const OutputClosed& e) {
    closed = true;
    return exit_status(e.code());
  } catch (const Error& e) {
    report(tool, e, json);
    return exit_status(e.code());
  } catch (const std::exception& e) {
    report(tool, failed("internal error: {}", e.what()), json);
    return exit_status(Code::failed);
  }
}

} // namespace

int guarded(std::string_view tool, bool json, Output& out, const std::function<int()>& body) {
  bool closed = false;
  auto all = [&] {
    int status = body();
    out.flush();
    return status;
  };
  int status = caught(tool, json, all, closed);
  if (closed) ::raise(SIGPIPE); // returns where the caller's caller had it ignored
  return status;
}

void fill_closed_stdio() {
  pollfd fds[3] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}};
  if (sys::wait_any(fds, 0) == 0) return; // one call for the three, in every command
  // Opened the wrong way round, the stand-in fails as the closed one did: EBADF.
  for (const pollfd& p : fds)
    if ((p.revents & POLLNVAL) != 0) ::open("/dev/null", p.fd == 0 ? O_WRONLY : O_RDONLY);
}

} // namespace banger::cli
