// A place in which VMs have their network, with all that belongs to it on the host. A plain value.
#pragma once

#include <string>
#include <vector>

#include "model/host_object.h"

namespace banger::state {

struct NetPlaceRecord {
  std::string name;
  std::string dir; // absolute: the working directory of the processes that keep it
  std::string subnet;
  std::vector<HostObject> objects;
};

} // namespace banger::state
