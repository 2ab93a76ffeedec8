// The schema, as the steps that made it. Private to state/.
//
// A migration is applied in one transaction together with its record (table `migration`, PRAGMA
// user_version), so that a crash leaves it done or not begun. Numbers grow by one and a migration
// that was released never changes: a new field is one line in its struct's mapping (vms.cc,
// images.cc) and one new migration at the end of the table.
#pragma once

#include <span>
#include <string_view>

#include "state/db.h"

namespace banger::state {

struct Migration {
  int64_t number; // the schema version that it brings
  std::string_view name;
  const char* sql;
  void (*code)(Db&); // what SQL alone cannot do; may be null
};

std::span<const Migration> migrations();

// PRAGMA user_version; 0 for a file in which nothing was made yet.
int64_t schema_version(Db& db);

// Applies those that are missing, whoever else does the same at the same time. `db` may have been
// opened for reading. Throws Error(conflict) when the schema is newer than the last of `all`;
// nothing is changed then.
void migrate(Db& db, std::span<const Migration> all = migrations());

} // namespace banger::state
