// The drivers that there are: the one place that lists them.
#pragma once

#include <memory>
#include <string>

#include "vmm/driver.h"

namespace banger::vmm {

// `binary` is the VMM's program.
std::unique_ptr<Driver> driver(VmmKind kind, std::string binary);

} // namespace banger::vmm
