// A root disk as device-mapper shows it: the image below, and a VM's copy-on-write file over it
// (disk/cow.h). Plain values, and the lines in which they are asked of banger-mapper.
//
// The device's identity is device-mapper's uuid: its name (model/host_object.h) and a random word,
// so that the device of another state, copied from this one, is never taken for it.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "core/error.h"

namespace banger::disk {

struct Mapping {
  std::string tag, id;  // the state's, the VM's
  std::string identity; // new_mapping_identity()'s
  bool operator==(const Mapping&) const = default;
};

// Its name. Throws Error(usage) unless tag and id are hex digits, 4 and 12, and the identity is of
// that name: nothing else is named by who asks.
std::string valid_mapping(const Mapping& mapping);
std::string new_mapping_identity(std::string_view tag, std::string_view id);

// To be mapped: absolute paths of regular files.
struct MapPlan {
  Mapping mapping;
  std::string image, cow;
  uid_t owner = 0; // who may open the node
  bool operator==(const MapPlan&) const = default;
};

// What banger-mapper is asked: a line on its standard input. It answers with one line.
struct MapRequest {
  // attach: `plan`; detach: `plan.mapping`; check: nothing.
  std::string act;
  MapPlan plan = {};
  bool operator==(const MapRequest&) const = default;
};
// What attach says.
struct Mapped {
  std::string node;
  bool revived = false; // what the VM had written last was lost: revive_cow of disk/cow.h
  bool operator==(const Mapped&) const = default;
};

std::string to_line(const MapRequest& request);
std::string to_line(const std::expected<Mapped, Error>& answer);
// Throw Error(failed) for a line that is none; the second one what the answer tells of a failure.
MapRequest parse_map_request(std::string_view line);
Mapped parse_map_answer(std::string_view line);

} // namespace banger::disk
