// The drivers that there are: the one place that lists them.
#pragma once

#include <memory>
#include <string>

#include "vmm/driver.h"

namespace banger::vmm {

// Whether this build drives that kind.
bool has_driver(VmmKind kind);
// `binary` is the VMM's program. Throws Error(preflight) for a kind that this build does not drive.
std::unique_ptr<Driver> driver(VmmKind kind, std::string binary);

} // namespace banger::vmm
