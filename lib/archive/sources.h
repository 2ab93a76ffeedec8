// Where an archive's bytes come from, one laid around the other: a descriptor, what is packed in
// it, a member of a package. In bounded memory; no other program is ever run.
#pragma once

#include <string>

#include "archive/pull.h"

namespace banger::archive {

// The descriptor stays the caller's; `name` is for errors, here as below.
Pull pull_file(int fd, std::string name);

// `head`, which was pulled already, and the rest after it.
Pull after(std::string head, Pull rest);

// The content of bytes that are packed with gzip, xz, zstd or bzip2, told by the first of them;
// others come as they are. Error(failed) for a packed stream that is damaged or cut short.
Pull unpacking(Pull packed, std::string name);

// The file tree's tar of a Debian package, as it is packed there. Error(failed) for any other file.
Pull pull_package(const std::string& path);

} // namespace banger::archive
