#include "ops/dns/take_over.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "model/message.h"
#include "ops/dns/background.h"
#include "sys/lines.h"
#include "sys/proc.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::ops {

namespace {

constexpr Millis patience{5'000};

class Predecessor {
public:
  explicit Predecessor(const Dirs& dirs)
      : fd_(sys::connect_unix(dns_socket(dirs), patience)), lines_(fd_.get()) {}

  // Its answer, and the descriptor that came along.
  Json ask(Json question, Fd* came) {
    question["v"] = message_version;
    sys::send_all(fd_.get(), message_line(question));
    for (;;) {
      if (auto line = lines_.buffered()) {
        Json answer = parse_message(*line);
        if (answer.contains("error"))
          throw failed("the DNS daemon refuses '{}'", question["do"].dump());
        return answer;
      }
      if (!sys::wait_readable(fd_.get(), patience) || !lines_.fill(came))
        throw Error(Code::unreachable, "the DNS daemon does not answer");
    }
  }

private:
  Fd fd_;
  sys::LineReader lines_;
};

std::vector<Fd> sockets_of(Predecessor& daemon) {
  std::vector<Fd> sockets;
  for (size_t count = 1; sockets.size() < count;) {
    Fd came;
    Json answer = daemon.ask({{"do", "socket"}, {"index", sockets.size()}}, &came);
    count = answer.at("of").get<size_t>();
    if (!came) break;
    sockets.push_back(std::move(came));
  }
  return sockets;
}

} // namespace

std::vector<Fd> take_over_dns(const Settings& settings, const Dirs& dirs) {
  std::vector<Fd> sockets;
  try {
    auto daemon = find_dns_daemon(dirs);
    if (!daemon) return {};
    Predecessor before(dirs);
    sockets = sockets_of(before);
    Fd none;
    before.ask({{"do", "end"}}, &none);
    if (sys::await_end(daemon->process, patience)) return sockets;
  } catch (const Json::exception&) { // a daemon of another build, whose words differ
  } catch (const Error&) {           // it does not answer, or does not give its sockets
  }
  stop_dns(settings, dirs);
  return sockets;
}

} // namespace banger::ops
