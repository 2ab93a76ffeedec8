#include "ops/vm_view.h"

#include "ops/reconcile.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

bool matches(const Vm& vm, const VmFilter& filter) {
  if (filter.state && vm.state != *filter.state) return false;
  for (const auto& [key, value] : filter.labels) {
    auto it = vm.labels.find(key);
    if (it == vm.labels.end() || it->second != value) return false;
  }
  return true;
}

} // namespace

std::vector<Vm> list_vms(state::State& state, const Dirs& dirs, const VmFilter& filter) {
  std::vector<Vm> out;
  for (Vm& vm : state.vms()) {
    Vm seen = as_seen(dirs, state.tag(), std::move(vm));
    if (matches(seen, filter)) out.push_back(std::move(seen));
  }
  return out;
}

Vm view_vm(state::State& state, const Dirs& dirs, const std::string& ref) {
  return as_seen(dirs, state.tag(), state.get_vm(ref));
}

std::optional<int64_t> root_used(const Dirs& dirs, const Vm& vm) {
  auto info = sys::find_info(dirs.vm_file(vm.id, "root.img"));
  if (!info) return {};
  return info->allocated;
}

} // namespace banger::ops
