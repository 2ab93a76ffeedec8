#include "ops/bundle/boot_files.h"

#include "bundle/runtime_dir.h"

namespace banger::ops {

namespace {

std::string checked(Context& ctx, const bundle::Bundle& bundle, const bundle::Part& part) {
  std::string identity = bundle::part_identity(bundle, part);
  std::string key = "verified." + part.name;
  if (ctx.state.fact(key) != identity) {
    bundle::verify_part(bundle, part);
    ctx.state.set_fact(key, identity);
  }
  return bundle.file(part);
}

} // namespace

BootFiles boot_files(Context& ctx, const bundle::Bundle& bundle) {
  return {checked(ctx, bundle, bundle.kernel_elf()), checked(ctx, bundle, bundle.initrd())};
}

bundle::Bundle current_bundle(Reader& in) {
  return bundle::load_bundle(bundle::runtime_dir(in.settings, in.dirs).path);
}

} // namespace banger::ops
