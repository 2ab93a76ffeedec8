// QEMU: started with its whole machine on the command line, spoken to by QMP.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "vmm/driver.h"

namespace banger::vmm {

std::unique_ptr<Driver> make_qemu(std::string binary);

// Reads QEMU's `info registers -a`, which prints "RFL=00000002 … HLT=1" of each processor. Pure.
bool all_halted(std::string_view registers);

} // namespace banger::vmm
