#include "ops/image/import.h"

#include <algorithm>

#include <fcntl.h>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "disk/ext4.h"
#include "disk/ext4_files.h"
#include "image/source.h"
#include "ops/image/fill.h"
#include "ops/image/store.h"
#include "sys/copy.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

constexpr int64_t mib = 1 << 20, gib = 1 << 30;
// A tarball tells only at its end how large it is: the file system is made this large, which takes
// next to nothing, and cut to its content afterwards.
constexpr int64_t unpack_limit = 16 * gib;
constexpr int64_t room = 256 * mib; // beyond the content and a quarter of it
constexpr int64_t journal_mib = 16;
constexpr int64_t block_group = 128 * mib; // of 4096-byte blocks; inodes come by the group
constexpr int64_t inodes_a_group = block_group / 16384;

std::string shown(const std::string& source) { return source == "-" ? "standard input" : source; }

void check_size(std::optional<int64_t> size) {
  if (size && *size < disk::least_ext4)
    throw usage("invalid image size '{}': it must be at least {}", format_size(*size),
                format_size(disk::least_ext4));
}

int64_t fitting_size(int64_t content, int64_t inodes) {
  int64_t groups = (inodes + inodes / 4) / inodes_a_group;
  int64_t size = std::max(content + content / 4 + room, groups * block_group);
  return (size + mib - 1) / mib * mib;
}

void import_tree(Context& ctx, const image::Source& source, const ImportOptions& options,
                 const NewImage& made) {
  int64_t limit = options.size.value_or(unpack_limit);
  if (options.size)
    disk::make_ext4(made.root(), limit, "root");
  else
    disk::make_ext4(made.root(), limit, "root", journal_mib);
  int64_t content, inodes;
  try {
    disk::Ext4Files root(made.root(), disk::Ext4Files::Mode::write);
    int64_t empty = root.used();
    size_t entries = 0;
    auto count = [&](const std::string&) {
      if (++entries % 1000 == 0) ctx.stage(made.image().name, fmt::format("{} files", entries));
    };
    if (source.kind == image::SourceKind::directory) {
      fill_from_dir(root, source.path, count);
    } else {
      Fd file;
      if (source.path != "-") file = sys::open_file(source.path, O_RDONLY);
      fill_from_tar(root, file ? file.get() : 0, shown(source.path), count);
    }
    require_init(root, shown(source.path));
    scrub_root(root);
    content = root.used() - empty;
    inodes = root.inodes_used();
    root.finish();
  } catch (disk::Ext4Full&) {
    throw failed("'{}' does not fit into {}", shown(source.path), format_size(limit))
        .hint("give it more with --size");
  }
  if (!options.size) disk::shrink_ext4(made.root(), fitting_size(content, inodes));
}

void import_file_system(const image::Source& source, const ImportOptions& options,
                        const NewImage& made) {
  bool whole = source.kind == image::SourceKind::ext4;
  if (whole) disk::ext4_size(source.path); // what is wrong with it is told of the source
  if (!whole || !sys::clone_file(source.path, made.root()))
    sys::copy_part(source.path, source.offset, source.size, made.root());
  sys::set_mode(made.root(), 0600);
  int64_t size = disk::ext4_size(made.root());
  {
    // A partition may be larger than its file system.
    Fd fd = sys::open_file(made.root(), O_RDWR);
    sys::set_size(fd.get(), size, made.root());
  }
  if (options.size && *options.size < size)
    throw usage("cannot import '{}' into {}: its file system is {} large", source.path,
                format_size(*options.size), format_size(size));
  disk::check_ext4(made.root());
  disk::grow_ext4(made.root(), options.size.value_or(size));
  disk::Ext4Files root(made.root(), disk::Ext4Files::Mode::write);
  require_init(root, source.path);
  scrub_root(root);
  root.finish();
}

} // namespace

Image import_image(Context& ctx, const std::string& name, const std::string& source,
                   const ImportOptions& asked) {
  ImportOptions options = asked;
  Image image;
  image.name = valid_name("image name", name);
  image.source = shown(source);
  check_size(options.size);
  if (options.size) options.size = disk::whole_blocks(*options.size);
  image::Source from = image::look_at_source(source, options.partition);
  if (source != "-") image.source = sys::real_path(source);
  Stage timed(ctx.log, "image.import", name);
  std::optional<NewImage> made;
  {
    auto images = lock_images(ctx);
    made.emplace(ctx, image, images);
  }
  ctx.stage(name, "importing the image");
  try {
    if (from.kind == image::SourceKind::ext4 || from.kind == image::SourceKind::disk)
      import_file_system(from, options, *made);
    else
      import_tree(ctx, from, options, *made);
    return made->finish();
  } catch (Error& e) {
    throw std::move(e.within(fmt::format("cannot import image '{}'", name)).default_subject(name));
  }
}

} // namespace banger::ops
