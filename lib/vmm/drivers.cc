#include "vmm/drivers.h"

#include "core/error.h"
#include "vmm/firecracker.h"
#include "vmm/qemu.h"

namespace banger::vmm {

std::unique_ptr<Driver> driver(VmmKind kind, std::string binary) {
  switch (kind) {
  case VmmKind::qemu:
    return make_qemu(std::move(binary));
  case VmmKind::firecracker:
    return make_firecracker(std::move(binary));
  }
  throw failed("there is no such VMM");
}

} // namespace banger::vmm
