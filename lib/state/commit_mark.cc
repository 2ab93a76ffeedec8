#include "state/commit_mark.h"

#include <atomic>
#include <cstring>

#include <sqlite3.h>

namespace banger::state {

namespace {

constexpr int region_size = 32768;       // in which SQLite maps the index
constexpr uint32_t known_form = 3007000; // the first word of a head
constexpr size_t is_made_at = 12;        // a byte that is 1 once there is an index

} // namespace

// Through SQLite's own mapping: opening and closing the file beside it would drop this process's
// locks on it. It stays until the handle is closed.
std::optional<CommitMark> commit_mark(sqlite3* db) {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file ||
      !file->pMethods || file->pMethods->iVersion < 2)
    return {};
  void volatile* region = nullptr;
  if (file->pMethods->xShmMap(file, 0, region_size, 0, &region) != SQLITE_OK || !region) return {};
  const volatile uint32_t* words = static_cast<volatile uint32_t*>(region);
  CommitMark first, second;
  for (uint32_t& word : first) word = *words++;
  std::atomic_thread_fence(std::memory_order_acquire);
  for (uint32_t& word : second) word = *words++;
  unsigned char is_made = 0;
  std::memcpy(&is_made, reinterpret_cast<const char*>(first.data()) + is_made_at, 1);
  if (first != second || first[0] != known_form || is_made != 1) return {};
  return first;
}

} // namespace banger::state
