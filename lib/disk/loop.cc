#include "disk/loop.h"

#include <cstdlib>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/error.h"
#include "core/failpoint.h"
#include "core/text.h"
#include "sys/file.h"

namespace banger::disk {

namespace {

constexpr const char* control = "/dev/loop-control";
// Others may take the number that was free.
constexpr int most_tries = 256;

std::string node_of(int number) { return fmt::format("/dev/loop{}", number); }

struct stat look(int fd, const std::string& shown) {
  struct stat st;
  if (::fstat(fd, &st) != 0) throw sys_error(errno, "cannot look at '{}'", shown);
  return st;
}

// The numbers of those that seem to stand on that file. Others are not opened: that alone would put
// off the end of one that is to clear itself. Nor is a path looked at, which is a user's, and may
// lead to a file system of his that does not answer: the kernel tells both files' names.
std::vector<int> candidates(int file) {
  std::vector<int> numbers;
  auto own = sys::read_link(fmt::format("/proc/self/fd/{}", file));
  for (const std::string& name : sys::list_dir("/sys/block")) {
    if (!own || !name.starts_with("loop")) continue;
    auto backing = sys::find_content(fmt::format("/sys/block/{}/loop/backing_file", name));
    if (backing == *own + "\n") numbers.push_back(std::atoi(name.c_str() + 4));
  }
  return numbers;
}

std::optional<loop_info64> status(int fd) {
  loop_info64 info{};
  if (::ioctl(fd, LOOP_GET_STATUS64, &info) != 0) return {};
  return info;
}

// As the kernel tells the device that a file is on.
uint64_t encoded(dev_t device) {
  uint64_t low = ::minor(device) & 0xff, high = ::minor(device) & ~0xffu;
  return low | uint64_t{::major(device)} << 8 | high << 12;
}

Loop taken(Fd fd, int number) {
  struct stat st = look(fd.get(), node_of(number));
  return {std::move(fd), ::major(st.st_rdev), ::minor(st.st_rdev)};
}

std::optional<Loop> find_loop(int file, const struct stat& its, const std::string& shown,
                              LoopUse use) {
  for (int number : candidates(file)) {
    auto fd = sys::find_file(node_of(number), use == LoopUse::alone ? O_RDWR : O_RDONLY);
    if (!fd) continue;
    // It stays what it is now: it is open.
    auto info = status(fd->get());
    if (!info || info->lo_inode != its.st_ino || info->lo_device != encoded(its.st_dev)) continue;
    if (info->lo_offset || info->lo_sizelimit) continue;
    bool read_only = info->lo_flags & LO_FLAGS_READ_ONLY;
    if (use == LoopUse::read_only && read_only) return taken(std::move(*fd), number);
    if (use == LoopUse::read_only) continue; // its writer has no business with an image
    auto users = sys::list_dir(fmt::format("/sys/block/loop{}/holders", number));
    if (read_only || !users.empty())
      throw conflict("'{}' is in use already, by {}", shown, node_of(number));
    // One that was about to clear itself: the file may have grown since it was made.
    if (::ioctl(fd->get(), LOOP_SET_CAPACITY, 0) != 0)
      throw sys_error(errno, "cannot set up {} on '{}'", node_of(number), shown);
    return taken(std::move(*fd), number);
  }
  return {};
}

} // namespace

Loop open_loop(int file, const std::string& shown, LoopUse use) {
  struct stat st = look(file, shown);
  if (!S_ISREG(st.st_mode)) throw failed("'{}' is no file", shown);
  if (auto found = find_loop(file, st, shown, use)) return std::move(*found);
  Fd all = sys::open_file(control, O_RDWR);
  loop_config config{};
  config.fd = static_cast<uint32_t>(file);
  config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
  if (use == LoopUse::read_only) config.info.lo_flags |= LO_FLAGS_READ_ONLY;
  for (int i = 0; i < most_tries; i++) {
    int number = ::ioctl(all.get(), LOOP_CTL_GET_FREE);
    if (number < 0) throw sys_error(errno, "cannot get a loop device");
    Fd fd = sys::open_file(node_of(number), use == LoopUse::alone ? O_RDWR : O_RDONLY);
    failpoint(Point::loop);
    if (::ioctl(fd.get(), LOOP_CONFIGURE, &config) == 0) return taken(std::move(fd), number);
    if (errno != EBUSY) throw sys_error(errno, "cannot set up {} on '{}'", node_of(number), shown);
  }
  throw failed("cannot set up a loop device on '{}': others take every one that is free", shown);
}

std::vector<LoopSeen> idle_loops_below(const std::string& dir) {
  std::vector<LoopSeen> found;
  std::string mounts = sys::find_content("/proc/self/mounts").value_or("");
  for (const std::string& name : sys::list_dir("/sys/block")) {
    std::string at = "/sys/block/" + name, node = "/dev/" + name;
    auto attribute = [&](const char* key) {
      return std::string(trim(sys::find_content(at + key).value_or("")));
    };
    if (!name.starts_with("loop")) continue;
    std::string file = attribute("/loop/backing_file");
    if (!file.starts_with(dir + "/") || attribute("/loop/autoclear") != "0") continue;
    if (!sys::list_dir(at + "/holders").empty() || mounts.find(node + " ") != std::string::npos)
      continue;
    found.push_back({node, file, attribute("/diskseq")});
  }
  return found;
}

void clear_loop(const std::string& node, const std::string& identity) {
  auto fd = sys::find_file(node, O_RDONLY);
  if (!fd) return;
  uint64_t sequence = 0; // it stays what it is now: it is open
  if (::ioctl(fd->get(), BLKGETDISKSEQ, &sequence) != 0)
    throw sys_error(errno, "cannot look at '{}'", node);
  if (std::to_string(sequence) != identity) return;
  failpoint(Point::loop);
  if (::ioctl(fd->get(), LOOP_CLR_FD, 0) != 0 && errno != ENXIO)
    throw sys_error(errno, "cannot clear '{}'", node);
}

int loop_fault() {
  try {
    sys::open_file(control, O_RDWR);
    return 0;
  } catch (const Error& e) {
    return e.error_number();
  }
}

} // namespace banger::disk
