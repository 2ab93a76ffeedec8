#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "model/message.h"
#include "net/bridge_host.h"
#include "net/helper.h"
#include "sys/file.h"
#include "sys/lines.h"
#include "sys/socket.h"

namespace banger::net {

namespace {

constexpr unsigned longest_seconds = 60;
constexpr size_t longest_ask = 64 << 10; // 256 ports, and more

Json names_of(const std::vector<Uplink>& uplinks) {
  Json names = Json::array();
  for (const Uplink& u : uplinks) names.push_back(u.name);
  return names;
}

Json seen_of(const BridgeHost::Seen& seen) {
  Json drops = Json::array(), out = Json::array();
  for (const auto& d : seen.counts.drops)
    drops.push_back(
        {{"tap", d.tap}, {"address", d.address}, {"reason", d.reason}, {"packets", d.packets}});
  for (const auto& o : seen.counts.out)
    out.push_back({{"address", o.address}, {"packets", o.packets}, {"bytes", o.bytes}});
  return {{"up", seen.up}, {"uplinks", names_of(seen.uplinks)}, {"drops", drops}, {"out", out}};
}

Json traces_json(const BridgeTraces& traces) {
  Json objects = Json::array(), bridges = Json::array();
  for (const auto& o : traces.objects)
    objects.push_back({{"object", o.object}, {"name", o.name}, {"known", o.known}});
  for (const auto& b : traces.bridges) bridges.push_back({{"tag", b.tag}, {"state", b.state}});
  return {{"objects", objects}, {"bridges", bridges}};
}

// `gives`: a descriptor that goes along with the answer. `socket`: for a verb with a second word.
Json act(BridgeHost& host, const HelperAsk& ask, int socket, Fd& gives) {
  if (ask.verb == "up") {
    Bridge b = host.up(ask.tag, ask.subnet, ask.state);
    return {{"subnet", b.subnet.text()},
            {"uplinks", names_of(b.uplinks)},
            {"link", host.link_of(ask.tag)}};
  }
  if (ask.verb == "look") return seen_of(host.look(ask.tag));
  if (ask.verb == "find") return traces_json(host.find_traces(ask.tag));
  if (ask.verb == "watch") {
    auto watch = host.watch(ask.tag, ask.tap, ask.port);
    sys::send_all(socket, message_line({{"v", message_version}}));
    sys::read_some(socket, 1); // what its asker sends is over, or its asker
    return to_json(watch->look());
  }
  if (ask.verb == "join") {
    host.join(ask.tag, ask.guest);
    return {{"link", host.link_of(ask.tag)}};
  }
  if (ask.verb == "leave")
    host.leave(ask.tag, ask.taps);
  else if (ask.verb == "publish")
    host.publish(ask.tag, ask.tap, ask.port, ask.on);
  else if (ask.verb == "nat")
    host.nat(ask.tag, ask.tap, ask.on);
  else if (ask.verb == "down")
    host.down(ask.tag);
  else if (ask.verb == "sweep")
    host.sweep(ask.tag);
  else if (ask.verb == "names")
    gives = host.name_socket(ask.tag, ask.proto);
  else
    throw usage("unknown request '{}'", ask.verb);
  return Json::object();
}

// Nothing that it was given may make it wait, fail half-way, or do otherwise than for root: a pipe
// that nobody reads, limits, a mask, a directory, signals of its asker's terminal. Others wait for
// its lock.
void settle_in() {
  for (int fd : {1, 2}) {
    Fd null = sys::open_file("/dev/null", O_RDWR);
    ::dup2(null.get(), fd);
  }
  auto limit = [](auto which, rlim_t most) {
    rlimit l{most, most};
    ::setrlimit(which, &l);
  };
  limit(RLIMIT_NOFILE, 256);
  limit(RLIMIT_STACK, 8 << 20);
  limit(RLIMIT_CORE, 0);
  for (auto which : {RLIMIT_FSIZE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_NPROC})
    limit(which, RLIM_INFINITY);
  ::umask(022);
  if (::chdir("/") != 0) throw sys_error(errno, "cannot enter '/'");
  ::setsid();
  ::alarm(longest_seconds);                             // the last resort
  ::setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1); // the programs of firewalls
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE})
    std::signal(signal, SIG_IGN);
}

} // namespace

void serve_helper(int socket, unsigned uid) {
  settle_in();
  Json answer;
  Fd gives;
  try {
    auto line = sys::LineReader(socket, longest_ask).next();
    if (!line) return;
    HelperAsk ask = parse_helper_ask(*line);
    BridgeHost host(uid);
    answer = act(host, ask, socket, gives);
    if (!host.warnings().empty()) answer["warnings"] = host.warnings();
  } catch (const Error& e) {
    answer = {
        {"error", {{"code", name_of(e.code())}, {"message", e.message()}, {"hint", e.hint()}}}};
  }
  Json reply = {{"v", message_version}};
  reply.update(answer);
  if (gives)
    sys::send_with_descriptor(socket, message_line(reply), gives.get());
  else
    sys::send_all(socket, message_line(reply));
}

} // namespace banger::net
