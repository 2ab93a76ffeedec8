#include "vmm/drivers.h"

#include "vmm/firecracker.h"
#include "vmm/qemu.h"

namespace banger::vmm {

namespace {

std::unique_ptr<Driver> find_driver(VmmKind kind, std::string binary) {
  switch (kind) {
  case VmmKind::qemu:
    return make_qemu(std::move(binary));
  case VmmKind::firecracker:
#ifdef BANGER_FAILPOINTS
    // Not offered yet: the tests drive a program of their own with it.
    return make_firecracker(std::move(binary));
#else
    break;
#endif
  }
  return nullptr;
}

} // namespace

bool has_driver(VmmKind kind) { return find_driver(kind, {}) != nullptr; }

std::unique_ptr<Driver> driver(VmmKind kind, std::string binary) {
  if (auto found = find_driver(kind, std::move(binary))) return found;
  throw preflight("cannot use the VMM '{}': this build does not drive it", name_of(kind));
}

} // namespace banger::vmm
