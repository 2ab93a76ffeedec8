// Whether an image of the bundle was made from another package list than banger has now.
#pragma once

#include <optional>
#include <string>

#include "model/image.h"
#include "model/settings.h"

namespace banger::ops {

// None where nobody knows: the image was imported, or banger has no recipe of that name. Two images
// of one list are alike in this, whatever became of the packages themselves meanwhile.
std::optional<bool> is_stale(const Dirs& dirs, const Image& image);

// What people are told of a stale image, with what mends it; empty for any other.
std::string stale_notice(const Dirs& dirs, const Image& image);

} // namespace banger::ops
