// A VM's root disk that device-mapper shows, as it is recorded: a host object of the kind dm, whose
// row is there from before the device is made until after it has gone. The loop devices below it
// clear themselves with it (disk/loop.h), and need no row.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "disk/mapping.h"
#include "ops/common/context.h"
#include "ops/common/places.h"

namespace banger::ops {

// Writes the row down, and has the disk mapped; asked again, it is made anew. Waits for that.
void map_root(Context& ctx, const Vm& vm, const Places& places);
// Whether something is recorded.
bool has_mapping(state::State& state, const std::string& vm);
// Takes away what was recorded, and waits until that is done. Nothing happens where that is
// nothing. The VM's VMM has ended.
void unmap_root(Context& ctx, const Vm& vm);
// The same for all VMs that do not run and have something left: their monitor could not wait for
// it. Waits for no VM's lock.
void tidy_mappings(Context& ctx);

// Takes exactly that device away, and waits until it has gone. Absence is no failure.
void unmap_device(const Dirs& dirs, const disk::Mapping& mapping);
// Devices of this state that no row tells of, as sysfs has them. One that stands on files elsewhere
// than in `state_dir`, a real path, is another state's of the same tag.
std::vector<disk::Mapping> unknown_mappings(Reader& in, const std::string& state_dir);

// Throws Error(preflight) that says what is missing, where no disk can be mapped here.
void require_mapper(const Dirs& dirs);

} // namespace banger::ops
