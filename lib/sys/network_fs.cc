#include "sys/network_fs.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "core/error.h"
#include "core/text.h"
#include "sys/file.h"

namespace banger::sys {

namespace {

// The type that the mount table gives the file system of a device: "fuse.sshfs".
std::string mounted_type(dev_t device) {
  std::string wanted = fmt::format("{}:{}", major(device), minor(device));
  auto table = find_content("/proc/self/mountinfo", size_t{1} << 20);
  for (const std::string& line : split(table.value_or(""), '\n')) {
    // proc(5): the third field is the device, the type follows a lone hyphen.
    auto fields = split(line, ' ');
    auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() > 2 && fields[2] == wanted && fields.end() - dash > 1) return dash[1];
  }
  return {};
}

} // namespace

std::optional<std::string> network_type_name(int64_t type) {
  // From statfs(2) and linux/magic.h.
  switch (static_cast<uint32_t>(type)) {
  case 0x6969:
    return "NFS";
  case 0xff534d42:
    return "CIFS";
  case 0xfe534d42:
    return "SMB";
  case 0x517b:
    return "SMB";
  case 0x01021997:
    return "9p";
  case 0x5346414f:
    return "AFS";
  case 0x00c36400:
    return "Ceph";
  case 0x47504653:
    return "GPFS";
  case 0x0bd00bd0:
    return "Lustre";
  default:
    return {};
  }
}

std::optional<std::string> network_fuse_name(const std::string& mounted_type) {
  constexpr std::string_view fuse = "fuse.";
  constexpr std::array<std::string_view, 12> all = {
      "sshfs",   "glusterfs", "ceph-fuse", "s3fs",   "rclone",   "gcsfuse",
      "juicefs", "davfs",     "curlftpfs", "goofys", "smbnetfs", "moosefs"};
  if (!mounted_type.starts_with(fuse)) return {};
  std::string name = mounted_type.substr(fuse.size());
  return std::find(all.begin(), all.end(), name) != all.end() ? std::optional(name) : std::nullopt;
}

bool is_in_memory(const std::string& path) {
  struct statfs fs {};
  return ::statfs(nearest_existing(path).c_str(), &fs) == 0 &&
         (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

std::optional<std::string> network_file_system(const std::string& path) {
  // Nearly always it is there: one call, for every command asks this of its state.
  std::string at = path;
  struct statfs fs {};
  if (::statfs(at.c_str(), &fs) != 0 && ::statfs((at = nearest_existing(path)).c_str(), &fs) != 0)
    throw sys_error(errno, "cannot look at the file system of '{}'", path);
  if (auto name = network_type_name(fs.f_type)) return name;
  struct stat st {};
  if (fs.f_type != FUSE_SUPER_MAGIC || ::stat(at.c_str(), &st) != 0) return {};
  return network_fuse_name(mounted_type(st.st_dev));
}

} // namespace banger::sys
