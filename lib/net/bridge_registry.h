// The host's record of bridges: one file each in /run/banger, root's, which goes with the boot as
// what it tells of does.
//
// It is the helper's alone (helper/ask.h), and what the helper believes: who owns a tag, and what
// was made for it, written down before it is made. So what is removed never depends on what a
// caller says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/bridge_plan.h"
#include "sys/host_records.h"

namespace banger::net {

// Where the record of a bridge lies, and whether there is any: for anybody who may look there.
std::string bridge_record(const std::string& tag);
bool has_bridge_records();

// What tells whether a bridge's two tables are still what they were, but for the elements of their
// sets (net/bridge_faults.h); empty: it is not known.
struct TablePrints {
  std::string frames, packets;
  bool operator==(const TablePrints&) const = default;
};

// What is known of a bridge's rules by the kernel's count of changes (net/rule_generation.h): they
// were whole at `at`, and each change after `since`, up to there, was the helper's own.
struct KnownRules {
  uint32_t since = 0, at = 0; // 0: nothing is known
};

struct RegisteredBridge {
  unsigned uid = 0; // of the user whose state it is
  int version = 0;  // bridge_version of its rules; 0: they may be missing
  Bridge bridge;
  // That state's directory, as its user told: for telling him later what it was that left a bridge,
  // and for nothing else. Empty: not known.
  std::string state = {};
  bool unguarded = false; // the kernel had no filter for it when it was made (net/link_guard.h)
  KnownRules known = {};
  TablePrints prints = {}; // of what was made
};

// Since when all changes of the host's rules are the helper's own, where that tells that the
// entry's are whole still at the generation `now`; 0: it does not. `others`: the host's other
// bridges, whose changes may be the last. Pure.
uint32_t known_since(const RegisteredBridge& entry, const std::vector<RegisteredBridge>& others,
                     uint32_t now);

class BridgeRegistry {
public:
  // Makes the directory. Throws Error(preflight) where another than root could write to it.
  BridgeRegistry();
  // Held while a bridge is made or removed, and while one that is there is changed: one for all.
  sys::FileLock lock() const { return records_.lock(); }
  // Throws Error(failed) for a file that is none of this build's.
  std::optional<RegisteredBridge> find(const std::string& tag) const;
  // Without those that cannot be read: one user's must not be in another's way.
  std::vector<RegisteredBridge> all() const;
  // The same without one.
  std::vector<RegisteredBridge> others(const std::string& but) const;
  // Throws Error(failed) for more than a file may have.
  void write(const RegisteredBridge& entry);
  void remove(const std::string& tag);

private:
  sys::HostRecords records_;
};

} // namespace banger::net
