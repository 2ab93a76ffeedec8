// Kernel and initrd: from the files of Debian's kernel package.
#include <fmt/format.h>

#include "archive/tar.h"
#include "archive/unpack.h"
#include "bundle/kernel.h"
#include "core/error.h"
#include "ops/bundle_parts.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

struct KernelPackage {
  std::string release, bzimage;
  bundle::Modules packed; // as they lie in the package
};

KernelPackage read_kernel_package(const std::string& path) {
  KernelPackage kernel;
  constexpr std::string_view image = "boot/vmlinuz-";
  auto reader = archive::TarReader::of_package(path);
  while (auto entry = reader.next()) {
    if (entry->path.starts_with(image)) {
      kernel.release = entry->path.substr(image.size());
      kernel.bzimage = reader.content();
    } else if (bundle::merged_usr(entry->path).starts_with("usr/lib/modules/")) {
      if (std::string name = bundle::module_name(entry->path); !name.empty())
        kernel.packed[name] = reader.content();
    }
  }
  if (kernel.bzimage.empty()) throw failed("'{}' has no kernel", path);
  return kernel;
}

} // namespace

MadeBoot make_boot(BundleWork& work, DebianArchive& archive, const std::string& init,
                   std::string_view modules) {
  work.stage("kernel: fetching");
  std::string package = archive.kernel_package(std::string(kernel_meta_package));
  std::string deb = archive.download(package, work.path("kernel-package"));

  work.stage("kernel: unpacking");
  KernelPackage kernel = read_kernel_package(deb);
  std::string elf = bundle::kernel_elf(kernel.bzimage);

  work.stage("initrd");
  bundle::Modules unpacked; // only what is looked for: unpacking all of them takes seconds
  auto find = [&](const std::string& name) -> const std::string* {
    auto packed = kernel.packed.find(name);
    if (packed == kernel.packed.end()) return nullptr;
    auto [it, fresh] = unpacked.try_emplace(name);
    if (fresh) it->second = archive::unpack(packed->second, name);
    return &it->second;
  };
  auto closure = bundle::module_closure(find, bundle::parse_modules(modules, "modules"));
  std::string initrd = bundle::make_initrd(sys::read_file(init), unpacked, closure);

  MadeBoot made{.kernel = work.path("kernel"),
                .kernel_elf = work.path("kernel-elf"),
                .initrd = work.path("initrd"),
                .kernel_release = kernel.release};
  sys::write_atomic(made.kernel, kernel.bzimage, 0644);
  sys::write_atomic(made.kernel_elf, elf, 0644);
  sys::write_atomic(made.initrd, initrd, 0644);
  return made;
}

} // namespace banger::ops
