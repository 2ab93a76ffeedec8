#include "vmm/program.h"

#include <cstring>
#include <iterator>

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/error.h"
#include "core/handle.h"
#include "sys/file.h"

namespace banger::vmm {

namespace {

constexpr const char* libraries[] = {"/usr/lib",
                                     "/usr/lib32",
                                     "/usr/lib64",
                                     "/usr/libx32",
                                     "/usr/libexec",
                                     "/usr/local/lib",
                                     "/lib",
                                     "/lib32",
                                     "/lib64",
                                     "/libx32",
                                     "/etc/ld.so.cache",
                                     "/etc/ld.so.preload",
                                     "/etc/alternatives"};
constexpr const char* data[] = {"/usr/share", "/usr/local/share"};
constexpr const char* programs[] = {"/usr", "/bin", "/sbin"};
// Where they lie on systems that have them elsewhere.
constexpr const char* trees[] = {"/nix/store", "/gnu/store"};

enum class Kind { whole, linked, script };

// A file that cannot be read, or is none of this kernel's, fails by itself when it is executed.
Kind kind_of(const std::string& program) {
  Fd fd;
  try {
    fd = sys::open_file(program, O_RDONLY);
  } catch (const Error&) {
    return Kind::linked;
  }
  Elf64_Ehdr header{};
  auto size = static_cast<ssize_t>(sizeof header);
  if (::pread(fd.get(), &header, sizeof header, 0) != size ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(Elf64_Phdr))
    return Kind::script;
  for (int i = 0; i < header.e_phnum; i++) {
    Elf64_Phdr part{};
    auto at = static_cast<off_t>(header.e_phoff + i * sizeof part);
    if (::pread(fd.get(), &part, sizeof part, at) != static_cast<ssize_t>(sizeof part)) break;
    if (part.p_type == PT_INTERP) return Kind::linked;
  }
  return Kind::whole;
}

// The directory above the one of a program: its prefix. Empty where that is the root.
std::string prefix_of(const std::string& program) {
  size_t name = program.rfind('/');
  if (name == 0 || name == std::string::npos) return {};
  return program.substr(0, program.rfind('/', name - 1));
}

// Where a program has its libraries and data that was installed apart from the system's.
std::string own_tree(const std::string& program) {
  constexpr std::string_view apart = "/opt/";
  if (!program.starts_with(apart)) return prefix_of(program) + "/share/qemu";
  size_t end = program.find('/', apart.size());
  return end == std::string::npos ? std::string() : program.substr(0, end);
}

} // namespace

std::vector<std::string> needs_of(const std::string& program) {
  std::vector<std::string> all{program};
  Kind kind = kind_of(program);
  if (kind == Kind::whole) return all;
  auto add = [&](const auto& paths) { all.insert(all.end(), std::begin(paths), std::end(paths)); };
  add(libraries);
  add(data);
  if (kind == Kind::script) add(programs);
  add(trees);
  if (std::string tree = own_tree(program); !tree.empty()) all.push_back(tree);
  return all;
}

} // namespace banger::vmm
