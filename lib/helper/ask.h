// What banger's one program with root's rights, libexec/banger/banger-helper, is asked: one line on
// its standard input, a socket; JSON with "v". It does one thing, answers with one line, and ends.
//
// A state's bridge, in the host's network namespace:
//   {"v":1,"do":"up","tag":T[,"subnet":S][,"state":DIRECTORY]}   ──>
//   {"v":1,"subnet":S,"uplinks":[NAME…],"link":N,"taps":[N…]}
//                                                 the bridge is there, and whole; what is on it
//                                                 stays
//   {"v":1,"do":"join","tag":T,"guest":{…}}  ──>  {"v":1,"link":N}; the same tap anew. A bridge
//                                                 that a reboot, or a flush of all rules, took is
//                                                 made again
//   {"v":1,"do":"leave","tag":T,"taps":[N…]} ──>  {"v":1}, also where they are not there
//   {"v":1,"do":"publish","tag":T,"tap":N,"port":{…},"on":B}   ──>  {"v":1}; of a guest that joined
//   {"v":1,"do":"nat","tag":T,"tap":N,"on":B}                  ──>  {"v":1}
//   {"v":1,"do":"down","tag":T}              ──>  {"v":1}; all of it goes, guests too
//   {"v":1,"do":"names","tag":T,"proto":P}   ──>  {"v":1} + FD: a socket at port 53 of the bridge's
//                                                 address, a listener for "tcp"
//   {"v":1,"do":"look","tag":T}              ──>  {"v":1,"up":…,"drops":[…],"out":[…],
//                                                 "taps":[N…],
//                                                 "faults":[{"text","tap","restarts","clashes",
//                                                 "outward"}…]}
//                                                 (net/bridge_faults.h)
//   {"v":1,"do":"mend","tag":T}              ──>  {"v":1,"mended":[TEXT…],"link":N}: whole, where
//                                                 it lacked rules; which
//   {"v":1,"do":"changes","tag":T}           ──>  {"v":1} + FD: a socket that tells when others
//                                                 change rules (net/rule_changes.h)
//   {"v":1,"do":"find","tag":T}              ──>  {"v":1,"objects":[{"object","name","known"}…],
//                                                 "bridges":[{"tag","state"}…]}
//   {"v":1,"do":"sweep","tag":T}             ──>  {"v":1}; what "find" has that is not "known" goes
//   {"v":1,"do":"watch","tag":T,"tap":N,"port":{…}}            ──>  {"v":1}; from then on packets
//                                                 to and from that address and port are looked at,
//                                                 and at the asker's next line, or its end:
//                                                 {"v":1,"rules":B,"there":{…},"back":{…},
//                                                 "drops":[…]} (net/flow.h)
// A VM's root disk by device-mapper:
//   {"v":1,"do":"map","tag":T,"vm":ID,"identity":I,"dir":STATE_DIR,"image":ID}
//                                            ──>  {"v":1,"node":PATH,"revived":B}: STATE_DIR's
//                                                 vms/ID/cow.img over its images/ID/root.ext4
//   {"v":1,"do":"unmap","tag":T,"vm":ID,"identity":I}          ──>  {"v":1}, also where it is not
//   {"v":1,"do":"can-map"}                   ──>  {"v":1}, or why no disk can be mapped here
// Itself:
//   {"v":1,"do":"limits"}                    ──>  {"v":1,"limits":{…}}: what is in force
//
//   {"v":1,"error":{"code","message","hint"}}; with an answer "warnings":[TEXT…], where there are
//   any
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "disk/mapping.h"
#include "net/bridge_plan.h"

namespace banger::helper {

struct Ask {
  std::string verb; // as above
  std::string tag = {};
  std::optional<Subnet> subnet = {}; // up; none: the one that it has, or a free one
  net::BridgeGuest guest = {};       // join
  std::vector<int> taps = {};        // leave
  int tap = 0;                       // publish, nat, watch
  Port port = {};                    // publish; watch: what the flow goes to (net/flow_watch.h)
  bool on = false;                   // publish, nat
  std::string proto = {};            // names: "udp", "tcp"
  std::string state = {};            // up: the state's directory
  disk::MapPlan disk = {};           // map, unmap; its tag is the one above
};
std::string to_line(const Ask& ask); // with the newline
// Throws Error(failed) for a line that is none, Error(usage) for words that are none.
Ask parse_ask(std::string_view line);

} // namespace banger::helper
