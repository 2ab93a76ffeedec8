// How a state gets to the schema of this build. Private to state/.
//
// A new state is made by schema.sql at once. One of before is brought there by migrations, each
// applied in one transaction together with its record (table `migration`, PRAGMA user_version), so
// that a crash leaves it done or not begun. Numbers grow by one, and a migration that was released
// never changes: a new field is a line in its struct's columns (vms.cc, images.cc), in schema.sql,
// and in one new migration at the end of the table.
#pragma once

#include <span>
#include <string_view>

#include "state/db.h"

namespace banger::state {

struct Migration {
  int64_t number; // the schema version that it brings
  std::string_view name;
  const char* sql;
  void (*code)(Db&);  // what SQL alone cannot do; may be null
  bool whole = false; // makes the newest schema from nothing: all that follow are recorded with it
};

std::span<const Migration> migrations();

// Applies those that are missing, even if another process does the same at the same time. Throws
// Error(conflict) when the schema is newer than the last of `all`; nothing is changed then.
void migrate(Db& db, std::span<const Migration> all = migrations());

} // namespace banger::state
