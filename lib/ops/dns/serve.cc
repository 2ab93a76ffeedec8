#include "ops/dns/serve.h"

#include <cerrno>
#include <csignal>
#include <tuple>

#include <nlohmann/json.hpp>

#include "core/version.h"
#include "dns/server.h"
#include "model/message.h"
#include "ops/dns/names.h"
#include "ops/dns/take_over.h"
#include "sys/datagram.h"
#include "sys/file.h"
#include "sys/file_identity.h"
#include "sys/line_server.h"
#include "sys/listen.h"
#include "sys/lock.h"
#include "sys/proc.h"
#include "sys/service.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {

struct Sockets {
  std::vector<Fd> udp, tcp;
};

Sockets given_sockets(std::vector<Fd> given) {
  Sockets sockets;
  for (Fd& fd : given) {
    if (sys::is_udp(fd.get())) {
      sys::tell_destination(fd.get());
      sockets.udp.push_back(std::move(fd));
    } else if (sys::is_tcp_listener(fd.get())) {
      sys::set_nonblocking(fd.get());
      sockets.tcp.push_back(std::move(fd));
    } else {
      throw usage("descriptor {} is neither a socket of UDP nor a listener of TCP, over IPv4",
                  fd.get());
    }
  }
  return sockets;
}

// The error of a port that is taken: it names the process that has it, and what to do.
Error taken(const Endpoint& at) {
  auto holder = find_port_holder(at);
  return conflict("cannot serve DNS at {}: {} has it", to_text(at),
                  holder ? to_text(*holder) : "another program")
      .subject(to_text(at))
      .hint("set dns.listen to an address of 127.0.0.0/8 or a port that is free, for this state "
            "alone");
}

Sockets own_sockets(const Endpoint& at) {
  Sockets sockets;
  try {
    // TCP first: listen_tcp() gives each kind of refusal its own error.
    sockets.tcp.push_back(sys::listen_tcp(to_text(at.address), at.port));
    sockets.udp.push_back(sys::bind_udp(to_text(at.address), at.port));
  } catch (const Error& e) {
    if (e.code() == Code::conflict || e.error_number() == EADDRINUSE) throw taken(at);
    throw;
  }
  return sockets;
}

sys::FileLock take_lock(const Dirs& dirs) {
  // The first daemon of a state may be the first that is done with it.
  if (!sys::exists(dirs.db())) state::State::open(dirs, state::Mode::write);
  sys::make_dir(dirs.state + "/run");
  if (auto lock = sys::FileLock::try_take(dns_lock(dirs))) return std::move(*lock);
  auto daemon = find_dns_daemon(dirs);
  throw conflict(
      "a DNS daemon serves the state '{}' already{}", dirs.state,
      daemon ? fmt::format(": process {}, at {}", daemon->process.pid, to_text(daemon->listen))
             : "")
      .subject(dirs.state);
}

// The socket at which programs ask for its status. It is made before the port is bound.
class TalkSocket {
public:
  explicit TalkSocket(std::string path) : path_(std::move(path)), fd_(sys::listen_unix(path_)) {}
  TalkSocket(const TalkSocket&) = delete;
  TalkSocket& operator=(const TalkSocket&) = delete;
  ~TalkSocket() {
    try {
      if (!path_.empty()) sys::remove_file(path_);
    } catch (const Error&) { // the next daemon replaces it
    }
  }
  Fd take() { return std::move(fd_); }
  // The path may be another daemon's now: it is not removed.
  void leave() { path_.clear(); }

private:
  std::string path_;
  Fd fd_;
};

// Tells whether the state at its path is still the same: its directory may be removed, and another
// one made in its place, which a daemon of its own is to serve.
class StatePlace {
public:
  explicit StatePlace(const Dirs& dirs) : lock_(dns_lock(dirs)), there_(sys::find_identity(lock_)) {
    try {
      changes_ = sys::watch_dir(dirs.state + "/run");
    } catch (const Error&) { // the host's watches are used up: a removal is not seen then
    }
  }
  // Readable when the state may have gone; -1: that is not seen.
  int fd() const { return changes_.get(); }
  bool has_gone() {
    if (changes_) sys::drain_events(changes_.get());
    return sys::find_identity(lock_) != there_;
  }

private:
  std::string lock_;
  std::optional<sys::FileIdentity> there_;
  Fd changes_;
};

