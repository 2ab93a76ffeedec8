// The asking side of banger-helper (helper/ask.h), for whoever may wait.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/handle.h"
#include "helper/ask.h"
#include "helper/limits.h"
#include "net/bridge_faults.h"
#include "net/bridge_traces.h"
#include "net/flow.h"
#include "sys/process.h"

namespace banger::helper {

// A look at packets that goes on for as long as this lives (net/flow_watch.h).
class Watching {
public:
  // Of the helper's one start for it.
  struct Talk;
  explicit Watching(std::unique_ptr<Talk> talk);
  Watching(Watching&&) noexcept;
  ~Watching();
  // Ends it; what was seen.
  net::FlowSeen end();

private:
  std::unique_ptr<Talk> talk_;
};

// Each call starts the helper and waits for its answer; Error(preflight) where this user may not
// start it, Error(timeout) where it gives none.
class Client {
public:
  // `command`: how the helper is started, as the user of this process. `patience`: for each answer;
  // longer than the helper lets itself live, so that a slow one is not given up.
  explicit Client(sys::Command command, Millis patience = Millis(65'000))
      : command_(std::move(command)), patience_(patience) {}

  struct Up {
    Subnet subnet;
    std::vector<std::string> uplinks, warnings;
    int link = 0;          // the bridge's index: another says that it was made anew
    std::vector<int> taps; // of the guests that it has
  };
  // `state`: the state's directory, for net::BridgeTraces.
  Up up(const std::string& tag, const std::optional<Subnet>& subnet,
        const std::string& state) const;
  // The bridge's index.
  int join(const std::string& tag, const net::BridgeGuest& guest) const;
  void leave(const std::string& tag, const std::vector<int>& taps) const;
  void publish(const std::string& tag, int tap, const Port& port, bool on) const;
  void nat(const std::string& tag, int tap, bool on) const;
  void down(const std::string& tag) const;
  // Bound at the bridge's address.
  Fd name_socket(const std::string& tag, const std::string& proto) const;
  struct Seen {
    bool up = false; // the bridge is there
    std::vector<std::string> uplinks;
    net::BridgeCounts counts;
    std::vector<net::BridgeFault> faults; // what `up` makes good
    std::vector<int> taps;                // of the guests that it has
  };
  Seen look(const std::string& tag) const;
  struct Mended {
    std::vector<std::string> faults; // the rules that the bridge lacked, for people
    int link = 0;                    // as in Up
  };
  Mended mend(const std::string& tag) const;
  Fd rule_changes(const std::string& tag) const;
  net::BridgeTraces find_traces(const std::string& tag) const;
  void sweep(const std::string& tag) const;
  // It looks already when this returns. Error(conflict) where no VM is at that tap.
  Watching watch(const std::string& tag, int tap, const Port& to) const;

  disk::Mapped map(const disk::MapPlan& plan) const;
  void unmap(const disk::Mapping& mapping) const;
  // Throws Error(preflight) that says what is missing, where no disk can be mapped here.
  void require_mapping() const;
  Limits limits() const;

private:
  sys::Command command_;
  Millis patience_;
};

} // namespace banger::helper
