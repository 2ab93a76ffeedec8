#include "ops/image/from_bundle.h"

#include "archive/sha256.h"
#include "bundle/runtime_dir.h"
#include "core/error.h"
#include "core/text.h"
#include "model/name.h"
#include "ops/bundle/boot_files.h"
#include "ops/image/store.h"
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

std::string source_of(const bundle::Bundle& bundle) { return "bundle " + bundle.name; }

Image import_root(Context& ctx, const bundle::Bundle& bundle, const bundle::Root& root,
                  const sys::FileLock& images) {
  const bundle::Part& part = bundle.root_part(root.variant);
  std::string from = bundle::require_part(bundle, part);
  ctx.stage(root.variant, "importing the image");
  LogSpan timed(ctx.log, "image.import", root.variant);

  Image image;
  image.name = root.variant;
  image.source = source_of(bundle);
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

bool is_of_bundle(const Image& image) { return image.source.starts_with("bundle "); }

// An asked name with its meaning: it may be that of a variant of the bundle.
struct Asked {
  std::string name;
  std::optional<bundle::Bundle> bundle;
  const bundle::Root* root = nullptr; // of that bundle

  Asked(Reader& in, const std::string& asked)
      : name(!asked.empty() ? asked : in.settings.vm_image),
        bundle(bundle::find_bundle(bundle::runtime_dir(in.settings, in.dirs).path)) {
    if (name.empty() && bundle) name = bundle->default_variant();
    if (name.empty()) current_bundle(in); // throws what is missing
    if (bundle) root = bundle->find_root(name);
  }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  // Of the state, unless it is of an earlier build of the bundle. Throws Error(conflict) where it
  // is not from a bundle and this one has another of that name.
  std::optional<Image> known(Reader& in) const {
    auto image = in.state.find_image(name);
    if (!image || !image->ready) return {};
    if (!root || image->name != name) return image;
    if (!is_of_bundle(*image))
      throw conflict("image '{}' was imported, and the bundle has another of that name", name)
          .subject(name)
          .hint(
              fmt::format("--image {} is the imported one; 'banger image rm {}' removes that, and "
                          "the name is the bundle's again",
                          image->id, name));
    if (image->sha256 != bundle->root_part(name).sha256) return {};
    return image;
  }

  // A hint at what the name may have meant.
  std::string help(Reader& in) const {
    std::vector<std::string> variants, names;
    for (const bundle::Root& r : bundle->roots) variants.push_back(r.variant);
    for (const Image& image : in.state.images()) names.push_back(image.name);
    names.insert(names.end(), variants.begin(), variants.end());
    if (!is_name(name))
      return "'banger image import NAME SOURCE' makes an image of a tarball, a disk or a directory";
    if (auto near = did_you_mean(name, names)) return fmt::format("did you mean '{}'?", *near);
    return fmt::format("'banger image list' shows what there is; the bundle has {}",
                       join(variants, ", "));
  }

  // Throws where the bundle has no such variant either.
  const bundle::Root& variant(Reader& in) const {
    if (root) return *root;
    if (!bundle) current_bundle(in);
    if (in.state.find_image(name)) view_image(in, name); // it is still being imported
    throw not_found("no image '{}'", escape_for_terminal(name)).subject(name).hint(help(in));
  }
};

} // namespace

ImageSource find_image_source(Reader& in, const std::string& name) {
  Asked asked(in, name);
  if (auto image = asked.known(in)) return {*image, in.dirs.image_root(image->id)};
  ImageSource source;
  const bundle::Root& root = asked.variant(in);
  source.image.name = root.variant;
  source.image.source = source_of(*asked.bundle);
  source.image.packages_hash = root.packages_hash;
  source.root = bundle::require_part(*asked.bundle, asked.bundle->root_part(source.image.name));
  return source;
}

Image image_for(Context& ctx, const std::string& name) {
  Asked asked(ctx, name);
  if (auto image = asked.known(ctx)) return *image;
  const bundle::Root& root = asked.variant(ctx);
  auto images = lock_images(ctx);
  if (auto image = asked.known(ctx)) return *image; // another imported it meanwhile
  if (auto old = ctx.state.find_image(asked.name); old && old->name == asked.name)
    set_aside(ctx, *old);
  return import_root(ctx, *asked.bundle, root, images);
}

void refuse_variant(Reader& in, const std::string& name) {
  std::optional<bundle::Bundle> bundle;
  try {
    bundle = bundle::find_bundle(bundle::runtime_dir(in.settings, in.dirs).path);
  } catch (const Error&) {
    return; // a bundle that cannot be read is told where one is used
  }
  if (bundle && bundle->find_root(name))
    throw conflict("cannot import image '{}': the bundle has one of that name", name)
        .subject(name)
        .hint(fmt::format("take another name, such as my-{}", name));
}

std::string variant_of(const Image& image) {
  std::string name = image.name, suffix = aside_suffix(image);
  if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  return name;
}

} // namespace banger::ops
