#include "vmm/firecracker_versions.h"

#include <charconv>
#include <limits>

#include <fmt/format.h>

namespace banger::vmm {

namespace {

struct Fault {
  FirecrackerVersion from, mended; // the first version with it, and the first without it again
  const char* what;
  // Of vsock: the guests that it hits, and the first of their kernels.
  std::optional<VsockUse> vsock = {};
  KernelVersion kernel = {};
};

constexpr FirecrackerVersion first{}, not_yet{std::numeric_limits<int>::max(), 0, 0};

constexpr Fault faults[] = {
    {first,
     {1, 14, 0},
     "vsock corrupts what it carries with guest kernels from 6.17 on (#5485)",
     VsockUse::booted,
     {6, 17}},
    {first, {1, 15, 0}, "a diff snapshot of more than 3 GiB of memory is corrupt (#5705)"},
    {first, {1, 16, 0}, "a restored guest's monotonic clock jumps by its snapshot's age (#5809)"},
    {{1, 16, 0}, {1, 16, 1}, "a restored guest's vsock is dead (#5958)", VsockUse::restored},
    {{1, 16, 0},
     not_yet,
     "after a pause and resume every new vsock connection to the guest hangs (#6100)",
     VsockUse::resumed},
};

} // namespace

std::string to_text(const FirecrackerVersion& v) {
  return fmt::format("{}.{}.{}", v.major, v.minor, v.patch);
}

std::optional<FirecrackerVersion> find_firecracker_version(std::string_view said) {
  constexpr std::string_view name = "Firecracker v";
  if (size_t at = said.find(name); at != said.npos) said.remove_prefix(at + name.size());
  FirecrackerVersion v;
  const char *at = said.data(), *end = at + said.size();
  for (int* part : {&v.major, &v.minor, &v.patch}) {
    if (part != &v.major && (at == end || *at++ != '.')) return {};
    auto [next, error] = std::from_chars(at, end, *part);
    if (error != std::errc() || *part < 0) return {};
    at = next;
  }
  return v;
}

namespace {

bool has(const FirecrackerVersion& version, const Fault& fault) {
  return version >= fault.from && version < fault.mended;
}

} // namespace

std::optional<std::string> vsock_fault(const FirecrackerVersion& version,
                                       const KernelVersion& guest, VsockUse use) {
  // A guest that goes on was booted, too.
  for (const Fault& f : faults)
    if (f.vsock && has(version, f) && guest >= f.kernel &&
        (*f.vsock == use || *f.vsock == VsockUse::booted))
      return f.what;
  return {};
}

std::vector<std::string> known_faults(const FirecrackerVersion& version) {
  std::vector<std::string> all;
  for (const Fault& f : faults)
    if (has(version, f)) all.emplace_back(f.what);
  return all;
}

} // namespace banger::vmm
