#include "ops/image/stale.h"

#include <fmt/format.h>

#include "archive/sha256.h"
#include "bundle/recipe.h"
#include "ops/image/from_bundle.h"

namespace banger::ops {

std::optional<bool> is_stale(const Dirs& dirs, const Image& image) {
  if (image.packages_hash.empty()) return {};
  auto list = bundle::find_packages(dirs.share + "/runtime", variant_of(image));
  if (!list) return {};
  return archive::sha256_hex(*list) != image.packages_hash;
}

std::string stale_notice(const Dirs& dirs, const Image& image) {
  if (!is_stale(dirs, image).value_or(false)) return {};
  std::string variant = variant_of(image);
  std::string text =
      fmt::format("image '{}' is stale: its package list has changed since it was built; "
                  "banger bundle build --variant {} builds it anew",
                  image.name, variant);
  if (image.name != variant)
    text += fmt::format(", banger vm reset --image {} NAME moves a VM to that", variant);
  return text;
}

} // namespace banger::ops
