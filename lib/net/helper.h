// banger's one program with root's rights, libexec/banger/banger-helper: what it is asked, and the
// asking side.
//
// It makes and removes a state's bridge in the host's network namespace. It does one thing,
// answers, and ends: one line each way on its standard input, a socket; JSON with "v".
//
//   {"v":1,"do":"up","tag":T[,"subnet":S]}   ──>  {"v":1,"subnet":S,"uplinks":[NAME…],"link":N}
//                                                 the bridge is there, and whole; what is on it
//                                                 stays
//   {"v":1,"do":"join","tag":T,"guest":{…}}  ──>  {"v":1,"link":N}; the same tap anew. A bridge
//   that a reboot,
//                                                 or a flush of all rules, took is made again
//   {"v":1,"do":"leave","tag":T,"taps":[N…]} ──>  {"v":1}, also where they are not there
//   {"v":1,"do":"publish","tag":T,"tap":N,"port":{…},"on":B}   ──>  {"v":1}; of a guest that joined
//   {"v":1,"do":"nat","tag":T,"tap":N,"on":B}                  ──>  {"v":1}
//   {"v":1,"do":"down","tag":T}              ──>  {"v":1}; all of it goes, guests too
//   {"v":1,"do":"names","tag":T,"proto":P}   ──>  {"v":1} + FD: a socket at port 53 of the bridge's
//                                                 address, a listener for "tcp"
//   {"v":1,"do":"look","tag":T}              ──>  {"v":1,"up":…,"drops":[…],"out":[…]}
//   {"v":1,"do":"watch","tag":T,"tap":N,"port":{…}}            ──>  {"v":1}; from then on packets
//   to
//                                                 and from that address and port are looked at, and
//                                                 at the asker's next line, or its end:
//                                                 {"v":1,"rules":B,"there":{…},"back":{…},
//                                                 "drops":[…]} (net/flow.h)
//   {"v":1,"error":{"code","message","hint"}}; with an answer "warnings":[TEXT…], where there are
//   any
//
// It trusts no argument (net/helper_server.cc): all names follow from the tag, a tag belongs to the
// user who took it first, and a user gets only what he could not take from others by it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/handle.h"
#include "net/bridge_plan.h"
#include "net/flow.h"
#include "sys/process.h"

namespace banger::net {

struct HelperAsk {
  std::string verb; // "up", "join", "leave", "publish", "nat", "down", "names", "look", "watch"
  std::string tag = {};
  std::optional<Subnet> subnet = {}; // up; none: the one that it has, or a free one
  BridgeGuest guest = {};            // join
  std::vector<int> taps = {};        // leave
  int tap = 0;                       // publish, nat, watch
  Port port = {};                    // publish; watch: what the flow goes to (net/flow_watch.h)
  bool on = false;                   // publish, nat
  std::string proto = {};            // names: "udp", "tcp"
};
std::string to_line(const HelperAsk& ask); // with the newline
// Throws Error(failed) for a line that is none, Error(usage) for words that are none.
HelperAsk parse_helper_ask(std::string_view line);

// A look at packets that goes on for as long as this lives (net/flow_watch.h).
class Watching {
public:
  // Of the helper's one start for it.
  struct Talk;
  explicit Watching(std::unique_ptr<Talk> talk);
  Watching(Watching&&) noexcept;
  ~Watching();
  // Ends it; what was seen.
  FlowSeen end();

private:
  std::unique_ptr<Talk> talk_;
};

// The asking side. Each call starts the helper and waits for its answer; Error(preflight) where
// this user may not start it, Error(timeout) where it gives none.
class Helper {
public:
  // `command`: how the helper is started, as the user of this process. `patience`: for each answer;
  // longer than the helper lets itself live, so that a slow one is not given up.
  explicit Helper(sys::Command command, Millis patience = Millis(65'000))
      : command_(std::move(command)), patience_(patience) {}

  struct Up {
    Subnet subnet;
    std::vector<std::string> uplinks, warnings;
    int link = 0; // the bridge's index: another says that it was made anew
  };
  Up up(const std::string& tag, const std::optional<Subnet>& subnet) const;
  // The bridge's index.
  int join(const std::string& tag, const BridgeGuest& guest) const;
  void leave(const std::string& tag, const std::vector<int>& taps) const;
  void publish(const std::string& tag, int tap, const Port& port, bool on) const;
  void nat(const std::string& tag, int tap, bool on) const;
  void down(const std::string& tag) const;
  // Bound at the bridge's address.
  Fd name_socket(const std::string& tag, const std::string& proto) const;
  struct Seen {
    bool up = false; // the bridge is there
    std::vector<std::string> uplinks;
    BridgeCounts counts;
  };
  Seen look(const std::string& tag) const;
  // It looks already when this returns. Error(conflict) where no VM is at that tap.
  Watching watch(const std::string& tag, int tap, const Port& to) const;

private:
  sys::Command command_;
  Millis patience_;
};

// The body of the program. `uid`: on whose behalf it works, 0 for root's own. Does what the line on
// `socket` asks, and answers there.
void serve_helper(int socket, unsigned uid);

} // namespace banger::net
