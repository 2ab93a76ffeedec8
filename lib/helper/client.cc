#include "helper/client.h"

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "model/message.h"
#include "sys/lines.h"
#include "sys/socket.h"

namespace banger::helper {

namespace {

// What sudo says, or a dynamic linker.
Error not_started(const std::string& said) {
  return preflight("cannot start banger's helper with root's rights{}{}", said.empty() ? "" : ": ",
                   escape_for_terminal(last_lines(said, 1)))
      .hint("banger doctor tells how to allow it");
}

net::BridgeCounts counts_of(const Json& reply) {
  net::BridgeCounts counts;
  for (const Json& d : reply.value("drops", Json::array()))
    counts.drops.push_back({d.value("tap", 0), d.value("address", ""), d.value("reason", ""),
                            d.value("packets", uint64_t{0})});
  for (const Json& o : reply.value("out", Json::array()))
    counts.out.push_back(
        {o.value("address", ""), o.value("packets", uint64_t{0}), o.value("bytes", uint64_t{0})});
  return counts;
}

} // namespace

// One start of the helper: what it is asked, and its answers.
struct Watching::Talk {
  Talk(const sys::Command& command, const Ask& ask, Millis how_long)
      : Talk(command, ask, how_long, sys::socket_pair(), sys::socket_pair()) {}

