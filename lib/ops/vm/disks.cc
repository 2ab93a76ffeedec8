#include "ops/vm/disks.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "disk/cow.h"
#include "disk/ext4.h"
#include "disk/root.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace banger::ops {

std::vector<std::string> disk_files(const Places& places) {
  std::vector<std::string> files{places.root};
  if (own_root(places) != places.root) files.push_back(own_root(places));
  if (!places.work.empty()) files.push_back(places.work);
  return files;
}

void require_file_systems(const Places& places, const Vm& vm) {
  for (const std::string& file : disk_files(places)) {
    try {
      file == places.cow ? disk::check_cow(file, places.root) : void(disk::ext4_size(file));
    } catch (const Error& e) {
      std::string hint = fmt::format("banger vm reset {} makes its root anew", vm.name);
      if (file == places.work) hint = "only its own e2fsck can tell what is left of a work disk";
      if (file == places.root && own_root(places) != places.root)
        hint =
            fmt::format("import image '{}' again under another name, and banger vm reset --image",
                        vm.image_name);
      throw Error(e.code(), fmt::format("cannot start '{}': {}", vm.name, e.message()))
          .subject(vm.name)
          .hint(hint);
    }
  }
}

void renew_blank_root(Context& ctx, const Places& places, const Vm& vm) {
  if (own_root(places) == places.root) return;
  if (vm.started.ns != 0 || vm.created.ns > sys::boot_time().ns) return;
  sys::remove_file(own_root(places));
  disk::make_root({.way = vm.root_way,
                   .from = places.root,
                   .to = own_root(places),
                   .size = vm.root_size,
                   .needs = 0,
                   .blanks = ctx.dirs.state + "/blank"});
}

Vm record_sizes(Context& ctx, const Places& places, const Vm& vm) {
  auto size_of = [&](const std::string& file, int64_t known) {
    auto info = file.empty() ? std::nullopt : sys::find_info(file);
    if (!info) return known;
    if (file != places.cow) return std::max(info->size, known);
    try {
      return std::max(disk::cow_disk_size(file, places.root), known);
    } catch (const Error&) {
      return known; // a start says what is wrong with it, and how it is mended
    }
  };
  int64_t root = size_of(own_root(places), vm.root_size);
  int64_t work = size_of(places.work, vm.work_size);
  if (root == vm.root_size && work == vm.work_size) return vm;
  return ctx.state.change_vm(vm.id, [&](Vm& v) {
    v.root_size = root;
    v.work_size = work;
  });
}

void grow_disks(Context& ctx, HeldVm& held, std::optional<int64_t> disk,
                std::optional<int64_t> work) {
  Vm& vm = held.vm;
  if (work && !vm.work_size)
    throw conflict("cannot grow the work disk of '{}': it has none", vm.name)
        .subject(vm.name)
        .hint("a VM gets its work disk when it is made: banger vm create --work-disk SIZE");
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  vm = record_sizes(ctx, places, vm);
  if (disk) disk = disk::whole_blocks(*disk);
  if (work) work = disk::whole_blocks(*work);
  auto check = [&](const char* what, std::optional<int64_t> size, int64_t has) {
    if (size && *size < has)
      throw usage("cannot shrink the {} of '{}' from {} to {}", what, vm.name, format_size(has),
                  format_size(*size))
          .subject(vm.name)
          .hint("a disk can only grow");
  };
  check("root disk", disk, vm.root_size);
  check("work disk", work, vm.work_size);
  // The row is written last, so that a size that the disk's file cannot have is never recorded.
  auto grow = [&](const std::string& file, std::optional<int64_t> size, int64_t Vm::*field) {
    if (!size) return;
    ctx.stage(vm.name, "growing its disk");
    try {
      file == places.cow ? disk::grow_cow(file, places.root, *size) : disk::grow_disk(file, *size);
    } catch (Error& e) {
      throw std::move(e.within(fmt::format("cannot grow '{}'", vm.name)).default_subject(vm.name));
    }
    vm = ctx.state.change_vm(vm.id, [&](Vm& v) { v.*field = *size; });
  };
  grow(own_root(places), disk, &Vm::root_size);
  grow(places.work, work, &Vm::work_size);
  record(ctx, vm.name, "vm.grown", {{"root", vm.root_size}, {"work", vm.work_size}});
}

} // namespace banger::ops
