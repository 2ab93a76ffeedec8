#include "net/slirp.h"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/error.h"
#include "core/failpoint.h"
#include "core/text.h"
#include "sys/inet.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::net {

namespace {

using Json = nlohmann::ordered_json;

// Requests that only look wait less than those that change something.
constexpr Millis patience{5'000}, patience_to_look{1'500};
constexpr size_t most_reply = size_t{4} << 20;
constexpr std::string_view mtu_option = "--mtu=";

std::string call(const std::string& socket, const std::string& request, Millis limit = patience) {
  Fd fd;
  try {
    fd = sys::connect_unix(socket, limit);
  } catch (const Error&) {
    throw Error(Code::unreachable, "slirp4netns does not answer");
  }
  sys::send_all(fd.get(), request);
  std::string reply;
  char buffer[65536];
  while (reply.size() < most_reply) {
    if (!sys::wait_readable(fd.get(), limit))
      throw Error(Code::unreachable, "slirp4netns does not answer");
    ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    reply.append(buffer, static_cast<size_t>(n));
  }
  if (reply.empty()) throw Error(Code::unreachable, "slirp4netns went away");
  return reply;
}

// The complaint in its reply; empty where there is none.
std::string complaint(const std::string& reply) {
  Json j = Json::parse(reply, nullptr, false);
  if (!j.is_object()) return "its answer cannot be read";
  if (!j.contains("error")) return {};
  return escape_for_terminal(j.value("/error/desc"_json_pointer, "no reason given"));
}

} // namespace

sys::Command slirp_command(const std::string& tap, const Subnet& subnet, bool with_user,
                           const std::string& dir) {
  sys::Command c;
  c.argv = {slirp_program,
            fmt::format("{}{}", mtu_option, mtu),
            fmt::format("--cidr={}", subnet.text()),
            "--disable-host-loopback",
            "--enable-seccomp",
            fmt::format("--api-socket={}", slirp_socket),
            fmt::format("--ready-fd={}", slirp_ready_fd),
            "--netns-type=path"};
  if (with_user) c.argv.push_back(fmt::format("--userns-path=/proc/self/fd/{}", slirp_user_fd));
  c.argv.push_back(fmt::format("/proc/self/fd/{}", slirp_net_fd));
  c.argv.push_back(tap);
  c.cwd = dir;
  c.new_session = true;
  return c;
}

int mtu_of(const std::vector<std::string>& argv) {
  for (const std::string& word : argv)
    if (word.starts_with(mtu_option)) return std::atoi(word.c_str() + mtu_option.size());
  return usual_mtu;
}

std::string add_forward_request(const Forward& f) {
  return Json{{"execute", "add_hostfwd"},
              {"arguments",
               {{"proto", f.port.proto},
                {"host_addr", f.port.host_address},
                {"host_port", f.port.host},
                {"guest_addr", f.guest},
                {"guest_port", f.port.guest}}}}
      .dump();
}

std::vector<NumberedForward> parse_forwards(const std::string& reply) {
  Json j = Json::parse(reply, nullptr, false);
  std::vector<NumberedForward> all;
  if (!j.is_object()) return all;
  const Json& from = j.contains("return") ? j["return"] : j;
  for (const Json& e : from.value("entries", Json::array())) {
    NumberedForward f;
    f.id = e.value("id", 0);
    f.forward.port = {e.value("proto", ""), e.value("host_addr", ""), e.value("host_port", 0),
                      e.value("guest_port", 0)};
    f.forward.guest = e.value("guest_addr", "");
    all.push_back(f);
  }
  return all;
}

void add_forward(const std::string& socket, const Forward& f) {
  failpoint(Point::forward);
  std::string wrong = complaint(call(socket, add_forward_request(f)));
  if (wrong.empty()) return;
  // It does not say why. A port that this process cannot have either is another program's.
  int why = 0;
  if (!sys::can_bind_tcp(f.port.host_address, f.port.host, &why) && why == EADDRINUSE)
    throw conflict("cannot forward {}: another program has that port", to_text(f));
  throw failed("cannot forward {}: {}", to_text(f), wrong);
}

void remove_forward(const std::string& socket, int id) {
  failpoint(Point::forward);
  Json request = {{"execute", "remove_hostfwd"}, {"arguments", {{"id", id}}}};
  std::string wrong = complaint(call(socket, request.dump()));
  if (!wrong.empty()) throw failed("cannot end the forward {}: {}", id, wrong);
}

std::vector<NumberedForward> list_forwards(const std::string& socket) {
  return parse_forwards(call(socket, R"({"execute":"list_hostfwd"})", patience_to_look));
}

} // namespace banger::net
