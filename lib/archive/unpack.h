// Decompression of one buffer of xz, gzip, zstd, lz4 (the legacy frame too), bzip2 or lzma. A
// buffer that is none of these comes back as it was.
#pragma once

#include <string>
#include <string_view>

namespace banger::archive {

// `what` is named in the error: Error(failed) for damaged data, and for more than 1 GiB.
std::string unpack(std::string_view packed, std::string_view what);

} // namespace banger::archive
