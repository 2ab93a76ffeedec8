#include "disk/cow.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <endian.h>
#include <fcntl.h>

#include "core/error.h"
#include "core/units.h"
#include "disk/ext4.h"
#include "sys/at.h"
#include "sys/file.h"

namespace banger::disk {

namespace {

// drivers/md/dm-snap-persistent.c: 16 bytes of metadata a chunk.
constexpr int64_t chunks_an_area = cow_chunk / 16;
constexpr uint32_t magic = 0x70416e53; // "SnAp"

// Its header: four numbers of 32 bits, the lowest byte first.
struct Header {
  uint32_t magic = 0, valid = 0, version = 0, chunk_sectors = 0;
};

int64_t divided_up(int64_t n, int64_t by) { return (n + by - 1) / by; }

Header read_header(int fd) {
  std::string bytes = sys::read_at(fd, 0, sizeof(Header));
  Header h;
  if (bytes.size() < sizeof h) return h;
  uint32_t words[4];
  std::memcpy(words, bytes.data(), sizeof words);
  return {le32toh(words[0]), le32toh(words[1]), le32toh(words[2]), le32toh(words[3])};
}

} // namespace

CowLayout cow_layout(int64_t origin, int64_t disk) {
  CowLayout l;
  l.origin = origin / 512 * 512;
  l.beyond = std::max(int64_t{0}, disk - l.origin);
  // The header, whole areas, and one more: when an area is full, the kernel writes zeros to the
  // metadata of the next.
  int64_t areas = divided_up(divided_up(l.origin, cow_chunk), chunks_an_area) + 1;
  int64_t chunks = 1 + areas * (chunks_an_area + 1);
  l.store = divided_up(chunks * cow_chunk, mebibyte) * mebibyte;
  return l;
}

CowLayout cow_layout_of(int64_t origin, int64_t file, const std::string& shown) {
  CowLayout l = cow_layout(origin, 0);
  l.beyond = file - l.store;
  if (l.beyond < 0 || l.beyond % 512)
    throw failed("'{}' has {} bytes, which is no size of a copy-on-write file on its image", shown,
                 file);
  return l;
}

int64_t cow_disk_size(const std::string& file, const std::string& image) {
  auto info = sys::find_info(file);
  if (!info) throw failed("'{}' is not there", file);
  return cow_layout_of(ext4_size(image), info->size, file).disk();
}

void make_cow(const std::string& file, const std::string& image, int64_t disk) {
  CowLayout layout = cow_layout(ext4_size(image), disk);
  Fd fd = sys::open_file(file, O_RDWR | O_CREAT | O_EXCL);
  sys::make_or_remove(file, [&] { sys::set_size(fd.get(), layout.file(), file); });
}

void grow_cow(const std::string& file, const std::string& image, int64_t disk) {
  int64_t now = cow_disk_size(file, image);
  if (disk < now)
    throw usage("cannot shrink '{}' from {} to {}", file, format_size(now), format_size(disk))
        .hint("a disk can only grow");
  if (disk > now) {
    if (!grows_mounted(image))
      throw conflict("the file system of its image cannot grow while it is mounted")
          .hint("use another image, or --root copy");
    Fd fd = sys::open_file(file, O_RDWR);
    sys::set_size(fd.get(), cow_layout(ext4_size(image), disk).file(), file);
  }
  sys::sync_file(file);
}

void check_cow(const std::string& file, const std::string& image) {
  cow_disk_size(file, image);
  Header h = read_header(sys::open_file(file, O_RDONLY).get());
  bool is_new = !h.magic && !h.valid && !h.version && !h.chunk_sectors;
  if (!is_new && (h.magic != magic || h.version != 1 || h.chunk_sectors != cow_chunk / 512))
    throw failed("'{}' is no copy-on-write file", file);
}

void check_store(int fd, const CowLayout& layout, const std::string& shown) {
  Header h = read_header(fd);
  if (!h.magic) return; // the kernel begins anew
  auto refuse = [&](std::string_view why) {
    return failed("'{}' is no copy-on-write file of its image: {}", shown, why);
  };
  if (h.magic != magic || h.version != 1 || h.chunk_sectors != cow_chunk / 512)
    throw refuse("its header is another's");
  const auto chunks = static_cast<uint64_t>(divided_up(layout.origin, cow_chunk));
  const auto places = static_cast<uint64_t>(layout.store / cow_chunk);
  std::vector<bool> told(chunks);
  for (int64_t area = 0;; area++) {
    // As drivers/md/dm-snap-persistent.c reads it: areas until one that is not full.
    std::string bytes = sys::read_at(fd, (1 + area * (chunks_an_area + 1)) * cow_chunk, cow_chunk);
    if (bytes.size() < cow_chunk) throw refuse("it does not end");
    for (size_t at = 0; at < cow_chunk; at += 16) {
      uint64_t old_chunk = 0, new_chunk = 0;
      std::memcpy(&old_chunk, bytes.data() + at, sizeof old_chunk);
      std::memcpy(&new_chunk, bytes.data() + at + 8, sizeof new_chunk);
      old_chunk = le64toh(old_chunk), new_chunk = le64toh(new_chunk);
      if (!new_chunk) return;
      if (old_chunk >= chunks) throw refuse("it tells of what the image has not");
      if (new_chunk >= places) throw refuse("it tells of places that it has not");
      if (told[old_chunk]) throw refuse("it tells of the same twice");
      told[old_chunk] = true;
    }
  }
}

bool revive_cow(int fd, const std::string& shown) {
  Header h = read_header(fd);
  if (h.magic != magic || h.valid) return false;
  uint32_t valid = htole32(1);
  std::string bytes(sizeof valid, '\0');
  std::memcpy(bytes.data(), &valid, sizeof valid);
  sys::write_at(fd, offsetof(Header, valid), bytes, shown);
  sys::sync_open(fd, shown);
  return true;
}

} // namespace banger::disk
