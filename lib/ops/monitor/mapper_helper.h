// Has banger-mapper (disk/mapper.h) map or unmap a VM's root disk, for its monitor.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "core/error.h"
#include "disk/mapping.h"
#include "ops/common/context.h"
#include "ops/monitor/helper.h"

namespace banger::ops {

// As ask_place (ops/monitor/place_helper.h).
std::unique_ptr<Helper> ask_mapper(Context& ctx, sys::Loop& loop, const disk::MapRequest& request,
                                   const std::string& cwd, int errors, Millis patience,
                                   std::function<void(std::expected<disk::Mapped, Error>)> done);

} // namespace banger::ops
