#include "ops/image/store.h"

#include <nlohmann/json.hpp>

#include "archive/sha256.h"
#include "core/error.h"
#include "core/text.h"
#include "disk/ext4.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

std::string lock_path(const Context& ctx) { return ctx.dirs.state + "/images.lock"; }
std::string import_lock(const Context& ctx, const std::string& id) {
  return ctx.dirs.image(id) + "/import.lock";
}

bool is_under_way(const Context& ctx, const Image& image) {
  return !image.ready && sys::FileLock::is_held(import_lock(ctx, image.id));
}

void remove_whole(Context& ctx, const Image& image) {
  sys::remove_tree(ctx.dirs.image(image.id));
  ctx.state.remove_image(image.id);
}

// The caller holds images.lock, so no import is between its row and its lock.
void remove_unfinished(Context& ctx) {
  for (const Image& image : ctx.state.images())
    if (!image.ready && !is_under_way(ctx, image)) remove_whole(ctx, image);
}

} // namespace

NewImage::NewImage(Context& ctx, Image image, const sys::FileLock&)
    : ctx_(ctx), image_(std::move(image)), undo_(ctx.log) {
  image_.id = new_id();
  image_.ready = false;
  image_.created = wall_now();
  dir_ = ctx.dirs.image(image_.id);
  image_ = ctx.state.add_image(image_);
  undo_.push("remove the row", [this] { ctx_.state.remove_image(image_.id); });
  sys::make_dirs(dir_);
  undo_.push("remove the directory", [this] { sys::remove_tree(dir_); });
  lock_ = sys::FileLock::take(import_lock(ctx, image_.id));
}

Image NewImage::finish(const std::string& sha256) {
  sys::set_mode(root(), 0400);
  sys::sync_file(root());
  sys::sync_dir(dir_);
  ctx_.stage(image_.name, "computing its sha256");
  std::string sum = sha256.empty() ? archive::sha256_file(root()) : sha256;
  int64_t size = disk::ext4_size(root()), used = sys::find_info(root())->allocated;
  ctx_.state.transaction([&] {
    image_ = ctx_.state.change_image(image_.id, [&](Image& i) {
      i.size = size;
      i.used = used;
      i.sha256 = sum;
      i.ready = true;
    });
    record(ctx_, {}, "image.imported", {{"image", image_.name}, {"id", image_.id}});
  });
  undo_.dismiss();
  // It is an image now: a lock that stays goes with it, and is no failure.
  try {
    sys::remove_file(import_lock(ctx_, image_.id));
  } catch (const Error& e) {
    ctx_.log.warn("image.lock", e);
  }
  lock_.reset();
  return image_;
}

sys::FileLock lock_images(Context& ctx) {
  auto lock = sys::FileLock::take(lock_path(ctx));
  remove_unfinished(ctx);
  return lock;
}

void clean_imports(Context& ctx) {
  bool any = false;
  for (const Image& image : ctx.state.images()) any = any || !image.ready;
  if (!any) return;
  if (auto lock = sys::FileLock::try_take(lock_path(ctx))) remove_unfinished(ctx);
}

void remove_image(Context& ctx, const std::string& ref) {
  auto lock = lock_images(ctx);
  Image image = ctx.state.get_image(ref);
  if (!image.ready)
    throw conflict("cannot remove image '{}': it is being imported", image.name)
        .subject(image.name)
        .hint("wait for that import, or end it");
  // From here on no VM can be made from it; a crash leaves a row that is not ready.
  ctx.state.transaction([&] {
    std::vector<std::string> users, by_snapshot;
    for (const auto& user : ctx.state.image_users(image.id)) {
      if (user.by_snapshot) {
        by_snapshot.push_back(user.vm);
        continue;
      }
      users.push_back(user.vm);
    }
    if (!users.empty()) {
      const bool one = users.size() == 1;
      std::string vms = join(users, " ");
      throw conflict("cannot remove image '{}': {} {} on it", image.name, join(users, ", "),
                     one ? "stands" : "stand")
          .subject(image.name)
          .hint(fmt::format("banger vm reset --image OTHER {0} gives the {1} from another "
                            "image, without what is on the old; banger vm rm {0} removes the {2} "
                            "with all disks; neither can be brought back",
                            vms, one ? "VM a root disk" : "VMs root disks", one ? "VM" : "VMs"));
    }
    if (!by_snapshot.empty())
      throw conflict("cannot remove image '{}': snapshots of {} stand on it", image.name,
                     join(by_snapshot, ", "))
          .subject(image.name)
          .hint(fmt::format("banger vm snapshot list {} shows them", join(by_snapshot, " ")));
    ctx.state.change_image(image.id, [](Image& i) { i.ready = false; });
    record(ctx, {}, "image.removed", {{"image", image.name}, {"id", image.id}});
  });
  remove_whole(ctx, image);
}

std::vector<Image> list_images(Reader& in) {
  std::vector<Image> images = in.state.images();
  std::erase_if(images, [](const Image& i) { return !i.ready; });
  return images;
}

Image view_image(Reader& in, const std::string& ref) {
  Image image = in.state.get_image(ref);
  if (!image.ready) throw not_found("image '{}' is still being imported", image.name);
  return image;
}

} // namespace banger::ops
