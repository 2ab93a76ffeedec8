#include "ops/image/import.h"

#include <algorithm>

#include <fcntl.h>
#include <unistd.h>

#include "archive/reader.h"
#include "archive/sources.h"
#include "core/error.h"
#include "core/units.h"
#include "disk/ext4.h"
#include "disk/ext4_files.h"
#include "image/content.h"
#include "image/source.h"
#include "model/name.h"
#include "ops/image/fill.h"
#include "ops/image/from_bundle.h"
#include "ops/image/limits.h"
#include "ops/image/store.h"
#include "sys/copy.h"
#include "sys/file.h"
#include "sys/signals.h"
#include "sys/sparse.h"

namespace banger::ops {

namespace {

constexpr int64_t mib = 1 << 20;
constexpr int64_t room = 256 * mib; // beyond the content and a quarter of it
constexpr int64_t journal_mib = 16;
constexpr int64_t block_group = 128 * mib; // of 4096-byte blocks; inodes come by the group
constexpr int64_t inodes_a_group = block_group / 16384;
constexpr const char* kinds = "an image is made of a tarball, of a raw disk with partitions or an "
                              "ext4 file system (each plain, "
                              "gz, xz, zst or bz2; a disk in a tarball, too), or of a directory";

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

// An import on its way.
struct Import {
  Context& ctx;
  const image::Source& source;
  const ImportOptions& options;
  const NewImage& made;
  Limits limits{options.size};

