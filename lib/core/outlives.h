// How long written data must last.
//
// A record of processes (who runs a VM, which descriptor is whose) is useless after a power cut,
// which ends them all: it need only be written whole, and in order with the others. Awaiting the
// disk for it would cost each start several journal commits of the file system.
#pragma once

namespace banger {

enum class Outlives {
  power_cut, // on the disk before the call returns
  process    // seen by everybody from now on, whoever dies; a power cut may take it
};

} // namespace banger
