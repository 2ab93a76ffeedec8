// Kernel and initrd: from the files of Debian's kernel package.
#include <fmt/format.h>

#include "archive/reader.h"
#include "archive/unpack.h"
#include "bundle/kernel.h"
#include "bundle/parts.h"
#include "core/error.h"
#include "sys/file.h"

namespace banger::bundle {

namespace {

struct KernelPackage {
  std::string release, bzimage;
  Modules packed; // as they lie in the package
};

KernelPackage read_kernel_package(const std::string& path) {
  KernelPackage kernel;
  constexpr std::string_view image = "boot/vmlinuz-";
  auto reader = archive::Reader::of_package(path);
  while (auto entry = reader.next()) {
    if (entry->path.starts_with(image)) {
      kernel.release = entry->path.substr(image.size());
      kernel.bzimage = reader.content();
    } else if (merged_usr(entry->path).starts_with("usr/lib/modules/")) {
      if (std::string name = module_name(entry->path); !name.empty())
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
  std::string elf = kernel_elf(kernel.bzimage);

  work.stage("initrd");
  Modules unpacked; // only what is looked for: unpacking all of them takes seconds
  auto find = [&](const std::string& name) -> const std::string* {
    auto packed = kernel.packed.find(name);
    if (packed == kernel.packed.end()) return nullptr;
    auto [it, fresh] = unpacked.try_emplace(name);
    if (fresh) it->second = archive::unpack(packed->second, name);
    return &it->second;
  };
  auto closure = module_closure(find, parse_modules(modules, "modules"));
  std::string initrd = make_initrd(sys::read_file(init), unpacked, closure);

  MadeBoot made{.kernel = work.path("kernel"),
                .kernel_elf = work.path("kernel-elf"),
                .initrd = work.path("initrd"),
                .kernel_release = kernel.release};
  sys::write_atomic(made.kernel, kernel.bzimage, 0644);
  sys::write_atomic(made.kernel_elf, elf, 0644);
  sys::write_atomic(made.initrd, initrd, 0644);
  return made;
}

} // namespace banger::bundle
