// The copy-on-write file of a root disk by device-mapper (`dm-snapshot`): a sparse file that has
// what a guest wrote over its image.
//
// It begins with the kernel's store: a header, and after it a chunk of metadata for every 256
// chunks of data. The store is as large as it becomes when every chunk of the image was written
// over, so it never overflows, which would cost the VM all that it wrote. Behind it lies the part
// of the disk that is larger than the image, as it is. So a disk grows where its file does.
#pragma once

#include <cstdint>
#include <string>

namespace banger::disk {

inline constexpr int64_t cow_chunk = 4096; // a file system's block, and a page

struct CowLayout {
  int64_t origin = 0; // bytes of the disk that the image has
  int64_t beyond = 0; // bytes of the disk behind those
  int64_t store = 0;  // bytes of the file before those
  int64_t disk() const { return origin + beyond; }
  int64_t file() const { return store + beyond; }
  bool operator==(const CowLayout&) const = default;
};

// `origin`: bytes of the image's file system. A disk that is smaller is as large as that.
CowLayout cow_layout(int64_t origin, int64_t disk);
// The same from the size of the file. Throws Error(failed), which quotes `shown`, for a size that
// no such file has.
CowLayout cow_layout_of(int64_t origin, int64_t file, const std::string& shown);
// The size of the disk that a file on this image gives.
int64_t cow_disk_size(const std::string& file, const std::string& image);

// Makes the file, 0600, for a disk of that size on the image. Not synced: it has no data yet.
void make_cow(const std::string& file, const std::string& image, int64_t disk);
// Makes the disk that large, synced; the file system follows at the next boot. As grow_disk of
// disk/ext4.h, and the disk must not be mapped.
void grow_cow(const std::string& file, const std::string& image, int64_t disk);

// Throws Error(failed) for a file that cannot be mapped over the image: of another size, or with
// something else in it.
void check_cow(const std::string& file, const std::string& image);
// Throws Error(failed) for a store that the kernel would read for long, or not at all: with another
// header, or with what is written over a chunk told twice, or of a chunk that the image has not, or
// in a place that the store has not. For each chunk of the image the kernel keeps one entry then,
// and finds it among 256. Reads all that the kernel reads when it maps the store; what somebody
// writes there afterwards the kernel reads as a guest's data alone.
void check_store(int fd, const CowLayout& layout, const std::string& shown);
// The kernel marks a store as invalid when it could not write to it, which happens where the host's
// disk is full: it takes nothing more from it, though all that was written before is whole. This
// takes the mark away, synced, and says whether there was one. `fd` is open for writing.
bool revive_cow(int fd, const std::string& shown);

} // namespace banger::disk
