#include "image/content.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/error.h"
#include "image/partitions.h"
#include "sys/file.h"

namespace banger::image {

namespace {

constexpr size_t ext_magic_at = 0x438;
constexpr std::string_view ext_magic = "\x53\xef", boot_magic = "\x55\xaa";
constexpr size_t boot_magic_at = 510, tar_block = 512;

constexpr const char* convert = "qemu-img convert -O raw makes a raw disk of it";
constexpr const char* unpack_it =
    "unpack it: what comes out is read from standard input, too (… | banger image import NAME -)";
constexpr const char* copy_files = "an image's root is ext4: mount it, and import its files (tar "
                                   "-C DIR -c . | banger image import "
                                   "NAME -)";
constexpr const char* no_files = "an image's root is ext4, and there are no files in that";

struct Form {
  size_t at;
  std::string_view bytes, name;
  const char* hint;
};
using namespace std::string_view_literals;
constexpr Form forms[] = {
    {0, "QFI\xfb"sv, "a qcow2 disk", convert},
    {0, "QED\0"sv, "a QED disk", convert},
    {0, "KDMV"sv, "a VMDK disk", convert},
    {0, "COWD"sv, "a VMDK disk", convert},
    {0, "# Disk DescriptorFile"sv, "the description of a VMDK disk", convert},
    {0, "conectix"sv, "a VHD disk", convert},
    {0, "vhdxfile"sv, "a VHDX disk", convert},
    {64, "\x7f\x10\xda\xbe"sv, "a VDI disk", convert},
    {0, "WithoutFreeSpace"sv, "a Parallels disk", convert},
    {0, "WithouFreSpacExt"sv, "a Parallels disk", convert},
    {0, "\x3a\xff\x26\xed"sv, "an Android sparse disk", "simg2img makes a raw disk of it"},
    {0, "PK\3\4"sv, "a zip archive", unpack_it},
    {0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive", unpack_it},
    {0, "Rar!\x1a\7"sv, "a rar archive", unpack_it},
    {0, "070701"sv, "a cpio archive", unpack_it},
    {0, "070702"sv, "a cpio archive", unpack_it},
    {0, "070707"sv, "a cpio archive", unpack_it},
    {0, "\x04\x22\x4d\x18"sv, "packed with lz4", unpack_it},
    {0, "\x89LZO\0"sv, "packed with lzop", unpack_it},
    {0, "\x1f\x9d"sv, "packed with compress", unpack_it},
    {0, "LRZI"sv, "packed with lrzip", unpack_it},
    {0, "LZIP"sv, "packed with lzip", unpack_it},
    {0, "\x5d\0\0"sv, "packed with lzma", unpack_it},
    {0, "!<arch>\n"sv, "a package or a library, and no root file system",
     "debootstrap or mmdebstrap make a root file system of packages"},
    {0, "\xed\xab\xee\xdb"sv, "a package, and no root file system",
     "dnf --installroot makes a root file system of packages"},
    {0,
     "\x7f"
     "ELF"sv,
     "a program, and no root file system",
     "an image is a root file system; a kernel comes with the "
     "bundle (banger bundle build)"},
    {514, "HdrS"sv, "a Linux kernel, and no root file system",
     "an image is a root file system; a kernel comes with the bundle (banger bundle build)"}};

const Form* form_of(std::string_view head) {
  for (const Form& f : forms)
    if (head.size() >= f.at && head.substr(f.at).starts_with(f.bytes)) return &f;
  return nullptr;
}

bool has(std::string_view head, size_t at, std::string_view bytes) {
  return head.size() >= at + bytes.size() && head.substr(at, bytes.size()) == bytes;
}

bool has_ext(int fd, int64_t offset) {
  return has(sys::read_at(fd, offset, ext_magic_at + ext_magic.size()), ext_magic_at, ext_magic);
}

} // namespace

bool is_tar(std::string_view head) {
  constexpr size_t sum_at = 148, sum_size = 8;
  if (head.size() < tar_block) return false;
  std::string_view text = head.substr(sum_at, sum_size);
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  unsigned long said = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), said, 8);
  if (error != std::errc() || said == 0) return false;
  // Some wrote the sum of signed bytes.
  long sum = 0, with_sign = 0;
  for (size_t i = 0; i < tar_block; i++) {
    char c = i >= sum_at && i < sum_at + sum_size ? ' ' : head[i];
    sum += static_cast<unsigned char>(c);
    with_sign += static_cast<signed char>(c);
  }
  return static_cast<long>(said) == sum || static_cast<long>(said) == with_sign;
}

bool may_be_disk(std::string_view head) {
  return has(head, ext_magic_at, ext_magic) || has(head, boot_magic_at, boot_magic);
}

bool is_disk(int fd, int64_t size) {
  try {
    return has_ext(fd, 0) || !find_partitions(fd, size, "").empty();
  } catch (const Error&) {
    return true; // a table that makes no sense is one
  }
}

void refuse_known(int fd, int64_t offset, int64_t size, const std::string& what) {
  if (const Form* form = form_of(sys::read_at(fd, offset, 1024)))
    throw failed("cannot import {}: it is {}", what, form->name).hint(form->hint);
  if (auto found = foreign_content(fd, offset, size))
    throw failed("cannot import {}: it is {}", what, found->name)
        .hint(found->has_files ? copy_files : no_files);
}

std::optional<Place> find_root(int fd, int64_t size, std::optional<int> partition,
                               const std::string& name) {
  auto readings = find_partitions(fd, size, name);
  if (readings.empty()) {
    if (!has_ext(fd, 0)) return {};
    if (partition)
      throw usage("'{}' has no partitions: it is a file system itself", name)
          .hint("leave --partition out");
    return Place{0, size, "'" + name + "'"};
  }
  Partition root = root_partition(readings.front(), partition, name);
  // Another reading of the table is the right one where it leads to a file system.
  for (const auto& partitions : readings)
    for (const Partition& p : partitions)
      if (p.number == root.number && !has_ext(fd, root.offset) && has_ext(fd, p.offset)) root = p;
  Place place{root.offset, root.size, fmt::format("partition {} of '{}'", root.number, name)};
  if (has_ext(fd, root.offset)) return place;
  refuse_known(fd, root.offset, root.size, place.name);
  throw failed("cannot import {}: it holds no ext4 file system", place.name);
}

} // namespace banger::image
