#include "sys/sparse.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/at.h"
#include "sys/file.h"

namespace banger::sys {

namespace {

constexpr size_t run = 4096; // the least hole
constexpr int64_t most_block = int64_t{1} << 18;

} // namespace

bool is_zero(std::string_view data) {
  return data.empty() ||
         (data[0] == '\0' && std::memcmp(data.data(), data.data() + 1, data.size() - 1) == 0);
}

SparseFile::SparseFile(std::string path)
    : path_(std::move(path)), fd_(open_file(path_, O_RDWR | O_CREAT | O_EXCL)) {}

void SparseFile::write(int64_t offset, std::string_view data) {
  // Pieces end where blocks of the file do.
  auto piece = [&] {
    auto in_block = static_cast<size_t>(offset % static_cast<int64_t>(run));
    return std::min(data.size(), run - in_block);
  };
  while (!data.empty()) {
    size_t n = piece();
    if (is_zero(data.substr(0, n))) {
      offset += static_cast<int64_t>(n);
      data.remove_prefix(n);
      continue;
    }
    while (n < data.size() && !is_zero(data.substr(n, std::min(run, data.size() - n))))
      n += std::min(run, data.size() - n);
    write_at(fd_.get(), offset, data.substr(0, n), path_);
    data_ += static_cast<int64_t>(n);
    offset += static_cast<int64_t>(n);
    data.remove_prefix(n);
  }
}

void SparseFile::set_size(int64_t size) { sys::set_size(fd_.get(), size, path_); }

ChunkSource chunks_of(int fd, int64_t size, const std::string& shown) {
  struct Reader {
    int fd;
    int64_t size;
    std::string shown;
    int64_t offset = 0;
    std::string block{};

    std::optional<Chunk> next() {
      if (offset >= size) return {};
      off_t data = ::lseek(fd, offset, SEEK_DATA);
      if (data < 0 && errno != ENXIO) throw sys_error(errno, "cannot read '{}'", shown);
      if (data < 0) { // a hole up to the end, or behind an end that has moved
        struct stat st {};
        if (::fstat(fd, &st) != 0 || st.st_size < size) throw shrank();
      }
      if (data < 0 || data >= size) return {};
      block.resize(static_cast<size_t>(std::min(most_block, size - data)));
      ssize_t n = 0;
      do n = ::pread(fd, block.data(), block.size(), data);
      while (n < 0 && errno == EINTR);
      if (n < 0) throw sys_error(errno, "cannot read '{}'", shown);
      if (n == 0) throw shrank();
      offset = data + n;
      return Chunk{data, std::string_view(block).substr(0, static_cast<size_t>(n))};
    }
    Error shrank() const { return failed("cannot read '{}': it shrank meanwhile", shown); }
  };
  return [reader = Reader{fd, size, shown}]() mutable { return reader.next(); };
}

} // namespace banger::sys
