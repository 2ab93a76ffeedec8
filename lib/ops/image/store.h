// An image's way into the state and out of it, whatever it is made from.
//
// images.lock is held for a moment at the begin and the end of an import and for a removal; the
// import itself holds images/ID/import.lock. So imports go side by side, and a row that is not
// ready while its lock is free was left by an import that died.
#pragma once

#include <string>
#include <string_view>

#include "core/undo.h"
#include "ops/common/context.h"
#include "sys/lock.h"

namespace banger::ops {

// An image that is being made: its row (not ready) and its directory are there. Unless finish() was
// called, both go with it.
class NewImage {
public:
  // `image` needs name and source. `images` is images.lock, which may be given up afterwards.
  // Throws Error(conflict) when the name is taken, by an import that is under way too.
  NewImage(Context& ctx, Image image, const sys::FileLock& images);

  const Image& image() const { return image_; }
  std::string file(std::string_view name) const { return dir_ + "/" + std::string(name); }
  std::string root() const { return file("root.ext4"); }

  // root.ext4 is whole: it becomes immutable (0400), synced, and the image ready. `sha256` is that
  // of root.ext4 where it is known already.
  Image finish(const std::string& sha256 = {});

private:
  Context& ctx_;
  Image image_;
  std::string dir_;
  Undo undo_;
  std::optional<sys::FileLock> lock_;
};

// images.lock, once the leavings of dead imports are removed.
sys::FileLock lock_images(Context& ctx);

// Removes the leavings of dead imports. Never waits.
void clean_imports(Context& ctx);

// Throws Error(conflict) that names the VMs that stand on it, or when it is just being imported;
// Error(not_found).
void remove_image(Context& ctx, const std::string& ref);

// Ready images, by name.
std::vector<Image> list_images(Reader& in);
// Throws Error(not_found).
Image view_image(Reader& in, const std::string& ref);

} // namespace banger::ops
