// SQLite's usual VFS, but for its sleep: that never goes on past the deadline of the caller.
// Private to state/.
//
// Where all locks of the log's index are held, SQLite calls no busy handler: it tries a hundred
// times by itself, and sleeps in between for ten seconds in all. Past the deadline these sleeps
// take no time, so that SQLite returns SQLITE_PROTOCOL at once.
#pragma once

#include <string>

#include <sqlite3.h>

#include "core/clock.h"

namespace banger::state {

class Vfs {
public:
  // `deadline` is looked at whenever SQLite would sleep. Both outlive the handles opened with it.
  explicit Vfs(const SteadyTime& deadline);
  ~Vfs();
  Vfs(const Vfs&) = delete;
  Vfs& operator=(const Vfs&) = delete;

  // For sqlite3_open_v2().
  const char* name() const { return name_.c_str(); }

private:
  struct Patient : sqlite3_vfs {
    const SteadyTime* deadline = nullptr;
  };
  static int sleep(sqlite3_vfs* vfs, int microseconds);

  std::string name_;
  Patient vfs_;
};

} // namespace banger::state
