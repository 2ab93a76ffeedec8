// Debian's kernel taken apart. Pure: bytes in, bytes out.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace banger::bundle {

// The uncompressed ELF inside a bzImage (Documentation/x86/boot.rst: the payload after the
// protected-mode code's start). Error(failed) for anything else.
std::string kernel_elf(std::string_view bzimage);

// The modules that a kernel module depends on, by the "depends=" of its .modinfo section.
// Error(failed) for a file that is no 64-bit little-endian ELF.
std::vector<std::string> module_depends(std::string_view module, std::string_view name);

// One line of the list of wanted modules (runtime/modules): "NAME WHEN".
struct WantedModule {
  std::string name, when;
  bool operator==(const WantedModule&) const = default;
};
// Comments begin with '#'. Error(failed) for a line of another form; `path` is for that.
std::vector<WantedModule> parse_modules(std::string_view text, std::string_view path);

// Modules by name, with '_' for '-'; content uncompressed.
using Modules = std::map<std::string, std::string>;
// "kernel/net/core/failover.ko.xz" -> "failover"; empty for a path that is no module's.
std::string module_name(std::string_view path);
// A module's content by its name, null if there is none.
using FindModule = std::function<const std::string*(const std::string& name)>;
// The wanted modules and all that they depend on, each once, after what it depends on. A dependency
// is loaded when the first that needs it is: list what is always needed first. Error(failed) names
// a module that is not there.
std::vector<WantedModule> module_closure(const FindModule& find,
                                         const std::vector<WantedModule>& wanted);

// The initrd that every VM's seed is appended to: `init` as /init, the modules in /banger/ko in the
// order of /banger/modules. Its size is a multiple of 4.
std::string make_initrd(const std::string& init, const Modules& modules,
                        const std::vector<WantedModule>& closure);

} // namespace banger::bundle