class Daemon {
public:
  Daemon(const Settings& settings, const Dirs& dirs, Log& log, const ServeDns& how,
         std::vector<Fd> given)
      : log_(log), lock_(take_lock(dirs)), place_(dirs), talk_socket_(dns_socket(dirs)),
        names_(settings, dirs, log),
        server_(
            loop_, [this] { return answers(); },
            [this](const Error& e) { log_.warn("dns.no_connection", e); }),
        talk_(loop_, {[this](const Client& c, const std::string& line) { hear(c, line); },
                      [](const Error& e) {
                        return message_line({{"v", message_version}, {"error", e.message()}});
                      }}) {
    self_.process = sys::this_process();
    self_.version = version();
    self_.zone = settings.dns_zone;
    self_.background = how.background;
    self_.idle = how.idle;
    Sockets sockets =
        given.empty() ? own_sockets(settings.dns_listen) : given_sockets(std::move(given));
    for (const auto* some : {&sockets.tcp, &sockets.udp})
      if (!some->empty()) self_.listen = sys::endpoint_of(some->front().get());
    for (Fd& fd : sockets.udp) server_.add_udp(std::move(fd));
    for (Fd& fd : sockets.tcp) server_.add_tcp(std::move(fd));
    talk_.listen(talk_socket_.take());
  }

  void run(const std::function<void(const DnsDaemon&)>& on_ready) {
    Fd signals = sys::block_signals({SIGTERM, SIGINT});
    loop_.watch(signals.get(), [this] { loop_.stop(); });
    loop_.watch(names_.deaths(), [this] { names_.on_death(); });
    if (place_.fd() >= 0) loop_.watch(place_.fd(), [this] { look_at_place(); });
    DnsDaemon now = as_now();
    log_.info("dns.serving", {{"listen", to_text(now.listen)},
                              {"zone", now.zone},
                              {"hosts", static_cast<int64_t>(now.hosts)}});
    on_ready(now);
    wait_for_vms();
    sys::tell_service_manager("READY=1");
    loop_.run();
    sys::tell_service_manager("STOPPING=1");
    if (has_gone_) return; // the log, too
    log_.info("dns.stopped", {{"queries", static_cast<int64_t>(server_.answered())}});
  }

private:
  using Client = std::shared_ptr<sys::LineServer::Client>;

  DnsDaemon as_now() {
    DnsDaemon d = self_;
    d.reads_state = names_.now() != nullptr;
    d.hosts = names_.hosts();
    d.generation = names_.generation();
    d.queries = server_.answered();
    return d;
  }

  // A directory that was moved away with all that is in it says nothing of that by itself.
  const dns::Answers* answers() {
    const dns::Answers* now = names_.now();
    if (!now) look_at_place();
    return now;
  }

  void look_at_place() {
    if (!place_.has_gone()) return;
    has_gone_ = true;
    talk_socket_.leave(); // a file at that path is another state's
    loop_.stop();
  }

  // From now on it may be without VMs for that long.
  void wait_for_vms() {
    loop_.cancel(idle_);
    if (!self_.idle) return;
    idle_ = loop_.after(*self_.idle, [this, generation = names_.generation()] {
      // VMs of a state that cannot be read may run; and one may have ended just now.
      bool knows = names_.now() != nullptr;
      if (!knows || names_.hosts() > 0 || names_.generation() != generation) return wait_for_vms();
      log_.info("dns.idle");
      loop_.stop();
    });
  }

  void hear(const Client& client, const std::string& line) {
    auto [verb, index, word] = read_message(line, [](const Json& j) {
      return std::tuple(j.value("do", ""), j.value("index", size_t{0}), j.value("word", ""));
    });
    if (verb == "status" || verb == "stay") {
      if (verb == "stay") self_.idle.reset();
      wait_for_vms(); // the asker may be about to start a VM
      client->send(to_line(as_now()));
    } else if (verb == "socket") { // a successor takes the sockets one by one
      std::vector<int> all = server_.sockets();
      if (index >= all.size()) throw usage("there is no socket {}", index);
      client->send_with(message_line({{"v", message_version}, {"of", all.size()}}), all[index]);
    } else if (verb == "count") {
      auto count = server_.count_those_with(word);
      client->send(
          message_line({{"v", message_version}, {"count", count ? Json(*count) : Json()}}));
    } else if (verb == "end") {
      client->send(to_line(as_now()));
      loop_.stop();
    } else {
      throw usage("unknown verb '{}'", verb);
    }
  }

  Log& log_;
  sys::FileLock lock_;
  StatePlace place_;
  TalkSocket talk_socket_;
  DnsDaemon self_;
  sys::Loop loop_;
  Names names_;
  dns::Server server_;
  sys::LineServer talk_;
  sys::Loop::Timer idle_ = 0;
  bool has_gone_ = false; // the state's place
};

} // namespace

void serve_dns(const Settings& settings, const Dirs& dirs, Log& log, const ServeDns& how,
               const std::function<void(const DnsDaemon&)>& on_ready) {
  std::vector<Fd> given = sys::take_service_sockets();
  if (how.replace) {
    std::vector<Fd> before = take_over_dns(settings, dirs);
    std::erase_if(before,
                  [&](const Fd& fd) { return sys::endpoint_of(fd.get()) != settings.dns_listen; });
    if (given.empty()) given = std::move(before);
  }
  Daemon(settings, dirs, log, how, std::move(given)).run(on_ready);
}

} // namespace banger::ops
