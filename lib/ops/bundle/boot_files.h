// The files that a VM boots from: the bundle's kernel and initrd, checked.
#pragma once

#include <string>

#include "bundle/bundle.h"
#include "ops/common/context.h"

namespace banger::ops {

struct BootFiles {
  std::string kernel; // absolute paths; the kernel is the uncompressed ELF
  std::string initrd;
};

// Throws Error that names the part that is missing or corrupt. A part is read through and its
// sha256 compared once for each identity (path, inode, size, time); after that it costs a stat.
BootFiles boot_files(Context& ctx, const bundle::Bundle& bundle);

// The bundle of the settings; Error(preflight) with the command that builds one.
bundle::Bundle current_bundle(Reader& in);

} // namespace banger::ops
