#include "ops/release/kept_logs.h"

#include <algorithm>

#include <fcntl.h>

#include "core/error.h"
#include "sys/copy.h"

namespace banger::ops {

namespace {

constexpr int64_t most_of_each = int64_t{1} << 20;
constexpr size_t most_vms = 20;
constexpr int64_t days_kept = 7, ns_of_a_day = int64_t{86'400} * 1'000'000'000;

std::string all_of(const Dirs& dirs) { return dirs.state + "/log/kept"; }

} // namespace

void keep_logs(Context& ctx, const Vm& vm, const Places& places) {
  try {
    std::string dir = ctx.dirs.kept_logs(vm.name, vm.id);
    sys::make_dirs(dir);
    for (const std::string& log : {places.console, places.vmm_log, places.lifecycle}) {
      auto info = sys::find_info(log);
      if (!info) continue;
      if (info->size > most_of_each)
        sys::cut_front(sys::open_file(log, O_RDWR).get(), most_of_each);
      sys::rename(log, dir + log.substr(log.rfind('/')));
    }
    prune_kept_logs(ctx);
  } catch (const Error& e) {
    ctx.log.warn("vm.logs_not_kept", e, {{"vm", std::string_view(vm.name)}});
  }
}

std::string kept_log(const Dirs& dirs, const Vm& vm, const std::string& path) {
  std::string kept =
      dirs.kept_logs(vm.name, vm.id) + path.substr(std::min(path.rfind('/'), path.size()));
  return !path.empty() && sys::exists(kept) ? kept : std::string();
}

void prune_kept_logs(Context& ctx) {
  struct Kept {
    int64_t mtime_ns;
    std::string path;
  };
  std::vector<Kept> all;
  for (const std::string& name : sys::list_dir(all_of(ctx.dirs))) {
    std::string path = all_of(ctx.dirs) + "/" + name;
    if (auto info = sys::find_link_info(path)) all.push_back({info->mtime_ns, path});
  }
  std::ranges::sort(all, std::greater(), &Kept::mtime_ns);
  int64_t oldest = wall_now().ns - days_kept * ns_of_a_day;
  for (size_t i = 0; i < all.size(); i++)
    if (i >= most_vms || all[i].mtime_ns < oldest) sys::remove_tree(all[i].path);
}

} // namespace banger::ops