  Json hear(Fd* gave = nullptr) {
    Fd came;
    std::optional<std::string> line;
    bool died = false;
    try {
      line = lines.next(patience, &came);
      died = lines.ended();
    } catch (const Error& e) {
      if (e.code() != Code::unreachable) throw;
      died = true;
    }
    if (!line) {
      // What it says besides comes to its end with it alone.
      std::string said = died ? sys::read_some(errors.get(), 4096) : "";
      if (!died || !child.wait_for(Millis(1'000)))
        throw timed_out("banger's helper does not answer '{}': waited {}", verb,
                        format_duration(patience));
      throw not_started(said);
    }
    Json reply = read_message(*line, [](const Json& j) { return j; });
    if (reply.contains("error")) {
      end();
      throw told_error(reply["error"], "banger's helper gave no reason");
    }
    if (gave) *gave = std::move(came);
    return reply;
  }
  void end() {
    talk.reset();
    child.wait();
  }

  std::string verb;
  Millis patience;
  Fd talk, errors;
  sys::Child child;
  sys::LineReader lines{talk.get()};

private:
  using Pair = std::pair<Fd, Fd>;
  Talk(const sys::Command& command, const Ask& ask, Millis how_long, Pair words, Pair faults)
      : verb(ask.verb), patience(how_long), talk(std::move(words.first)),
        errors(std::move(faults.first)),
        child(sys::spawn(command,
                         {words.second.get(), words.second.get(), faults.second.get(), {}})) {
    words.second.reset();
    faults.second.reset();
    try {
      sys::send_all(talk.get(), to_line(ask));
    } catch (const Error& e) { // it has died, and hear() tells of what
      if (e.code() != Code::unreachable) throw;
    }
  }
};

namespace {

Json ask_helper(const sys::Command& command, Millis patience, const Ask& ask, Fd* gave = nullptr) {
  Watching::Talk talk(command, ask, patience);
  Json reply = talk.hear(gave);
  talk.end();
  return reply;
}

Fd ask_for_socket(const sys::Command& command, Millis patience, const Ask& ask) {
  Fd came;
  ask_helper(command, patience, ask, &came);
  if (!came) throw failed("banger's helper gave no socket");
  return came;
}

} // namespace

Client::Up Client::up(const std::string& tag, const std::optional<Subnet>& subnet,
                      const std::string& state) const {
  Json reply =
      ask_helper(command_, patience_, {.verb = "up", .tag = tag, .subnet = subnet, .state = state});
  return {Subnet::parse(reply.value("subnet", "")),
          reply.value("uplinks", std::vector<std::string>{}),
          reply.value("warnings", std::vector<std::string>{}), reply.value("link", 0),
          reply.value("taps", std::vector<int>{})};
}

int Client::join(const std::string& tag, const net::BridgeGuest& guest) const {
  return ask_helper(command_, patience_, {.verb = "join", .tag = tag, .guest = guest})
      .value("link", 0);
}

void Client::leave(const std::string& tag, const std::vector<int>& taps) const {
  ask_helper(command_, patience_, {.verb = "leave", .tag = tag, .taps = taps});
}

void Client::publish(const std::string& tag, int tap, const Port& port, bool on) const {
  ask_helper(command_, patience_,
             {.verb = "publish", .tag = tag, .tap = tap, .port = port, .on = on});
}

void Client::nat(const std::string& tag, int tap, bool on) const {
  ask_helper(command_, patience_, {.verb = "nat", .tag = tag, .tap = tap, .on = on});
}

void Client::down(const std::string& tag) const {
  ask_helper(command_, patience_, {.verb = "down", .tag = tag});
}

Fd Client::name_socket(const std::string& tag, const std::string& proto) const {
  return ask_for_socket(command_, patience_, {.verb = "names", .tag = tag, .proto = proto});
}

Fd Client::rule_changes(const std::string& tag) const {
  return ask_for_socket(command_, patience_, {.verb = "changes", .tag = tag});
}

Client::Seen Client::look(const std::string& tag) const {
  Json reply = ask_helper(command_, patience_, {.verb = "look", .tag = tag});
  Seen seen{reply.value("up", false),
            reply.value("uplinks", std::vector<std::string>{}),
            counts_of(reply),
            {},
            reply.value("taps", std::vector<int>{})};
  for (const Json& f : reply.value("faults", Json::array()))
    seen.faults.push_back({f.value("text", ""), f.value("tap", 0), f.value("restarts", false),
                           f.value("clashes", false), f.value("outward", false)});
  return seen;
}

Client::Mended Client::mend(const std::string& tag) const {
  Json reply = ask_helper(command_, patience_, {.verb = "mend", .tag = tag});
  return {reply.value("mended", std::vector<std::string>{}), reply.value("link", 0)};
}

net::BridgeTraces Client::find_traces(const std::string& tag) const {
  Json reply = ask_helper(command_, patience_, {.verb = "find", .tag = tag});
  net::BridgeTraces traces;
  for (const Json& o : reply.value("objects", Json::array()))
    traces.objects.push_back({o.value("object", ""), o.value("name", ""), o.value("known", false)});
  for (const Json& b : reply.value("bridges", Json::array()))
    traces.bridges.push_back({b.value("tag", ""), b.value("state", "")});
  return traces;
}

void Client::sweep(const std::string& tag) const {
  ask_helper(command_, patience_, {.verb = "sweep", .tag = tag});
}

Watching::Watching(std::unique_ptr<Talk> talk) : talk_(std::move(talk)) {}
Watching::Watching(Watching&&) noexcept = default;
Watching::~Watching() = default;

net::FlowSeen Watching::end() {
  sys::send_all(talk_->talk.get(), "\n");
  Json seen = talk_->hear();
  talk_->end();
  return net::flow_seen_of(seen);
}

Watching Client::watch(const std::string& tag, int tap, const Port& to) const {
  auto talk = std::make_unique<Watching::Talk>(
      command_, Ask{.verb = "watch", .tag = tag, .tap = tap, .port = to}, patience_);
  talk->hear();
  return Watching(std::move(talk));
}

disk::Mapped Client::map(const disk::MapPlan& plan) const {
  Json reply =
      ask_helper(command_, patience_, {.verb = "map", .tag = plan.mapping.tag, .disk = plan});
  return {reply.value("node", ""), reply.value("revived", false)};
}

void Client::unmap(const disk::Mapping& mapping) const {
  ask_helper(command_, patience_, {.verb = "unmap", .tag = mapping.tag, .disk = {mapping, {}, {}}});
}

void Client::require_mapping() const { ask_helper(command_, patience_, {.verb = "can-map"}); }

Limits Client::limits() const {
  Json reply = ask_helper(command_, patience_, {.verb = "limits"});
  try {
    return limits_of(reply.at("limits"));
  } catch (const Json::exception&) {
    throw unreadable_message();
  }
}

} // namespace banger::helper
