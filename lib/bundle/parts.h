// The parts of a bundle, each made into files of a build's work directory. For bundle/build.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/debian.h"
#include "bundle/recipe.h"
#include "bundle/work.h"

namespace banger::bundle {

// Debian's kernel for virtual machines: virtio as modules, ext4 built in.
inline constexpr std::string_view kernel_meta_package = "linux-image-cloud-amd64";

struct MadeBoot {
  std::string kernel, kernel_elf, initrd; // paths
  std::string kernel_release;
};
// `init` is the initrd's /init; `modules` the text of runtime/modules.
MadeBoot make_boot(BundleWork& work, DebianArchive& archive, const std::string& init,
                   std::string_view modules);

struct MadeRoot {
  std::string path;
  std::vector<std::string> installed; // "NAME VERSION", sorted
};
// An ext4 file system made without mounting anything, and without rights.
MadeRoot make_root(BundleWork& work, DebianArchive& archive, const RootSource& source);

// "Package: a\nStatus: install ok installed\nVersion: 1\n…" of dpkg to "a 1". Pure.
std::vector<std::string> installed_packages(std::string_view dpkg_status);
// "zlib1g_1%3a1.2.13.dfsg-1_amd64.deb" to "zlib1g 1:1.2.13.dfsg-1". Pure.
std::string package_of_file(std::string_view file_name);

// Whether this user may map other users' ids, which mmdebstrap's unshare mode needs.
bool has_subordinate_ids();

} // namespace banger::bundle
