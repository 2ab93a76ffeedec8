#include "ops/release/reset.h"

#include <string_view>

#include <fmt/format.h>

#include "sys/file.h"

namespace banger::ops {

namespace {
constexpr std::string_view prefix = "reset-", suffix = ".img";
}

std::string half_made_root(const Places& places) { return places.dir + "/.reset.tmp"; }

std::string whole_root(const Places& places, const std::string& image_id) {
  return fmt::format("{}/{}{}{}", places.dir, prefix, image_id, suffix);
}

void settle_reset(const Places& places, const Vm& vm) {
  sys::remove_file(half_made_root(places));
  for (const std::string& name : sys::list_dir(places.dir)) {
    if (!name.starts_with(prefix) || !name.ends_with(suffix)) continue;
    std::string path = places.dir + "/" + name;
    if (path == whole_root(places, vm.image_id))
      sys::rename(path, own_root(places));
    else
      sys::remove_file(path);
    sys::sync_dir(places.dir);
  }
}

} // namespace banger::ops
