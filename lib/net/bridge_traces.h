// What a host has of a bridge, found by its identity: the tag in a name, and of a link its kind and
// its group too (net/bridge_render.h), so that nothing of others is taken for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace banger::net {

class Links;
class Rules;
struct RegisteredBridge;

struct BridgeTraces {
  struct Object {
    std::string
        object;       // "bridge", "tap", "table", "rule" (in another's chain), "setting", "record"
    std::string name; // "bng-TTTT", "inet banger_TTTT", "iptables-nft FORWARD bng-TTTT"
    bool known = false; // the record tells of it
    bool operator==(const Object&) const = default;
  };
  std::vector<Object> objects;
  // All that have a record and belong to who asks; to root, everybody's.
  struct Owned {
    std::string tag, state; // the state's directory; empty: not known
  };
  std::vector<Owned> bridges;
};

// For who has root's rights. `entry`: the record, where there is one.
std::vector<BridgeTraces::Object> traces_of(const std::string& tag,
                                            const std::optional<RegisteredBridge>& entry,
                                            Links& links, Rules& rules);
// The uplinks that did not forward before the bridge, as its rules tell: for who has no record.
std::vector<std::string> opened_uplinks(const std::string& tag, Rules& rules);
// Whether a tap of the tag is not that user's.
bool has_tap_of_another(const std::string& tag, unsigned uid, Links& links);
// Removes those that are not known. Absence is no failure.
void remove_traces(const std::string& tag, const std::optional<RegisteredBridge>& entry,
                   Links& links, Rules& rules);

} // namespace banger::net
