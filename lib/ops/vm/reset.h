// A fresh root disk for a VM that keeps everything else: name, id, address, keys, work disk, ports.
#pragma once

#include <optional>
#include <string>

#include "ops/common/context.h"

namespace banger::ops {

// Makes the root anew, in the same way and at least as large, from the VM's image or from `image`
// (a name or id; the bundle's too). Returns the row, `stopped`. Throws Error(conflict) unless the
// VM is stopped or failed, Error(not_found) for the image.
//
// The new root is made whole beside the old one; then the row is changed, then the new root takes
// the old one's name. If the verb dies in between, the next verb on this VM finds the old root
// with the old image, or the new root with the new image (settle_reset of
// ops/release/reset.h).
Vm reset_vm(Context& ctx, const std::string& ref, const std::optional<std::string>& image);

} // namespace banger::ops
