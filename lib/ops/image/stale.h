// Whether an image of the bundle was made from another package list than banger has now.
#pragma once

#include <optional>
#include <string>

#include "model/image.h"
#include "model/settings.h"

namespace banger::ops {

// None where it is unknown: the image was imported, or banger has no recipe of that name. Two
// images of one list are alike in this, even if the packages themselves have changed meanwhile.
std::optional<bool> is_stale(const Dirs& dirs, const Image& image);

// The notice for people about a stale image, with the command that mends it; empty for any other.
std::string stale_notice(const Dirs& dirs, const Image& image);

} // namespace banger::ops
