#include "disk/root.h"

#include <fcntl.h>

#include "core/error.h"
#include "core/undo.h"
#include "core/units.h"
#include "disk/ext4.h"
#include "sys/copy.h"
#include "sys/file.h"

namespace banger::disk {

RootPlan plan_root(std::optional<RootWay> want, std::optional<int64_t> size, const RootFacts& facts,
                   std::string from, std::string to) {
  RootPlan plan;
  plan.way = want.value_or(facts.can_clone ? RootWay::reflink : RootWay::copy);
  if (plan.way == RootWay::reflink && !facts.can_clone)
    throw preflight("cannot make the root disk by reflink: the file system cannot share extents")
        .hint("use --root copy, or put the state on btrfs or xfs");
  if (plan.way != RootWay::reflink && plan.way != RootWay::copy)
    throw preflight("cannot make the root disk by {}: this build does not have it",
                    name_of(plan.way))
        .hint("use --root reflink or --root copy");
  plan.size = size.value_or(facts.image_size);
  if (plan.size < facts.image_size)
    throw usage("cannot make a root disk of {}: the image is {} large", format_size(plan.size),
                format_size(facts.image_size))
        .hint("leave --disk out, or give at least the image's size");
  plan.from = std::move(from);
  plan.to = std::move(to);
  plan.needs = plan.way == RootWay::copy ? facts.image_allocated : 0;
  return plan;
}

void make_root(const RootPlan& plan) {
  Undo undo;
  if (plan.way == RootWay::reflink) {
    if (!sys::clone_file(plan.from, plan.to))
      throw failed("cannot share '{}' with '{}': the file system refused", plan.from, plan.to);
  } else {
    sys::copy_sparse(plan.from, plan.to);
  }
  undo.push("remove the disk", [&] { sys::remove_file(plan.to); });
  grow_ext4(plan.to, plan.size);
  sys::sync_file(plan.to);
  undo.dismiss();
}

} // namespace banger::disk
