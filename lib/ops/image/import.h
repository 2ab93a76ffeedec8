// Images made from what people have: an ext4 file, a disk, a tarball, a directory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ops/common/context.h"

namespace banger::ops {

struct ImportOptions {
  // Of the file system. Where not given: that of an ext4 source; for a tarball or a directory the
  // size of its content and some room.
  std::optional<int64_t> size;
  std::optional<int> partition; // of a disk; the largest of Linux's where not given
};

// The content is copied and put in order for a VM (ops/image/fill.h); the source stays as it is and
// may go afterwards. Until the image is whole it is not seen; a failure or a crash leaves nothing.
// No rights are needed. Throws Error(usage) for bad options, Error(not_found), Error(conflict)
// when the name is taken, Error(failed) for a source that is damaged, no root file system, or
// larger than `size`.
Image import_image(Context& ctx, const std::string& name, const std::string& source,
                   const ImportOptions& options);

} // namespace banger::ops
