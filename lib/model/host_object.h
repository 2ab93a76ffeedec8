// An object that a state has made on the host besides files: a link, a table, a namespace, a
// process that keeps them, a block device. A plain value; the state's table says which of them may
// be there.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/vm.h"

namespace banger {

// The words of table host_object.
enum class ObjectKind { tap, bridge, table, netns, holder, slirp, dm };

struct HostObject {
  ObjectKind kind = ObjectKind::tap;
  std::string name;     // unique among those of its kind
  std::string vm;       // the id of the VM that it was made for; empty: its place's own
  std::string place;    // the network's place that it is part of; empty: of none
  std::string identity; // distinguishes it from another of that name; empty: not known
  bool made = false;    // all that belongs to it was made; else it may be there, whole or in part
  bool operator==(const HostObject&) const = default;
};

std::string_view name_of(ObjectKind kind);
std::optional<ObjectKind> find_object_kind(std::string_view word);
// Throws Error(usage).
ObjectKind parse_object_kind(std::string_view word);

// The name of a VM's root disk that device-mapper shows, and the node by which it is opened.
std::string mapping_name(std::string_view tag, std::string_view vm);
std::string mapping_node(std::string_view tag, std::string_view vm);

// A process as an identity: "PID START_TIME BOOT_ID"; empty for none. parse_process takes it back,
// and gives none for any other text.
std::string identity_of(const ProcessId& process);
ProcessId parse_process(std::string_view identity);

} // namespace banger
