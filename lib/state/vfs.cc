#include "state/vfs.h"

#include <algorithm>
#include <new>

#include <fmt/format.h>

#include "sys/wait.h"

namespace banger::state {

namespace {

// SQLite's default VFS, which this class copies.
sqlite3_vfs* usual() {
  sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
  if (!vfs) throw std::bad_alloc();
  return vfs;
}

} // namespace

Vfs::Vfs(const SteadyTime& deadline)
    : name_(fmt::format("banger-{}", fmt::ptr(this))), vfs_{*usual(), &deadline} {
  vfs_.zName = name_.c_str();
  vfs_.pNext = nullptr;
  vfs_.xSleep = sleep;
  if (sqlite3_vfs_register(&vfs_, 0) != SQLITE_OK) throw std::bad_alloc();
}

Vfs::~Vfs() { sqlite3_vfs_unregister(&vfs_); }

int Vfs::sleep(sqlite3_vfs* vfs, int microseconds) {
  auto left = *static_cast<const Patient*>(vfs)->deadline - steady_now();
  if (left.count() > 0)
    sys::sleep_for(
        std::min<std::chrono::nanoseconds>(left, std::chrono::microseconds(microseconds)));
  return microseconds;
}

} // namespace banger::state
