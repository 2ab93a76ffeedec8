#include "model/port.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "model/subnet.h"

namespace banger {

namespace {

constexpr std::string_view own = "own";

Error bad(std::string_view text) {
  return usage("invalid port '{}': it is not [ADDR:]HOST:GUEST[/udp]", text)
      .hint("8080:80 makes the guest's port 80 reachable as 8080; own:8080:80 at the VM's own "
            "address alone; 8000-8010:8000-8010 are eleven of them");
}

// Rewritten, so that one address has one form.
std::string address_of(std::string_view text, std::string_view word) {
  if (word == "localhost") return loopback;
  if (word.find(':') != std::string_view::npos || word.starts_with('['))
    throw usage("invalid port '{}': an address is one of IPv4", text)
        .hint("127.0.0.1 is this host alone, 0.0.0.0 all of its addresses");
  if (split(word, '.').size() != 4) throw bad(text);
  return to_text(parse_address("port", word, text));
}

int number(std::string_view text, std::string_view word) {
  if (word.empty()) throw usage("invalid port '{}': a port is missing", text);
  return static_cast<int>(parse_number("port", word, 1, 65535, text));
}

struct Range {
  int first = 0, count = 1;
};

Range parse_range(std::string_view text, std::string_view word) {
  auto ends = split(word, '-');
  if (ends.size() == 1) return {number(text, ends[0])};
  if (ends.size() != 2) throw bad(text);
  Range r{number(text, ends[0])};
  r.count = number(text, ends[1]) - r.first + 1;
  if (r.count < 1) throw usage("invalid port '{}': {} is below {}", text, ends[1], ends[0]);
  return r;
}

// The text before the ports, the ports of host and guest, the protocol.
struct Parts {
  std::optional<std::string> where;
  std::string host, guest, proto = "tcp";
};

Parts parts_of(std::string_view text) {
  Parts p;
  std::string rest(text);
  if (size_t slash = rest.find('/'); slash != std::string::npos) {
    p.proto = rest.substr(slash + 1);
    rest.resize(slash);
    if (p.proto != "tcp" && p.proto != "udp") throw bad(text);
  }
  auto words = split(rest, ':');
  if (words.size() < 2) throw bad(text);
  // More than three are an address of IPv6.
  if (words.size() > 3 && !rest.starts_with('[') && rest.find("::") == rest.npos) throw bad(text);
  if (words.size() > 2)
    p.where =
        rest.substr(0, rest.size() - words.back().size() - words[words.size() - 2].size() - 2);
  p.host = words[words.size() - 2];
  p.guest = words.back();
  return p;
}

} // namespace

bool overlap(const Port& a, const Port& b, bool same_vm) {
  if (a.proto != b.proto || a.host != b.host) return false;
  if (a.host_address == everywhere || b.host_address == everywhere) return true;
  return a.host_address == b.host_address && (same_vm || !a.host_address.empty());
}

Port parse_port(std::string_view text) {
  Parts p = parts_of(text);
  Port port{p.proto, {}, number(text, p.host), number(text, p.guest)};
  if (p.where && *p.where != own) port.host_address = address_of(text, *p.where);
  return port;
}

std::vector<Port> parse_ports(std::string_view text) {
  Parts p = parts_of(text);
  std::vector<std::string> addresses{loopback, {}};
  if (p.where) addresses = {*p.where == own ? std::string() : address_of(text, *p.where)};
  if (!addresses[0].empty() && parse_address("address", addresses[0]).value >> 24 >= 224)
    throw usage("invalid port '{}': nobody is reached at {}", text, addresses[0])
        .hint("127.0.0.1 is this host alone, 0.0.0.0 all of its addresses");
  Range host = parse_range(text, p.host), guest = parse_range(text, p.guest);
  if (host.count != guest.count)
    throw usage("invalid port '{}': {} ports of the host cannot lead to {} of the guest", text,
                host.count, guest.count)
        .hint("both are ranges of the same length: 8000-8010:8000-8010");
  std::vector<Port> all;
  for (const std::string& address : addresses)
    for (int i = 0; i < host.count; i++)
      all.push_back({p.proto, address, host.first + i, guest.first + i});
  return all;
}

std::vector<Port> merged(const std::vector<std::vector<Port>>& asked) {
  std::vector<Port> all;
  for (const std::vector<Port>& some : asked)
    for (const Port& p : some)
      if (std::ranges::count(all, p) == 0) all.push_back(p);
  return all;
}

std::string_view typed_address(const Port& p) {
  return p.host_address.empty() ? own : std::string_view(p.host_address);
}

std::string to_text(const Port& p) {
  return fmt::format("{}:{}:{}{}", typed_address(p), p.host, p.guest,
                     p.proto == "tcp" ? "" : "/" + p.proto);
}

namespace {

std::string range_text(int first, int count) {
  return count == 1 ? fmt::format("{}", first) : fmt::format("{}-{}", first, first + count - 1);
}

} // namespace

std::string PortRun::host() const { return range_text(first.host, count); }
std::string PortRun::guest() const { return range_text(first.guest, count); }

std::vector<PortRun> runs_of(const std::vector<Port>& ports) {
  std::vector<PortRun> runs;
  for (const Port& p : ports) {
    if (!runs.empty()) {
      auto& [first, count] = runs.back();
      if (p == Port{first.proto, first.host_address, first.host + count, first.guest + count}) {
        count++;
        continue;
      }
    }
    runs.push_back({p});
  }
  return runs;
}

std::string to_text(const PortRun& run) {
  return fmt::format("{}:{} -> {}{}", typed_address(run.first), run.host(), run.guest(),
                     run.first.proto == "udp" ? "/udp" : "");
}

} // namespace banger
