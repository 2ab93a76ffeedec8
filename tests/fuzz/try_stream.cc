#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <sys/socket.h>

#include "core/error.h"
#include "dns/server.h"
#include "fuzz/promise.h"
#include "fuzz/try.h"
#include "sys/loop.h"
#include "sys/socket.h"

namespace banger::fuzz {

namespace {

// A server and a client of it on one loop; nothing waits for time to pass.
class Trial {
public:
  Trial()
      : server_(
            loop_, [] { return &answers(); }, [](const Error&) {}) {
    std::string place = std::filesystem::temp_directory_path() / "bf.XXXXXX";
    promise(::mkdtemp(place.data()) != nullptr, "there is a place for a socket");
    path_ = place + "/s";
    server_.add_tcp(sys::listen_unix(path_));
  }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  ~Trial() { std::filesystem::remove_all(std::filesystem::path(path_).parent_path()); }

  // All that comes back for `bytes`, which are sent so many at a time.
  std::string send(std::string_view bytes, size_t at_a_time) {
    Fd client = sys::connect_unix(path_);
    int fd = client.get();
    sys::set_nonblocking(fd);
    std::string came;
    bool sent = false;
    loop_.watch_writable(fd, [&] {
      try {
        bytes.remove_prefix(sys::send_some(fd, bytes.substr(0, at_a_time)));
        sent = bytes.empty();
      } catch (const Error&) { // it was closed
        sent = true;
      }
      if (!sent) return;
      loop_.forget_writable(fd);
      ::shutdown(fd, SHUT_WR);
    });
    loop_.watch(fd, [&] {
      std::string more = read(fd);
      came += more;
      if (more.empty()) loop_.stop();
    });
    loop_.run();
    loop_.forget(fd);
    loop_.forget_writable(fd);
    return came;
  }

private:
  // A server that closes while something of ours waits is an error of the connection, not of it.
  static std::string read(int fd) {
    try {
      return sys::read_some(fd, 4096);
    } catch (const Error&) {
      return {};
    }
  }

  sys::Loop loop_;
  dns::Server server_;
  std::string path_;
};

} // namespace

void try_stream(std::string_view bytes) {
  if (bytes.empty()) return;
  size_t pieces = 1 + static_cast<uint8_t>(bytes[0]) % size_t{32};
  bytes.remove_prefix(1);
  std::string due;
  bool good = true;
  for (std::string_view rest = bytes; good && rest.size() >= 2;) {
    size_t size =
        static_cast<size_t>(static_cast<uint8_t>(rest[0])) << 8 | static_cast<uint8_t>(rest[1]);
    if (rest.size() - 2 < size) break;
    std::string one = answer(rest.substr(2, size), dns::tcp_limits);
    good = !one.empty();
    if (good) due += {static_cast<char>(one.size() >> 8), static_cast<char>(one.size())};
    due += one;
    rest.remove_prefix(2 + size);
  }
  static Trial trial;
  std::string came = trial.send(bytes, bytes.size() / pieces + 1);
  promise(due.starts_with(came), "what comes back are the answers, in order");
  promise(came == due || !good, "each question is answered, unless what came was none");
}

} // namespace banger::fuzz
