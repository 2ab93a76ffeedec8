#include "sys/confine.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/error.h"
#include "core/handle.h"
#include "sys/file.h"

namespace banger::sys {

namespace {

// linux/landlock.h as of version 6; the header of the system that builds may be older than the
// kernel that runs.
struct Ruleset {
  uint64_t files, tcp, scoped;
};
struct [[gnu::packed]] PathRule {
  uint64_t allowed;
  int32_t parent;
};
constexpr unsigned ask_for_version = 1;
constexpr int path_beneath = 1;

constexpr uint64_t execute = 1, write_file = 2, read_file = 4, read_dir = 8;
constexpr uint64_t remove_file = 1 << 5, make_char = 1 << 6, make_socket = 1 << 9,
                   make_block = 1 << 11;
constexpr uint64_t truncate = 1 << 14, ioctl_dev = 1 << 15;
constexpr uint64_t bind_or_connect = 3, abstract_sockets_or_signals = 3;

// The rights over files that a version knows.
uint64_t all_rights(int version) {
  uint64_t all = (1 << 13) - 1;
  if (version >= 2) all |= 1 << 13; // links and renames between directories
  if (version >= 3) all |= truncate;
  if (version >= 5) all |= ioctl_dev;
  return all;
}

uint64_t rights_of(Use use) {
  switch (use) {
  case Use::read:
    return execute | read_file | read_dir;
  case Use::write:
    return read_file | write_file | truncate;
  case Use::device:
    return read_file | write_file | ioctl_dev;
  case Use::directory:
    return ~(make_char | make_block | ioctl_dev);
  case Use::sockets:
    return make_socket | remove_file;
  }
  return 0;
}

// Those that a rule about a file, and not about a directory, may have.
constexpr uint64_t of_a_file = execute | write_file | read_file | truncate | ioctl_dev;

void allow(int ruleset, const Reach& reach, uint64_t known) {
  Fd fd(::open(reach.path.c_str(), O_PATH | O_CLOEXEC));
  if (!fd && (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP)) return;
  if (!fd) throw sys_error(errno, "cannot open '{}'", reach.path);
  auto info = find_info(reach.path);
  uint64_t rights = rights_of(reach.use) & known;
  if (!info || !info->is_dir) rights &= of_a_file;
  PathRule rule{rights, fd.get()};
  if (::syscall(SYS_landlock_add_rule, ruleset, path_beneath, &rule, 0) != 0)
    throw sys_error(errno, "cannot confine a process to '{}'", reach.path);
}

} // namespace

int landlock_version() {
  long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, ask_for_version);
  return version > 0 ? static_cast<int>(version) : 0;
}

void confine(const std::vector<Reach>& reaches, bool tcp) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    throw sys_error(errno, "cannot give up rights");
  int version = landlock_version();
  if (version == 0) return;
  Ruleset set{all_rights(version), tcp ? 0 : bind_or_connect, abstract_sockets_or_signals};
  // A kernel takes no more of it than it knows.
  size_t size = version >= 6 ? sizeof set : version >= 4 ? 16 : 8;
  Fd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &set, size, 0)));
  if (!ruleset) throw sys_error(errno, "cannot confine a process");
  for (const Reach& reach : reaches) allow(ruleset.get(), reach, set.files);
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
    throw sys_error(errno, "cannot confine a process");
}

bool is_denied(const Reach& reach) {
  int wanted = reach.use == Use::read ? R_OK : R_OK | W_OK;
  return ::faccessat(AT_FDCWD, reach.path.c_str(), wanted, AT_EACCESS) != 0 && errno == EACCES;
}

void bound_files(int64_t bytes) {
  rlimit limit{};
  int got = ::getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_max = std::min(limit.rlim_max, static_cast<rlim_t>(bytes));
  limit.rlim_cur = std::min(limit.rlim_cur, limit.rlim_max);
  if (got != 0 || ::setrlimit(RLIMIT_FSIZE, &limit) != 0)
    throw sys_error(errno, "cannot bound the files of a process");
}

} // namespace banger::sys
