#include "init/init.h"

#include <cstdarg>
#include <cstdio>
#include <fcntl.h>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace banger::init {

namespace {
char reason[512];
}

bool fail(const char* form, ...) {
  va_list args;
  va_start(args, form);
  vsnprintf(reason, sizeof reason, form, args);
  va_end(args);
  return false;
}

const char* failure() { return reason; }

std::string_view read_whole(const char* path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  struct stat info;
  std::string_view content;
  if (fstat(fd, &info) == 0 && info.st_size == 0) {
    content = "";
  } else if (info.st_size > 0) {
    auto size = static_cast<size_t>(info.st_size);
    void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data != MAP_FAILED) content = {static_cast<const char*>(data), size};
  }
  close(fd);
  return content;
}

std::string_view read_line(const char* path) {
  static char line[256];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  ssize_t size = read(fd, line, sizeof line);
  close(fd);
  std::string_view text(line, size > 0 ? static_cast<size_t>(size) : 0);
  return before(text, '\n');
}

} // namespace banger::init
