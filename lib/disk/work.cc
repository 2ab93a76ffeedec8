#include "disk/work.h"

#include <sys/stat.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "disk/ext4.h"
#include "disk/ext4_files.h"
#include "sys/file.h"

namespace banger::disk {

namespace {

// The longest that the guest's init takes (runtime/init/seed.h).
constexpr size_t most_mount = 255;

} // namespace

std::string valid_work_mount(const std::string& path) {
  auto bad = [&](const char* why) {
    return usage("invalid place for a work disk '{}': {}", escape_for_terminal(path), why)
        .hint("give an absolute path in the guest, as /root or /srv/data");
  };
  if (!path.starts_with('/')) throw bad("it does not begin with '/'");
  if (path.size() > most_mount) throw bad("it is too long");
  std::string plain;
  for (const std::string& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") throw bad("it has '..'");
    for (unsigned char c : part)
      if (c < 0x20 || c == 0x7f) throw bad("it has a control character");
    plain += "/" + part;
  }
  if (plain.empty()) throw bad("that is the root disk's place");
  for (const char* kernel : {"/dev", "/proc", "/sys", "/run"})
    if (plain == kernel || plain.starts_with(std::string(kernel) + "/"))
      throw bad("that place belongs to the system");
  return plain;
}

namespace {

// The image's content at the mount becomes the root of the work disk.
void fill_work(const WorkPlan& plan) {
  Ext4Files work(plan.to, Ext4Files::Mode::write);
  Ext4Files image(plan.image, Ext4Files::Mode::read);
  auto there = image.find(plan.mount);
  try {
    if (there && S_ISDIR(there->meta.mode)) {
      work.copy_tree(image, plan.mount);
    } else {
      FileMeta meta;
      meta.mode = S_IFDIR | (plan.mount == "/root" ? 0700 : 0755);
      meta.mtime = wall_now().ns / 1'000'000'000;
      work.make_dir("", meta);
    }
  } catch (const Ext4Full&) {
    throw usage("cannot make a work disk of {}: what the image has at '{}' does not fit",
                format_size(plan.size), plan.mount)
        .hint("make it larger");
  }
  work.finish();
  sys::sync_file(plan.to);
}

} // namespace

void make_work(const WorkPlan& plan) {
  make_ext4(plan.to, plan.size, "work");
  sys::make_or_remove(plan.to, [&] { fill_work(plan); });
}

} // namespace banger::disk
