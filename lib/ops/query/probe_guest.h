// What a guest is asked to try and to tell of its network, as a script for its shell, and how the
// answer is read. Pure.
//
// The script needs a POSIX shell, cat and the kernel's /proc and /sys. For connections and names it
// takes bash, or else nc and nslookup as busybox has them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/endpoint.h"
#include "model/subnet.h"

namespace banger::ops {

struct GuestQuestions {
  std::string mac, address;        // its own
  std::optional<Endpoint> to = {}; // outside
  std::string name = {};           // a name that the network's resolver knows; empty: not asked
  bool names = true;               // those of the outside
  std::vector<int> ports = {};     // of TCP: who listens
};
// For the guest's shell, whatever that is.
std::string guest_script(const GuestQuestions& ask);

// How a connection, or a question for a name, ended.
enum class Heard {
  nothing, // it was not tried
  yes,     // connected; answered
  no,      // refused; there is no such name
  fault,   // the way or the server is faulty: no route, not permitted, SERVFAIL
  silence, // no answer in time
  no_tool, // the guest has no program to try it with
};

struct GuestLook {
  std::string link = {};                 // the one with its MAC; empty: none
  bool carrier = false;                  // it is up, and its other end too
  bool addressed = false;                // it has its address
  bool routed = false;                   // it has a default route
  std::string gateway = {};              // of that; empty: by the link itself
  std::vector<std::string> servers = {}; // its name servers
  Heard outside = Heard::nothing, name = Heard::nothing, names = Heard::nothing;
  std::string said = {}; // of the attempt to get outside, where that failed
  struct Listener {
    int port = 0;
    bool loopback = false; // there alone
    bool operator==(const Listener&) const = default;
  };
  std::vector<Listener> listeners = {};
  bool whole = false; // the script came to its end
  bool operator==(const GuestLook&) const = default;
};
// Of what it printed; anything else in it is passed over.
GuestLook parse_guest_look(std::string_view printed);

} // namespace banger::ops
