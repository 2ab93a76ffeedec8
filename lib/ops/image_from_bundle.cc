#include "ops/image_from_bundle.h"

#include "archive/sha256.h"
#include "bundle/runtime_dir.h"
#include "core/error.h"
#include "core/text.h"
#include "core/undo.h"
#include "disk/ext4.h"
#include "ops/boot_files.h"
#include "sys/copy.h"
#include "sys/file.h"
#include "sys/lock.h"

namespace banger::ops {

namespace {

std::string lock_path(const Context& ctx) { return ctx.dirs.state + "/images.lock"; }

void remove_unfinished(Context& ctx) {
  for (const Image& image : ctx.state.images()) {
    if (image.ready) continue;
    sys::remove_tree(ctx.dirs.image(image.id));
    ctx.state.remove_image(image.id);
  }
}

// Frees the name for a newer build; the VMs on the old image keep it.
void set_aside(Context& ctx, const Image& old) {
  if (old.vms == 0) {
    ctx.state.remove_image(old.id);
    sys::remove_tree(ctx.dirs.image(old.id));
    return;
  }
  ctx.state.change_image(old.id, [](Image& i) { i.name += "-" + i.id.substr(0, 4); });
}

Image import_root(Context& ctx, const bundle::Bundle& bundle, const bundle::Root& root) {
  const bundle::Part& part = bundle.root_part(root.variant);
  std::string from = bundle::require_part(bundle, part);
  ctx.stage(root.variant, "importing the image");
  Stage timed(ctx.log, "image.import", root.variant);

  Image image;
  image.id = new_id();
  image.name = root.variant;
  image.source = fmt::format("bundle {}", bundle.name);
  image.created = wall_now();
  image.packages_hash = root.packages_hash;
  image.sha256 = part.sha256;
  Undo undo;
  ctx.state.add_image(image);
  undo.push("remove the row", [&] { ctx.state.remove_image(image.id); });

  std::string dir = ctx.dirs.image(image.id);
  sys::make_dirs(dir);
  undo.push("remove the directory", [&] { sys::remove_tree(dir); });
  std::string to = dir + "/root.ext4";
  if (!sys::clone_file(from, to)) sys::copy_sparse(from, to);
  if (archive::sha256_file(to) != part.sha256)
    throw failed("part '{}' of the bundle in '{}' is corrupt", part.name, bundle.path)
        .subject(part.name)
        .hint("banger bundle build --force");
  image.size = disk::ext4_size(to);
  sys::write_atomic(dir + "/packages", root.packages);
  sys::write_atomic(dir + "/packages.sha256", root.packages_hash + "\n");
  sys::write_atomic(dir + "/installed", join(root.installed, "\n") + "\n");
  sys::set_mode(to, 0400);
  sys::sync_file(to);
  image.used = sys::find_info(to)->allocated;
  Image done = ctx.state.change_image(image.id, [&](Image& i) {
    i.size = image.size;
    i.used = image.used;
    i.ready = true;
  });
  undo.dismiss();
  record(ctx, {}, "image.imported", {{"image", image.name}, {"id", image.id}});
  return done;
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
    return ctx.state.get_image(name); // throws not_found, with what it may have meant
  }
  auto lock = sys::FileLock::take(lock_path(ctx));
  if (auto image = known()) return *image; // another imported it meanwhile
  remove_unfinished(ctx);
  if (auto old = ctx.state.find_image(name); old && old->name == name) set_aside(ctx, *old);
  return import_root(ctx, *bundle, *root);
}

void clean_imports(Context& ctx) {
  bool any = false;
  for (const Image& image : ctx.state.images()) any = any || !image.ready;
  if (!any) return;
  if (auto lock = sys::FileLock::try_take(lock_path(ctx))) remove_unfinished(ctx);
}

} // namespace banger::ops
