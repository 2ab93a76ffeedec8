// The holder of a network namespace (libexec/banger/banger-netns): a process that keeps the
// namespace there while no VM runs in it, and, being inside, makes links and rules when asked, and
// relays datagrams of published ports (net/relay.h).
//
//   one line each way on a connection of its socket, JSON, each with "v"; a question that has an
//   "id" gets it back
//   {"v":1,"do":"make","network":{…}}        ──>  {"v":1} or {"v":1,"error":{"code","message"}};
//                                                 a NetPlan: tag, subnet, base, uplink, leave,
//                                                 join, ways
//   {"v":1,"do":"apply","plan":{…}}          ──>  the same; from monitors of a build that sent
//                                                 links and rules, for as long as their VMs run
//   {"v":1,"do":"guard","table":T}           ──>  {"v":1}; from then on the table's set of the
//                                                 host's addresses is kept true
//   {"v":1,"do":"drops","table":T}           ──>  {"v":1,"drops":[{"link","reason","packets"}]}
//   {"v":1,"do":"relay","forward":{…}} + FD  ──>  {"v":1}; FD: the host's socket, bound
//   {"v":1,"do":"relays"}                    ──>  {"v":1,"relays":[{…}]}
//   {"v":1,"do":"unrelay","forward":{…}}     ──>  {"v":1}, also when it is not there
//   {"v":1,"do":"names","at":A,"proto":P}    ──>  {"v":1} + FD: the socket at port 53 of address A
//                                                 there, a listener for "tcp"; the same each time
//
// It has no state of its own: killed, another enters the same namespace and takes its place; its
// starter gives it the relays anew and has it guard. It opens its sockets to the host's addresses
// before it leaves the host's network namespace.
//
// It keeps the sockets at port 53, and answers nothing there: the process that is given them does
// (ops/dns/guests.h). When that process dies, guests' questions wait in them for the next.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/handle.h"
#include "net/host_addresses.h"
#include "net/plan.h"
#include "net/render.h"

namespace banger::net {

struct HolderAsk {
  std::string verb;  // "make", "apply", "guard", "drops", "relay", "relays", "unrelay", "names"
  NetPlan plan = {}; // make
  Rendered rendered = {}; // apply
  std::string table = {}; // guard, drops
  Forward forward = {};
  std::string at = {}, proto = {}; // names
  int64_t id = 0;                  // its answer's; 0: of a build before, which has none
  bool operator==(const HolderAsk&) const = default;
};

std::string to_line(const HolderAsk& ask); // with the newline
// Throws Error(failed) for a line that is none.
HolderAsk parse_holder_ask(std::string_view line);
// `id`: the question's.
std::string drops_reply(const std::vector<Drop>& drops, int64_t id = 0);
std::string relays_reply(const std::vector<Forward>& relays, int64_t id = 0);
std::string error_reply(std::string_view code, std::string_view message, int64_t id = 0);
// A holder's answer to a verb that it has not; one of the build before lives on while VMs run.
std::string unknown_verb(std::string_view verb);

// The other side: a question each. Error(unreachable) when no holder answers in time.
void apply_plan(const std::string& socket, const NetPlan& plan);
// When it returns, the table knows the host's addresses.
void guard_host(const std::string& socket, const std::string& table);
std::vector<Drop> ask_drops(const std::string& socket, const std::string& table);

// Ports of UDP. The host's socket is bound here, in the caller's namespace: Error(conflict) when
// another program has the port. Error(failed) with a hint from a holder that is too old.
void add_relay(const std::string& socket, const Forward& forward);
// Absence is no failure.
void remove_relay(const std::string& socket, const Forward& forward);
// None from a holder that is too old.
std::vector<Forward> list_relays(const std::string& socket);

// The sockets at port 53 of `address` there. Error(conflict) where another than the holder has
// them, Error(failed) with a hint from a holder that is too old.
struct NameSockets {
  Fd udp, tcp;
};
NameSockets name_sockets(const std::string& socket, const std::string& address);

// Answers on `listener` for as long as this process lives. Throws when it cannot follow the host's
// addresses any more: another holder takes its place then.
void serve_holder(Fd listener, HostAddresses host);

} // namespace banger::net
