#include "disk/root.h"

#include <algorithm>

#include <fcntl.h>

#include "core/error.h"
#include "core/units.h"
#include "disk/cow.h"
#include "disk/ext4.h"
#include "sys/copy.h"
#include "sys/file.h"
#include "sys/lock.h"

namespace banger::disk {

RootPlan plan_root(std::optional<RootWay> want, std::optional<int64_t> size, const RootFacts& facts,
                   std::string from, std::string to) {
  RootPlan plan;
  plan.way = want.value_or(facts.can_clone ? RootWay::reflink : RootWay::overlay);
  if (plan.way == RootWay::reflink && !facts.can_clone)
    throw preflight("cannot make the root disk by reflink: the file system cannot share extents")
        .hint("use --root overlay, or put the state on btrfs or xfs");
  bool overlay = plan.way == RootWay::overlay;
  plan.size = size ? whole_blocks(*size)
                   : (overlay ? std::max(facts.image_size, least_ext4) : facts.image_size);
  if (overlay && plan.size < least_ext4)
    throw usage("cannot make a root disk of {}: it must have at least {}", format_size(plan.size),
                format_size(least_ext4));
  if (!overlay && plan.size < facts.image_size)
    throw usage("cannot make a root disk of {}: the image is {} large", format_size(plan.size),
                format_size(facts.image_size))
        .hint("leave --disk out, or give at least the image's size");
  plan.from = std::move(from);
  plan.to = std::move(to);
  plan.needs = plan.way == RootWay::copy ? facts.image_allocated : 0;
  return plan;
}

namespace {

// All empty layers of a size are alike but for a UUID, which nobody mounts by.
std::string blank_upper(const std::string& dir, int64_t size) {
  std::string blank = fmt::format("{}/upper-{}.ext4", dir, size);
  if (sys::exists(blank)) return blank;
  sys::make_dirs(dir);
  auto lock = sys::FileLock::take(dir + "/lock");
  if (sys::exists(blank)) return blank;
  std::string made = blank + ".new";
  sys::remove_file(made); // of one that was killed
  make_ext4(made, size, "upper");
  sys::sync_file(made);
  sys::rename(made, blank);
  return blank;
}

} // namespace

void make_root(const RootPlan& plan) {
  if (plan.way == RootWay::overlay) {
    if (plan.blanks.empty())
      make_ext4(plan.to, plan.size, "upper");
    else
      sys::copy_sparse(blank_upper(plan.blanks, plan.size), plan.to);
    return;
  }
  if (plan.way == RootWay::dm_snapshot) return make_cow(plan.to, plan.from, plan.size);
  if (plan.way == RootWay::reflink) {
    if (!sys::clone_file(plan.from, plan.to))
      throw failed("cannot share '{}' with '{}': the file system refused", plan.from, plan.to);
  } else {
    sys::copy_sparse(plan.from, plan.to);
  }
  sys::make_or_remove(plan.to, [&] {
    // Of an image the host may look at more: no guest has written to it.
    if (grows_mounted(plan.to))
      grow_disk(plan.to, plan.size);
    else
      grow_ext4(plan.to, plan.size);
  });
}

} // namespace banger::disk