  void run() const;

private:
  std::string spool() const { return made.file("disk"); }
  void tell(const std::string& progress) const { ctx.stage(made.image().name, progress); }
  void directory() const;
  void stream() const;
  void tar(archive::Pull pull) const;
  void disk_of(archive::Pull pull) const;
  // `fd` is the source's, or that of a disk that was laid down here, whose room goes to its root.
  void file_system(int fd, const image::Place& place, sys::Original original) const;
  void no_partition() const; // where one was asked for and the source has none
  template <typename Fill>
  bool tree(const Fill& fill) const;
};

void Import::run() const {
  if (source.kind == image::SourceKind::directory) return directory();
  if (source.kind == image::SourceKind::file) {
    // A tarball may hold anything where a disk has its signs.
    std::string begin = sys::read_at(source.file.get(), 0, 512);
    auto root = image::is_tar(begin) ? std::nullopt
                                     : image::find_root(source.file.get(), source.size,
                                                        options.partition, source.name);
    if (root) return file_system(source.file.get(), *root, sys::Original::kept);
  }
  stream();
}

// A tree that `fill` brings into an empty file system; nothing is left of it where `fill` says so.
// A source tells only at its end how large it is: the file system is made as large as may be, which
// takes next to nothing, and cut to its content afterwards.
template <typename Fill>
bool Import::tree(const Fill& fill) const {
  disk::make_ext4(made.root(), limits.root, "root",
                  options.size ? std::nullopt : std::optional(journal_mib));
  int64_t content = 0, inodes = 0;
  try {
    disk::Ext4Files root(made.root(), disk::Ext4Files::Mode::write);
    int64_t empty = root.used();
    size_t entries = 0;
    auto count = [&](const std::string&) {
      sys::throw_if_interrupted();
      if (++entries % 1000 == 0) tell(fmt::format("{} files", entries));
    };
    if (!fill(root, count)) return false;
    require_init(root, source.name);
    scrub_root(root);
    content = root.used() - empty;
    inodes = root.inodes_used();
    root.finish();
  } catch (disk::Ext4Full&) {
    throw failed("'{}' does not fit into {}", source.name, format_size(limits.root))
        .hint("give it more with --size");
  }
  if (!options.size) disk::shrink_ext4(made.root(), fitting_size(content, inodes));
  return true;
}

void Import::no_partition() const {
  if (options.partition)
    throw usage("'{}' has no partitions", source.name).hint("leave --partition out");
}

void Import::directory() const {
  no_partition();
  tree([&](disk::Ext4Files& root, const OnEntry& count) {
    fill_from_dir(root, source.path, count);
    return true;
  });
}

void Import::stream() const {
  if (source.kind == image::SourceKind::file) ::lseek(source.file.get(), 0, SEEK_SET);
  archive::Pull bytes = archive::pull_file(source.file.get(), source.name);
  archive::Pull pull = archive::unpacking(
      [&](std::span<char> buffer) {
        sys::wait_or_interrupt(source.file.get());
        return bytes(buffer);
      },
      source.name);
  std::string head(image::head_size, '\0');
  size_t have = 0;
  for (size_t n = 1; n > 0 && have < head.size(); have += n)
    n = pull({head.data() + have, head.size() - have});
  head.resize(have);
  head.shrink_to_fit();
  if (image::is_tar(head)) return tar(archive::after(std::move(head), std::move(pull)));
  if (image::may_be_disk(head)) return disk_of(archive::after(std::move(head), std::move(pull)));
  if (head.find_first_not_of('\0') == head.npos)
    throw failed("'{}' {}", source.name,
                 head.empty() ? "is empty" : "begins with nothing but zeros")
        .hint(kinds);
  if (source.kind == image::SourceKind::file)
    image::refuse_known(source.file.get(), 0, source.size, "'" + source.name + "'");
  // Some file systems are known only where they fit into what holds them.
  sys::SparseFile begin(spool());
  begin.write(0, head);
  begin.set_size(Limits::longest);
  image::refuse_known(begin.fd(), 0, Limits::longest, "'" + source.name + "'");
  throw failed("'{}' is no tarball, disk or ext4 file system", source.name).hint(kinds);
}

void Import::tar(archive::Pull pull) const {
  archive::Reader reader(std::move(pull), source.name);
  TarDisk inside(source.name, spool(), limits);
  bool is_tree = tree([&](disk::Ext4Files& root, const OnEntry& count) {
    fill_from_tar(root, reader, count, &inside);
    if (!inside.disk()) no_partition();
    return !inside.disk();
  });
  if (is_tree) return;
  sys::remove_file(made.root());
  auto disk = *inside.disk();
  file_system(disk.fd, *image::find_root(disk.fd, disk.size, options.partition, disk.name),
              sys::Original::given_back);
  sys::remove_file(spool());
}

void Import::disk_of(archive::Pull pull) const {
  sys::SparseFile disk(spool());
  std::string block(image::head_size, '\0');
  int64_t size = 0;
  constexpr int64_t step = 64 * mib;
  for (size_t n = pull(block); n > 0; n = pull(block)) {
    disk.write(size, std::string_view(block).substr(0, n));
    auto now = size + static_cast<int64_t>(n);
    if (now / step > size / step) tell(format_size(now / step * step));
    size = now;
    limits.check(disk, size, source.name);
  }
  disk.set_size(size);
  auto root = image::find_root(disk.fd(), size, options.partition, source.name);
  if (!root) {
    image::refuse_known(disk.fd(), 0, size, "'" + source.name + "'");
    throw failed("'{}' is no tarball, disk or ext4 file system", source.name).hint(kinds);
  }
  file_system(disk.fd(), *root, sys::Original::given_back);
  sys::remove_file(spool());
}

void Import::file_system(int fd, const image::Place& place, sys::Original original) const {
  // A fault is reported of the source; a partition may be larger than its file system.
  int64_t size = disk::ext4_size(fd, place.offset, place.size, place.name);
  if (options.size && *options.size < size)
    throw usage("cannot import {} into {}: its file system is {} large", place.name,
                format_size(*options.size), format_size(size));
  bool whole = original == sys::Original::kept && !source.device && place.offset == 0;
  if (!whole || !sys::clone_file(source.path, made.root()))
    sys::copy_part(fd, source.name, place.offset, size, made.root(), original);
  sys::set_mode(made.root(), 0600);
  {
    Fd file = sys::open_file(made.root(), O_RDWR);
    sys::set_size(file.get(), size, made.root());
  }
  disk::check_ext4(made.root());
  disk::grow_ext4(made.root(), options.size.value_or(size));
  disk::Ext4Files root(made.root(), disk::Ext4Files::Mode::write);
  require_init(root, source.name);
  scrub_root(root);
  root.finish();
}

} // namespace

Image import_image(Context& ctx, const std::string& name, const std::string& source,
                   const ImportOptions& asked) {
  ImportOptions options = asked;
  Image image;
  image.name = valid_name("image name", name);
  if (auto meaning = other_image_meaning(name); !meaning.empty())
    throw usage("invalid image name '{}': {}", name, meaning)
        .subject(name)
        .hint(fmt::format("take another, such as image-{}", name));
  refuse_variant(ctx, image.name);
  check_size(options.size);
  if (options.size) options.size = disk::whole_blocks(*options.size);
  image::Source from = image::open_source(source);
  image.source = from.path.empty() ? from.name : from.path;
  // Signals end this where it looks for them, once nothing is left of the image.
  sys::Signals signals({SIGINT, SIGTERM, SIGHUP});
  LogSpan timed(ctx.log, "image.import", name);
  std::optional<NewImage> made;
  {
    auto images = lock_images(ctx);
    made.emplace(ctx, image, images);
  }
  ctx.stage(name, "importing the image");
  try {
    Import{ctx, from, options, *made}.run();
    return made->finish();
  } catch (Error& e) {
    throw std::move(e.within(fmt::format("cannot import image '{}'", name)).default_subject(name));
  }
}

} // namespace banger::ops
