// How long what was written must last.
//
// What tells of processes (who runs a VM, which descriptor is whose) is of no use after a power
// cut, which ends them all: such a write need only be whole, and in order with the others. Awaiting
// the disk for it would cost each start several journal commits of the file system.
#pragma once

namespace banger {

enum class Outlives {
  power_cut, // on the disk before the call returns
  process    // seen by everybody from now on, whoever dies; a power cut may take it
};

} // namespace banger
