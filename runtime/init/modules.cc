#include "init/init.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>

#include <sys/syscall.h>
#include <unistd.h>

namespace banger::init {

namespace {

bool has_virtio_device(unsigned type) {
  constexpr const char* bus = "/sys/bus/virtio/devices";
  DIR* dir = opendir(bus);
  if (!dir) return false;
  bool found = false;
  while (dirent* entry = readdir(dir)) {
    if (entry->d_name[0] == '.') continue;
    char path[320];
    snprintf(path, sizeof path, "%s/%s/device", bus, entry->d_name);
    std::string_view text = read_line(path); // "0x0001"
    unsigned id = 0;
    if (text.starts_with("0x")) std::from_chars(text.data() + 2, text.data() + text.size(), id, 16);
    if (id == type) found = true;
  }
  closedir(dir);
  return found;
}

bool load(std::string_view path) {
  char name[256];
  snprintf(name, sizeof name, "%.*s", static_cast<int>(path.size()), path.data());
  int fd = open(name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail("cannot open '%s': %m", name);
  bool ok = syscall(SYS_finit_module, fd, "", 0) == 0 || errno == EEXIST;
  if (!ok) fail("cannot load '%s': %m", name);
  close(fd);
  return ok;
}

} // namespace

bool load_modules(std::string_view list, bool overlay) {
  Module module;
  while (next_module(list, module)) {
    if ((module.when == Module::When::overlay) != overlay) continue;
    if (module.when == Module::When::virtio && !has_virtio_device(module.virtio_type)) continue;
    if (!load(module.path)) return false;
  }
  return true;
}

} // namespace banger::init
