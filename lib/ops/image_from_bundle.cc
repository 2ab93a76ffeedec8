#include "ops/image_from_bundle.h"

#include "archive/sha256.h"
#include "bundle/runtime_dir.h"
#include "core/error.h"
#include "core/text.h"
#include "ops/boot_files.h"
#include "ops/image_store.h"
#include "sys/copy.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

std::string aside_suffix(const Image& image) { return "-" + image.id.substr(0, 4); }

// Frees the name for a newer build; the VMs on the old image keep it.
void set_aside(Context& ctx, const Image& old) {
  if (!old.ready) throw conflict("image '{}' is just being imported", old.name).subject(old.name);
  Image aside = ctx.state.change_image(old.id, [](Image& i) {
    i.ready = i.vms > 0;
    i.name += aside_suffix(i);
  });
  if (aside.ready) return;
  sys::remove_tree(ctx.dirs.image(old.id));
  ctx.state.remove_image(old.id);
}

Image import_root(Context& ctx, const bundle::Bundle& bundle, const bundle::Root& root,
                  const sys::FileLock& images) {
  const bundle::Part& part = bundle.root_part(root.variant);
  std::string from = bundle::require_part(bundle, part);
  ctx.stage(root.variant, "importing the image");
  Stage timed(ctx.log, "image.import", root.variant);

  Image image;
  image.name = root.variant;
  image.source = fmt::format("bundle {}", bundle.name);
  image.packages_hash = root.packages_hash;
  NewImage made(ctx, image, images);
  if (!sys::clone_file(from, made.root())) sys::copy_sparse(from, made.root());
  if (archive::sha256_file(made.root()) != part.sha256)
    throw failed("part '{}' of the bundle in '{}' is corrupt", part.name, bundle.path)
        .subject(part.name)
        .hint("banger bundle build --force");
  sys::write_atomic(made.file("packages"), root.packages);
  sys::write_atomic(made.file("packages.sha256"), root.packages_hash + "\n");
  sys::write_atomic(made.file("installed"), join(root.installed, "\n") + "\n");
  return made.finish(part.sha256);
}

} // namespace

Image image_for(Context& ctx, const std::string& asked) {
  std::string name = !asked.empty() ? asked : ctx.settings.vm_image;
  auto bundle = bundle::find_bundle(bundle::runtime_dir(ctx.settings, ctx.dirs).path);
  if (name.empty() && bundle) name = bundle->default_variant();
  if (name.empty()) current_bundle(ctx); // throws what is missing
  const bundle::Root* root = bundle ? bundle->find_root(name) : nullptr;

  auto known = [&]() -> std::optional<Image> {
    auto image = ctx.state.find_image(name);
    if (!image || !image->ready) return {};
    if (root && image->name == name && image->sha256 != bundle->root_part(name).sha256 &&
        image->source.starts_with("bundle "))
      return {}; // of an earlier build
    return image;
  };
  if (auto image = known()) return *image;
  if (!root) {
    if (!bundle) current_bundle(ctx);
    return view_image(ctx.state, name); // throws not_found, with what it may have meant
  }
  auto images = lock_images(ctx);
  if (auto image = known()) return *image; // another imported it meanwhile
  if (auto old = ctx.state.find_image(name); old && old->name == name) set_aside(ctx, *old);
  return import_root(ctx, *bundle, *root, images);
}

std::string variant_of(const Image& image) {
  std::string name = image.name, suffix = aside_suffix(image);
  if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  return name;
}

} // namespace banger::ops
